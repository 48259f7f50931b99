"""The table of schedules: when and where a server's dailies are posted, and what they ask."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from bot.core.calendar import EVERY_DAY
from bot.core.jobs import Queue
from bot.core.limits import MAX_DAILY_NAME
from bot.core.servers import DEFAULT_ZONE, guilds
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    fetch_all,
    first_row,
    metadata,
    values_of,
)
from bot.daily.model import DailyKind, Schedule
from bot.daily.store import dailies

daily_schedules = sa.Table(
    "daily_schedules",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("name", sa.String(MAX_DAILY_NAME), nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.String(5), nullable=False),  # HH:MM
    # digits of the days, 0 for Monday
    sa.Column("weekdays", sa.String(7), nullable=False, server_default=EVERY_DAY),
    # all, a pack, a section or topics, see `bot.questions.areas`
    sa.Column("asks", sa.Text, nullable=False),
    sa.Column("kind", OneOf(DailyKind, 6), nullable=False),
    sa.Column("answer_hours", sa.Integer, nullable=False),
    sa.Column("role_id", sa.BigInteger),
    sa.Column("thread", sa.Boolean, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("settled_until", Instant, nullable=False),  # earlier post times are decided
    sa.Column("next_at", Instant),  # the next post time; null while paused
    # consecutive failures of the next step
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_daily_schedules_guild_id", "guild_id"),
    # Ids of removed schedules must not be reused, because buttons and dailies hold them.
    # https://www.sqlite.org/autoinc.html
    sqlite_autoincrement=True,
)

SCHEDULES = Queue(daily_schedules, due_at=daily_schedules.c.next_at)


@first_row(Schedule)
def schedule(schedule_id: int, *, claim: bool = False) -> Select[Any]:
    """Return a schedule.

    With `claim` it is locked until this transaction ends; None if another transaction locked it.
    """
    query = _SCHEDULES.where(daily_schedules.c.id == schedule_id)
    return query.with_for_update(of=daily_schedules, skip_locked=True) if claim else query


@all_rows(Schedule)
def schedules_of(guild_id: int) -> Select[Any]:
    """Return the schedules of a server, the first one that was added first."""
    query = _SCHEDULES.where(daily_schedules.c.guild_id == guild_id)
    return query.order_by(daily_schedules.c.id)


_SCHEDULES = (
    select(daily_schedules, func.coalesce(guilds.c.zone, DEFAULT_ZONE).label("zone"))
    .select_from(daily_schedules)
    .outerjoin(guilds, guilds.c.guild_id == daily_schedules.c.guild_id)
)


def _columns(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule's columns. Its zone is the server's, which `servers.set_zone` stores."""
    values = values_of(schedule)
    del values["zone"], values["id"]
    return values


def add_schedule(conn: Connection, schedule: Schedule) -> int:
    """Store a new schedule and return its id."""
    adding = daily_schedules.insert().returning(daily_schedules.c.id)
    added: int = conn.execute(adding, _columns(schedule)).scalar_one()
    return added


def save_schedule(conn: Connection, schedule: Schedule) -> None:
    """Store a changed schedule."""
    change_schedule(conn, schedule.id, **_columns(schedule))


def change_schedule(conn: Connection, schedule_id: int, /, **values: object) -> None:
    conn.execute(_CHANGE_SCHEDULE, {"row": schedule_id, **values})


def delete_schedule(conn: Connection, schedule_id: int) -> None:
    conn.execute(delete(daily_schedules).where(daily_schedules.c.id == schedule_id))


_CHANGE_SCHEDULE = update(daily_schedules).where(daily_schedules.c.id == bindparam("row"))


def active_schedules(
    conn: Connection, since: date, *, after: int, limit: int
) -> list[tuple[Schedule, set[date]]]:
    """Return up to `limit` schedules that are not paused, each with its decided dates from `since`.

    They are ordered by id and start above `after`. All processes lock rows in this order.
    """
    query = _SCHEDULES.where(daily_schedules.c.id > after, daily_schedules.c.paused.is_(False))
    found = fetch_all(conn, query.order_by(daily_schedules.c.id).limit(limit), Schedule)
    dates: dict[int, set[date]] = defaultdict(set)
    decided = select(dailies.c.schedule_id, dailies.c.local_date).where(
        dailies.c.schedule_id.in_([schedule.id for schedule in found]),
        dailies.c.local_date >= since,
    )
    for schedule_id, day in conn.execute(decided):
        dates[schedule_id].add(day)
    return [(schedule, dates[schedule.id]) for schedule in found]
