"""The tables of the recap: servers' schedules, and the recaps."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy import Connection, select, update

from bot.core.jobs import Queue, queue_columns, was_refused
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    constant,
    fetch,
    insert,
    metadata,
    upsert,
    values_of,
)
from bot.recap.model import Recap, RecapSchedule, RecapState

recap_schedules = sa.Table(
    "recap_schedules",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("channel_id", sa.BigInteger),  # null for no recap
    sa.Column("weekday", sa.Integer, nullable=False),  # 0 is Monday
    sa.Column("first_week", sa.Date, nullable=False),  # its Monday; earlier weeks are decided
    sa.Column("next_at", Instant),  # the next post time; null without a recap
    sa.Column("due_at", Instant),  # the same, or later after a failure
    # consecutive failures of the next step
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
)

# One row for each server and decided week. `state`:
#   posting  to be posted, retried until it is too late
#   posted   with the week's figures, or with a question if too few answered
#   quiet    too few answered, and there is no question either
#   missed   could not be posted in time; `problem` says why
recaps = sa.Table(
    "recaps",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("week", sa.Date, nullable=False),  # its Monday
    sa.Column("state", OneOf(RecapState, 10), nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("scheduled_at", Instant, nullable=False),
    sa.Column("tried_at", Instant),  # first try to post whose outcome is unknown
    *queue_columns(),
    sa.Column("problem", sa.Text),
    # The item that a quiet week's recap asks, and whether anybody has opened it.
    sa.Column("item_id", sa.String(48)),
    sa.Column("opened", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("guild_id", "week"),
    sqlite_autoincrement=True,  # the bot finds its message again by the id
)
POSTING = recaps.c.state == constant(RecapState.POSTING)

SCHEDULES = Queue(recap_schedules)
_WAITING = POSTING & recaps.c.due_at.is_not(None)
QUEUE = Queue(recaps, state=recaps.c.state, problem=recaps.c.problem)
change = QUEUE.change


def schedule(conn: Connection, guild_id: int, *, claim: bool = False) -> RecapSchedule | None:
    """Return a server's schedule, with `claim` locked until this transaction ends."""
    query = select(recap_schedules).where(recap_schedules.c.guild_id == guild_id)
    return fetch(conn, query.with_for_update() if claim else query, RecapSchedule)


def save_schedule(conn: Connection, schedule: RecapSchedule) -> None:
    due_at = schedule.next_at
    upsert(conn, recap_schedules, **values_of(schedule), due_at=due_at, failures=0)


def rest(conn: Connection, guild_id: int, due_at: datetime) -> None:
    """Make a schedule that failed due again at `due_at`."""
    where = recap_schedules.c.guild_id == guild_id
    conn.execute(update(recap_schedules).where(where).values(due_at=due_at, failures=0))


def taken(conn: Connection, guild_id: int, since: date) -> set[date]:
    """Return the weeks from `since` that are decided."""
    return set(
        conn.execute(
            select(recaps.c.week).where(recaps.c.guild_id == guild_id, recaps.c.week >= since)
        ).scalars()
    )


def create(conn: Connection, guild_id: int, week: date, **values: object) -> None:
    """Store a week's recap, unless the week is decided already."""
    conn.execute(
        insert(conn, recaps).values(guild_id=guild_id, week=week, **values).on_conflict_do_nothing()
    )


def get(conn: Connection, recap_id: int) -> Recap | None:
    return fetch(conn, select(recaps).where(recaps.c.id == recap_id), Recap)


def latest(conn: Connection, guild_id: int, before: date = date.max) -> Recap | None:
    """Return the recap of the last decided week, or of the last one before a week."""
    here = recaps.c.guild_id == guild_id, recaps.c.week < before
    query = select(recaps).where(*here).order_by(recaps.c.week.desc()).limit(1)
    return fetch(conn, query, Recap)


def open_question(conn: Connection, recap_id: int) -> str | None:
    """Return the id of the item that a recap asks, and note that somebody has opened it."""
    recap = get(conn, recap_id)
    if recap is None or recap.item_id is None:
        return None
    conn.execute(update(recaps).where(recaps.c.id == recap_id).values(opened=True))
    return recap.item_id


def redirect(conn: Connection, guild_id: int, channel_id: int | None, now: datetime) -> None:
    """Post a refused recap in another channel, or not at all for None.

    One that may have been posted stays: it is looked for once more.
    """
    waiting = update(recaps).where(recaps.c.guild_id == guild_id, _WAITING)
    if channel_id is not None:
        refused = waiting.where(was_refused(recaps))
        conn.execute(refused.values(channel_id=channel_id, due_at=now))
    else:
        unsent = waiting.where(recaps.c.tried_at.is_(None))
        conn.execute(unsent.values(state=RecapState.MISSED, due_at=None))
