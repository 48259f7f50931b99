"""Schedules of the question of the day, the dailies themselves, their answers and streaks."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, func, select, update

from bot.core.schema import dailies, daily_answers, daily_schedules
from bot.core.shards import ALL, Shards
from bot.core.sharing import nearest, ours
from bot.core.upsert import insert
from bot.daily.streaks import Streak, streak

POSTED = ("threading", "open", "closing", "closed")
ANSWERABLE = ("posting", "threading", "open")
_CLAIMED = dailies.c.state.in_(["threading", "closing"]) | dailies.c.tried_at.is_not(None) & (
    dailies.c.state == "posting"
)
_SCHEDULES: Any = {"guild_id": daily_schedules.c.guild_id, "due_at": daily_schedules.c.next_at}
_DAILIES: Any = {"guild_id": dailies.c.guild_id, "due_at": dailies.c.due_at}


@dataclass(frozen=True, slots=True)
class Schedule:
    """A row of `daily_schedules`; see the schema for the columns."""

    guild_id: int
    channel_id: int
    at: str
    zone: str
    topic_id: str | None
    kind: str
    answer_hours: int
    role_id: int | None
    thread: bool
    paused: bool
    settled_until: datetime
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Daily:
    """A row of `dailies`; see the schema for the columns."""

    id: int
    guild_id: int
    local_date: date
    state: str
    item_id: str | None
    choice_order: str
    channel_id: int | None
    message_id: int | None
    scheduled_at: datetime
    tried_at: datetime | None
    opened_at: datetime | None
    closes_at: datetime | None
    due_at: datetime | None
    problem: str | None
    topic_id: str | None

    @property
    def posted(self) -> bool:
        return self.state in POSTED


@dataclass(frozen=True, slots=True)
class DailyAnswer:
    """A row of `daily_answers`, but for the streak, which is known only once the answer counts."""

    daily_id: int
    user_id: int
    answer: str
    correct: bool
    points: int
    answered_at: datetime


def schedule(conn: Connection, guild_id: int, *, claim: bool = False) -> Schedule | None:
    """A server's schedule. With `claim` nobody else can change it before this transaction ends; None if one does."""
    query = select(daily_schedules).where(daily_schedules.c.guild_id == guild_id)
    row = conn.execute(query.with_for_update(skip_locked=True) if claim else query).first()
    return Schedule(**row._mapping) if row else None


def save_schedule(conn: Connection, schedule: Schedule) -> None:
    values = {name: getattr(schedule, name) for name in Schedule.__slots__}
    statement = insert(conn, daily_schedules).values(**values)
    conn.execute(statement.on_conflict_do_update(index_elements=["guild_id"], set_=values))


def change_schedule(conn: Connection, guild_id: int, **values: object) -> None:
    conn.execute(update(daily_schedules).where(daily_schedules.c.guild_id == guild_id).values(**values))


def due_schedules(conn: Connection, now: datetime, limit: int, shards: Shards = ALL) -> list[int]:
    """Servers whose post time has come and is for a process to decide about, longest waiting first."""
    query = (
        select(daily_schedules.c.guild_id)
        .where(daily_schedules.c.next_at <= now, ours(shards, now, **_SCHEDULES))
        .order_by(daily_schedules.c.next_at)
        .limit(limit)
    )
    return list(conn.execute(query).scalars())


def active_schedules(conn: Connection) -> list[Schedule]:
    """All that are not paused, in the order in which every process goes through them."""
    query = select(daily_schedules).where(daily_schedules.c.paused.is_(False)).order_by(daily_schedules.c.guild_id)
    rows = conn.execute(query)
    return [Schedule(**row._mapping) for row in rows]


def next_due(conn: Connection, shards: Shards = ALL) -> datetime | None:
    """The nearest post time or deadline of a daily for a process."""
    times = [nearest(conn, shards, **_SCHEDULES), nearest(conn, shards, claimed=_CLAIMED, **_DAILIES)]
    return min((at for at in times if at is not None), default=None)


def due(conn: Connection, now: datetime, limit: int, shards: Shards = ALL) -> list[tuple[int, str]]:
    """Dailies with work for a process to do as (id, state), longest waiting first."""
    takes = ours(shards, now, claimed=_CLAIMED, **_DAILIES)
    query = select(dailies.c.id, dailies.c.state).where(dailies.c.due_at <= now, takes)
    query = query.order_by(dailies.c.due_at).limit(limit)
    return [(row.id, row.state) for row in conn.execute(query)]


def wake_claimed(conn: Connection, now: datetime) -> int:
    """Make work that a process claimed and did not finish due at once; only for when no other process runs."""
    claimed = dailies.c.state.in_(["posting", "threading", "closing"])
    return conn.execute(update(dailies).where(claimed, dailies.c.due_at > now).values(due_at=now)).rowcount


def taken(conn: Connection, guild_id: int) -> set[date]:
    """Local dates about which has been decided: posted, being posted, skipped or missed."""
    return set(conn.execute(select(dailies.c.local_date).where(dailies.c.guild_id == guild_id)).scalars())


def get(conn: Connection, daily_id: int, *, lock: bool = False) -> Daily | None:
    """A daily; with `lock` no other process can change it before this transaction ends."""
    query = select(dailies).where(dailies.c.id == daily_id)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return Daily(**row._mapping) if row else None


def of_day(conn: Connection, guild_id: int, day: date) -> Daily | None:
    row = conn.execute(select(dailies).where(dailies.c.guild_id == guild_id, dailies.c.local_date == day)).first()
    return Daily(**row._mapping) if row else None


def latest(conn: Connection, guild_id: int, states: Collection[str], until: date) -> Daily | None:
    """The newest daily of a server in one of these states, up to a local date."""
    row = conn.execute(
        select(dailies)
        .where(dailies.c.guild_id == guild_id, dailies.c.state.in_(states), dailies.c.local_date <= until)
        .order_by(dailies.c.local_date.desc())
        .limit(1)
    ).first()
    return Daily(**row._mapping) if row else None


def create(conn: Connection, guild_id: int, day: date, **values: object) -> int | None:
    """Store a daily for a local date; its id, or None if that date has one already."""
    statement = insert(conn, dailies).values(guild_id=guild_id, local_date=day, **{"choice_order": "", **values})
    statement = statement.on_conflict_do_nothing(index_elements=["guild_id", "local_date"])
    return conn.execute(statement.returning(dailies.c.id)).scalar()


def change(
    conn: Connection, daily_id: int, /, *, expect: str, due_by: datetime | None = None, **values: object
) -> bool:
    """Change a daily that is still in state `expect`; False if it no longer is. `due_by` claims it, as for rounds."""
    where = [dailies.c.id == daily_id, dailies.c.state == expect]
    if due_by is not None:
        free = select(dailies.c.id).where(*where, dailies.c.due_at <= due_by).with_for_update(skip_locked=True)
        where = [dailies.c.id.in_(free)]
    return conn.execute(update(dailies).where(*where).values(**values)).rowcount == 1


def redirect(conn: Connection, guild_id: int, channel_id: int, now: datetime) -> None:
    """Send a daily that was refused in its channel to another one; not one whose post may have been made."""
    conn.execute(update(dailies).where(*_unsent(guild_id)).values(channel_id=channel_id, due_at=now))


def give_up_unsent(conn: Connection, guild_id: int) -> None:
    """Leave out a daily that was refused so far; not one whose post may have been made."""
    conn.execute(update(dailies).where(*_unsent(guild_id)).values(state="skipped", due_at=None))


def _unsent(guild_id: int) -> tuple[ColumnElement[bool], ...]:
    return dailies.c.guild_id == guild_id, dailies.c.state == "posting", dailies.c.tried_at.is_(None)


def used_items(conn: Connection, guild_id: int) -> dict[str, date]:
    """When each item was last a server's daily."""
    return _used(conn, guild_id, dailies.c.item_id)


def used_topics(conn: Connection, guild_id: int) -> dict[str, date]:
    """When each topic's open question was last a server's daily."""
    return _used(conn, guild_id, dailies.c.topic_id)


def _used(conn: Connection, guild_id: int, column: Column[str]) -> dict[str, date]:
    query = (
        select(column.label("id"), func.max(dailies.c.local_date).label("last"))
        .where(dailies.c.guild_id == guild_id, column.is_not(None))
        .group_by(column)
    )
    return {row.id: row.last for row in conn.execute(query)}


def add_answer(conn: Connection, answer: DailyAnswer) -> DailyAnswer | None:
    """Store a member's first answer; returns the earlier one, unchanged, if there is one."""
    values = {name: getattr(answer, name) for name in DailyAnswer.__slots__}
    if conn.execute(insert(conn, daily_answers).values(**values).on_conflict_do_nothing()).rowcount == 1:
        return None
    return answer_of(conn, answer.daily_id, answer.user_id)


def answer_of(conn: Connection, daily_id: int, user_id: int) -> DailyAnswer | None:
    row = conn.execute(
        select(daily_answers).where(daily_answers.c.daily_id == daily_id, daily_answers.c.user_id == user_id)
    ).first()
    return DailyAnswer(*(getattr(row, name) for name in DailyAnswer.__slots__)) if row else None


def answers_to(conn: Connection, daily_id: int) -> list[tuple[str, bool]]:
    """All answers to a daily as (stored answer, whether right)."""
    query = select(daily_answers.c.answer, daily_answers.c.correct).where(daily_answers.c.daily_id == daily_id)
    return [(row.answer, row.correct) for row in conn.execute(query)]


def streak_of(conn: Connection, guild_id: int, user_id: int, now: datetime) -> Streak:
    """A member's streak now, computed from what they answered."""
    rows = conn.execute(
        select(dailies.c.local_date, dailies.c.closes_at, daily_answers.c.user_id)
        .outerjoin(daily_answers, (daily_answers.c.daily_id == dailies.c.id) & (daily_answers.c.user_id == user_id))
        .where(dailies.c.guild_id == guild_id, dailies.c.message_id.is_not(None))
    ).all()
    return streak(
        [row.local_date for row in rows],
        {row.local_date for row in rows if row.user_id is not None},
        {row.local_date for row in rows if row.closes_at is not None and row.closes_at > now},
    )


def save_streak(conn: Connection, daily_id: int, user_id: int, value: Streak) -> None:
    """Keep with a member's answer what streak it made, so that the close shows the same however often it is edited."""
    where = daily_answers.c.daily_id == daily_id, daily_answers.c.user_id == user_id
    conn.execute(update(daily_answers).where(*where).values(streak=value.current))


def longest_streaks(conn: Connection, daily_id: int, limit: int) -> list[tuple[int, int]]:
    """The longest streaks that answers to a daily made, as (member, days)."""
    query = (
        select(daily_answers.c.user_id, daily_answers.c.streak)
        .where(daily_answers.c.daily_id == daily_id)
        .order_by(daily_answers.c.streak.desc(), daily_answers.c.user_id)
        .limit(limit)
    )
    return [(row.user_id, row.streak) for row in conn.execute(query)]
