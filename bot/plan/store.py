"""Members' plans, and how ready they were on each day on which it was looked at."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, delete, select

from bot.core.personal import Held, personal_rows
from bot.core.tables import first_row, metadata, upsert, values_of
from bot.plan.rules import Plan

# A member's plan; no row if they have none.
plans = sa.Table(
    "plans",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, nullable=False),  # of the interview
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("set_on", sa.Date, nullable=False),
    sa.Column(
        "goal", sa.Integer, nullable=False
    ),  # percent known on the day if it was kept from the start
)
# How much of the bank a member knew on a day since they have had a plan, the last that was seen of it.
plan_days = sa.Table(
    "plan_days",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("ready", sa.Integer, nullable=False),  # in tenths of a percent
    sqlite_with_rowid=False,
)
# In this order they are erased: a day is only noted for who has a plan.
HELD = Held(
    members=[
        personal_rows(
            "plan",
            plans.c.user_id,
            {
                "interview": plans.c.day,
                "minutes_a_day": plans.c.minutes,
                "set_on": plans.c.set_on,
                "goal_percent": plans.c.goal,
            },
        ),
        personal_rows(
            "plan_days",
            plan_days.c.user_id,
            {"day": plan_days.c.day, "ready_in_tenths_of_a_percent": plan_days.c.ready},
        ),
    ]
)


@first_row(Plan)
def get(user_id: int, *, lock: bool = False) -> Select[Any]:
    """A member's plan; with `lock` no other process can change it before this transaction ends."""
    query = select(plans).where(plans.c.user_id == user_id)
    return query.with_for_update() if lock else query


def save(conn: Connection, plan: Plan) -> None:
    upsert(conn, plans, **values_of(plan))


def end(conn: Connection, plan: Plan) -> bool:
    """Forget a plan and its days; False if it has ended, or was changed, meanwhile."""
    where = plans.c.user_id == plan.user_id, plans.c.day == plan.day
    if not conn.execute(delete(plans).where(*where)).rowcount:
        return False
    conn.execute(delete(plan_days).where(plan_days.c.user_id == plan.user_id))
    return True


def note_ready(conn: Connection, user_id: int, day: date, ready: int) -> None:
    """Note how much of the bank somebody knows on a day, in tenths of a percent; nothing for who has no plan."""
    if (
        conn.execute(
            select(plans.c.user_id).where(plans.c.user_id == user_id).with_for_update()
        ).first()
        is not None
    ):
        upsert(conn, plan_days, user_id=user_id, day=day, ready=ready)


def ready_since(conn: Connection, user_id: int, day: date) -> list[tuple[date, int]]:
    """What was noted from a day on, oldest first."""
    c = plan_days.c
    rows = conn.execute(
        select(c.day, c.ready).where(c.user_id == user_id, c.day >= day).order_by(c.day)
    )
    return [(row.day, row.ready) for row in rows]
