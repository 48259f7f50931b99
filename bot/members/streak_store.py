"""Members' streaks, and the dates that are not settled yet."""

from __future__ import annotations

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, delete, select, update

from bot.core.personal import DERIVED
from bot.core.tables import insert, metadata, prepared, upsert, values_of
from bot.members.model import Streak

# A member's streak up to and including the date `through`, which is null while none is running.
# Each night, `through` moves on to the latest date that can't change any more.
streaks = sa.Table(
    "streaks",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("through", sa.Date),
    sa.Column("current", sa.Integer, nullable=False, server_default="0"),
    sa.Column("best", sa.Integer, nullable=False, server_default="0"),
    sa.Column("freezes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unbroken", sa.Integer, nullable=False, server_default="0"),
    sa.Column("saved", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_streaks_through", "through", "user_id"),
    info=DERIVED,
)

# A member's dates after `through`: those that count, and those with a reminder.
streak_days = sa.Table(
    "streak_days",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("counts", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)
_c = streak_days.c


def get(conn: Connection, user_id: int, *, lock: bool = False) -> tuple[Streak, date | None]:
    """Return a member's settled streak, and the last settled date, None if no streak is running.

    `lock` keeps other transactions from changing it until this one ends.
    """
    row = _get(conn, user_id, lock=lock).first()
    if row is None:
        return Streak(), None
    return Streak(row.current, row.best, row.freezes, row.unbroken, row.saved), row.through


@prepared
def _get(user_id: int, *, lock: bool) -> Select[Any]:
    query = select(streaks).where(streaks.c.user_id == user_id)
    return query.with_for_update() if lock else query


def begin(conn: Connection, user_id: int, through: date) -> None:
    """Let a streak begin after a date, if none is running."""
    first = insert(conn, streaks).values(user_id=user_id, through=through)
    conn.execute(
        first.on_conflict_do_update(
            index_elements=["user_id"], set_={"through": through}, where=streaks.c.through.is_(None)
        )
    )


def days_after(conn: Connection, user_id: int, through: date) -> dict[date, bool]:
    """Return a member's stored dates after a date: whether each counts."""
    return {row.day: row.counts for row in _days_after(conn, user_id, through)}


@prepared
def _days_after(user_id: int, through: date) -> Select[Any]:
    return select(_c.day, _c.counts).where(_c.user_id == user_id, _c.day > through)


def count_day(conn: Connection, user_id: int, day: date) -> None:
    """Let a date count."""
    upsert(conn, streak_days, user_id=user_id, day=day, counts=True)


def ask_on(conn: Connection, user_id: int, day: date) -> None:
    """Store that something was asked of a member on a date, if a streak of theirs is running then."""
    through = get(conn, user_id)[1]
    if through is not None and day > through:  # their zone may have moved since the streak began
        given = {"user_id": user_id, "day": day, "counts": False}
        conn.execute(insert(conn, streak_days).on_conflict_do_nothing(), given)


Place = tuple[date, int]
"""The last settled date of a member, and their id. Streaks are settled in this order."""
FIRST: Place = date.min, 0


def to_settle(conn: Connection, day: date, after: Place, limit: int) -> list[Place]:
    """Return members whose streak is not settled through a date, the longest overdue first."""
    return [(row.through, row.user_id) for row in _to_settle(conn, day, *after, limit)]


@prepared
def _to_settle(day: date, through: date, user_id: int, limit: int) -> Select[Any]:
    place = streaks.c.through, streaks.c.user_id
    query = select(*place).where(streaks.c.through < day)
    given = sa.type_coerce(through, sa.Date), user_id
    query = query.where(sa.tuple_(*place) > sa.tuple_(*given))
    return query.order_by(*place).limit(limit)


def settle(conn: Connection, user_id: int, streak: Streak, through: date | None) -> None:
    """Store a streak up to a date, None if it is over, and delete the dates that this settles."""
    own = update(streaks).where(streaks.c.user_id == user_id)
    conn.execute(own.values(through=through, **values_of(streak)))
    conn.execute(delete(streak_days).where(_c.user_id == user_id, _c.day <= (through or date.max)))
