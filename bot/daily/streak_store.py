"""The tables of streaks, and of dates that count for them without an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Row, Select, delete, select

from bot.answers import store as answers_store
from bot.answers.store import DAILY, Answer, answers
from bot.core import calendar
from bot.core.limits import MAX_DAILIES
from bot.core.personal import DERIVED
from bot.core.tables import constant, insert, metadata, prepared, upsert, values_of
from bot.daily.schedule_store import schedules_of
from bot.daily.store import ON_CARD, UNREVEALED, dailies
from bot.daily.streaks import NO_NEWS, NO_STREAK, Streak, StreakNews, streak, streak_news

# A member's streak on a server up to and including `through`. No daily of that date or before
# accepts answers. Each answer of the member moves `through` on, so that no query reads the whole
# history.
streaks = sa.Table(
    "streaks",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("through", sa.Date, nullable=False),
    sa.Column("current", sa.Integer, nullable=False),
    sa.Column("best", sa.Integer, nullable=False),
    sa.Column("freezes", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unbroken", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_streaks_user_id", "user_id"),
    info=DERIVED,
)

# Dates that count as answered for a member's streak without an answer to a daily, see `credit_day`.
# Old rows are deleted at the member's next credit.
streak_days = sa.Table(
    "streak_days",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Index("ix_streak_days_user_id", "user_id"),
    sqlite_with_rowid=False,
)


_SETTLED = timedelta(days=3)
"""After this time from its close, a daily gets no more answers and its date gets no other daily,
even if the server moves to another time zone."""
_RECENT = timedelta(days=10)
"""Dates that many days ago are settled: a daily is open for up to two days, whatever the zone."""
_MOST_UNSETTLED = 10 * MAX_DAILIES
"""At most this many dailies are unsettled."""
_CREDITED = timedelta(days=20)
"""Dates that were credited longer ago are deleted; they were settled long before."""


def streak_of(conn: Connection, guild_id: int, user_id: int, now: datetime) -> Streak:
    """Return a member's streak now."""
    known, rows = _unsettled(conn, guild_id, user_id, now)
    return _streak(known, rows, now)


def count_streak(conn: Connection, guild_id: int, answer: Answer) -> tuple[Streak, StreakNews]:
    """Count a stored answer for the member's streak, and return the streak and what changed.

    The streak is stored with the answer, for the closed card.
    """
    at = answer.answered_at
    user_id = answer.user_id
    known, rows = _unsettled(conn, guild_id, user_id, at)
    _settle(conn, guild_id, user_id, known, rows, at)
    reached = _streak(known, rows, at)
    answers_store.change(conn, DAILY, answer.question_id, user_id, streak=reached.current)
    return reached, _news(known, rows, answer)


def credit_day(conn: Connection, guild_id: int, user_id: int, day: date) -> None:
    """Let a date count for a member's streak if it has a daily, now or later on that date.

    `day` is a local date in the server's zone. Repeating it changes nothing. A date that is settled
    already stays as it was.
    """
    at = datetime.combine(day, time.min, UTC)
    given = {"guild_id": guild_id, "user_id": user_id, "day": day}
    conn.execute(insert(conn, streak_days).on_conflict_do_nothing(), given)
    c = streak_days.c
    old = delete(streak_days).where(c.guild_id == guild_id, c.user_id == user_id)
    conn.execute(old.where(c.day < day - _CREDITED))
    _settle(conn, guild_id, user_id, *_unsettled(conn, guild_id, user_id, at), at)


def _settle(
    conn: Connection,
    guild_id: int,
    user_id: int,
    known: Streak | None,
    rows: Sequence[Row[Any]],
    at: datetime,
) -> None:
    """Move a member's row in `streaks` on to the last date whose dailies are all settled."""
    unsettled = (
        row.local_date for row in rows if row.closes_at is None or row.closes_at > at - _SETTLED
    )
    first = min(unsettled, default=date.max)
    settled = [row for row in rows if row.local_date < first]
    if settled or known is None:
        through = settled[-1].local_date if settled else at.date() - _RECENT
        values = values_of(_streak(known, settled, at))
        upsert(conn, streaks, guild_id=guild_id, user_id=user_id, through=through, **values)


def _streak(known: Streak | None, rows: Sequence[Row[Any]], now: datetime) -> Streak:
    return streak(*_dates(rows, now), known or NO_STREAK)


def _news(known: Streak | None, rows: Sequence[Row[Any]], answer: Answer) -> StreakNews:
    """Return what an answer changed; nothing if another daily of its date was answered before."""
    now = next((row.local_date for row in rows if row.id == answer.question_id), None)
    others = [row for row in rows if row.answered_at and row.id != answer.question_id]
    if now is None or any(row.local_date == now for row in others):
        return NO_NEWS
    previous = max((row.answered_at for row in others), default=None)
    untold = {
        row.local_date
        for row in rows
        if previous is None or row.closes_at is None or row.closes_at > previous
    }
    return streak_news(
        *_dates(rows, answer.answered_at), known or NO_STREAK, now=now, untold=untold
    )


def _dates(rows: Sequence[Row[Any]], now: datetime) -> tuple[list[date], set[date], set[date]]:
    """Return the dates with dailies, those that count, and those that can still be answered."""
    return (
        [row.local_date for row in rows],
        {row.local_date for row in rows if _counts(row)},
        {row.local_date for row in rows if row.closes_at is not None and row.closes_at > now},
    )


def _unsettled(
    conn: Connection, guild_id: int, user_id: int, now: datetime
) -> tuple[Streak | None, list[Row[Any]]]:
    """Return a member's settled streak, and the server's dailies since, oldest first.

    After a long absence these are only the first and the last ones. Those between were missed,
    because each answer settles earlier dailies, and the first ones use up all freezes. A date
    that another daily is still to be posted on can't be missed yet, so its unanswered ones are
    left out.
    """
    settled = _settled(conn, guild_id, user_id).first()
    recent = now.date() - _RECENT
    through = date.min if settled is None else settled.through
    rows = {row.id: row for row in _after(conn, guild_id, user_id, max(recent, through))}
    streak = None
    if settled is not None:
        streak = Streak(settled.current, settled.best, settled.freezes, settled.unbroken)
        if through < recent:
            rows |= {row.id: row for row in _first_after(conn, guild_id, user_id, through)}
    going_on = _dates_going_on(conn, guild_id, rows.values(), now)
    kept = (row for row in rows.values() if _counts(row) or row.local_date not in going_on)
    return streak, sorted(kept, key=lambda row: (row.local_date, row.id))


def _dates_going_on(
    conn: Connection, guild_id: int, rows: Iterable[Row[Any]], now: datetime
) -> set[date]:
    """Return the dates that a server's dailies are still to be posted on.

    Nothing is read, and nothing returned, unless a daily closed unanswered since yesterday.
    """
    since = now.date() - timedelta(days=1)  # no zone is more than a day behind
    closed = (row for row in rows if row.closes_at is not None and row.closes_at <= now)
    if all(_counts(row) or row.local_date < since for row in closed):
        return set()
    posting = {row.local_date for row in _unposted(conn, guild_id)}
    return posting | {
        calendar.local_date(schedule.zone, schedule.next_at)
        for schedule in schedules_of(conn, guild_id)
        if schedule.next_at is not None
    }


@prepared
def _unposted(guild_id: int) -> Select[Any]:
    return select(dailies.c.local_date).where(
        dailies.c.guild_id == guild_id, UNREVEALED, dailies.c.message_id.is_(None)
    )


def _counts(row: Row[Any]) -> bool:
    """Return whether a member answered a daily, or was credited with its date."""
    return row.answered_at is not None or row.credited


@prepared
def _settled(guild_id: int, user_id: int) -> Select[Any]:
    return select(streaks).where(streaks.c.guild_id == guild_id, streaks.c.user_id == user_id)


@prepared
def _after(guild_id: int, user_id: int, after: date) -> Select[Any]:
    return _dailies_after(guild_id, user_id, after)


@prepared
def _first_after(guild_id: int, user_id: int, through: date) -> Select[Any]:
    query = _dailies_after(guild_id, user_id, through)
    return query.order_by(dailies.c.local_date).limit(_MOST_UNSETTLED)


def _dailies_after(guild_id: int, user_id: int, after: date) -> Select[Any]:
    own = (
        (answers.c.source == constant(DAILY))
        & (answers.c.question_id == dailies.c.id)
        & (answers.c.user_id == user_id)
    )
    credited = (
        (streak_days.c.guild_id == dailies.c.guild_id)
        & (streak_days.c.user_id == user_id)
        & (streak_days.c.day == dailies.c.local_date)
    )
    return (
        select(dailies.c.id, dailies.c.local_date, dailies.c.closes_at, answers.c.answered_at)
        .add_columns(streak_days.c.day.is_not(None).label("credited"))
        .select_from(dailies)
        .outerjoin(answers, own)
        .outerjoin(streak_days, credited)
        .where(dailies.c.guild_id == guild_id, ON_CARD, dailies.c.local_date > after)
    )
