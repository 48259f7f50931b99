"""Tables of members' plans, and of their days."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, delete, select

from bot.core.tables import Encoded, all_rows, first_row, metadata, upsert, values_of
from bot.members.model import Dates
from bot.members.rules import days_between
from bot.memory.model import Plan, Said
from bot.plan.model import PlannedDay

# A member's plan; no row if they have none.
plans = sa.Table(
    "plans",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, nullable=False),  # of the interview
    sa.Column("week", Encoded(tuple[int, ...]), nullable=False),  # minutes from Monday on
    sa.Column("set_on", sa.Date, nullable=False),
    # the goal, as text: see bot.questions.areas.
    sa.Column("goal", sa.Text, nullable=False),
    # first and last days of each time without practice
    sa.Column("away", Encoded(tuple[tuple[date, date], ...]), nullable=False),
    sa.Column("checks", Encoded(tuple[str, ...]), nullable=False),  # ids of items
    sa.Column("said", Encoded(Said | None), nullable=False),
)
# The share of the plan's goal that a member knew on a day, as last recorded.
plan_days = sa.Table(
    "plan_days",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("ready", sa.Integer, nullable=False),  # in tenths of a percent
    sqlite_with_rowid=False,
)


@first_row(Plan)
def get(user_id: int, *, lock: bool = False) -> Select[Any]:
    """Return a member's plan.

    `lock` keeps other transactions from changing it until this one ends.
    """
    query = select(plans).where(plans.c.user_id == user_id)
    return query.with_for_update() if lock else query


def running(conn: Connection, user_id: int, today: date) -> Plan | None:
    """Return a member's plan unless its day has passed."""
    plan = get(conn, user_id)
    return None if plan is None or plan.is_over(today) else plan


def save(conn: Connection, plan: Plan) -> None:
    upsert(conn, plans, **values_of(plan))


def asked_on(conn: Connection, dates: Dates) -> list[date]:
    """Return those of a member's dates that are days of their plan, but no days off, after the first."""
    plan = get(conn, dates.user_id)
    if plan is None:
        return []
    return [
        day
        for day in days_between(plan.set_on, plan.day - timedelta(days=1))
        if dates.first <= day <= dates.last and plan.minutes_on(day)
    ]


def end(conn: Connection, plan: Plan) -> bool:
    """Delete a plan and its days; False if it was ended or moved in the meantime."""
    where = (plans.c.user_id == plan.user_id, plans.c.day == plan.day)
    if not conn.execute(delete(plans).where(*where)).rowcount:
        return False
    conn.execute(delete(plan_days).where(plan_days.c.user_id == plan.user_id))
    return True


def record_day(conn: Connection, user_id: int, day: PlannedDay) -> None:
    """Record a day of a member's plan, if they have one."""
    query = select(plans.c.user_id).where(plans.c.user_id == user_id).with_for_update()
    if conn.execute(query).first() is not None:
        upsert(conn, plan_days, user_id=user_id, **values_of(day))


@all_rows(PlannedDay)
def days_since(user_id: int, day: date) -> Select[Any]:
    """Return the recorded days of a member's plan from a day on, oldest first."""
    c = plan_days.c
    return select(c.day, c.ready).where(c.user_id == user_id, c.day >= day).order_by(c.day)
