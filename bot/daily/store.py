"""The tables of dailies: the dailies, what was asked before, and written answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Executable, Select, Update, select, update

from bot.answers import store as answers_store
from bot.answers.sources import Source, Terms
from bot.answers.store import DAILY
from bot.core import member_hashes
from bot.core.calendar import local_date
from bot.core.jobs import Queue, queue_columns, was_refused
from bot.core.limits import MAX_DAILY_NAME, MAX_PIECES
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    all_values,
    constant,
    first_row,
    insert_for,
    metadata,
    prepared,
    upsert,
)
from bot.daily.model import POSTED, Daily, DailyState, Schedule
from bot.daily.rules import GENTLE_DAILIES, points
from bot.members.model import Dates

# One row for each decided local date of a schedule; see `DailyState` for the states.
dailies = sa.Table(
    "dailies",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("schedule_id", sa.BigInteger, nullable=False),  # it may have been removed since
    sa.Column("local_date", sa.Date, nullable=False),
    sa.Column("state", OneOf(DailyState, 10), nullable=False),
    sa.Column("name", sa.String(MAX_DAILY_NAME), nullable=False),  # its schedule's at that time
    sa.Column("item_id", sa.String(48)),
    sa.Column("topic_id", sa.String(48)),  # only for an open question, which has no item
    sa.Column("choice_order", sa.String(MAX_PIECES), nullable=False),
    sa.Column("answer_hours", sa.Integer, nullable=False),
    sa.Column("thread", sa.Boolean, nullable=False),  # whether a discussion thread is wanted
    sa.Column("channel_id", sa.BigInteger),
    sa.Column("role_id", sa.BigInteger),  # the role to ping
    sa.Column("message_id", sa.BigInteger),
    sa.Column("thread_id", sa.BigInteger),  # the discussion thread, once opened
    sa.Column("scheduled_at", Instant, nullable=False),
    sa.Column("tried_at", Instant),  # first try to post whose outcome is unknown
    sa.Column("opened_at", Instant),
    sa.Column("closes_at", Instant),
    *queue_columns(),
    # the number of answers that the open card shows
    sa.Column("counted", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text),
    # whether it was drawn from the topic of the week
    sa.Column("of_week", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("schedule_id", "local_date"),
    sa.Index("ix_dailies_guild_id", "guild_id", "local_date"),
    # Ids of erased rows must not be reused, because buttons and reviews hold them.
    # https://www.sqlite.org/autoinc.html
    sqlite_autoincrement=True,
    info=answers_store.erased_with_questions(DAILY),
)
UNREVEALED = dailies.c.state.in_([constant(state) for state in DailyState if state.hides_answer])
sa.Index(
    "ix_dailies_unrevealed",
    dailies.c.guild_id,
    sqlite_where=UNREVEALED,
)
sa.Index("ix_dailies_in_play", dailies.c.item_id, sqlite_where=UNREVEALED)
ON_CARD = dailies.c.message_id.is_not(None)

# When an item was last one of a server's dailies. For an open question, `item_id` is its topic's id.
daily_uses = sa.Table(
    "daily_uses",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.String(48), primary_key=True),
    sa.Column("last_on", sa.Date, nullable=False),
)

# Texts of answers to open dailies. The log has the rest of each answer, and the ticked points.
open_answers = sa.Table(
    "open_answers",
    metadata,
    sa.Column("daily_id", sa.ForeignKey("dailies.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("ix_open_answers_user_id", "user_id"),
    sqlite_with_rowid=False,
)

IN_PLAY = (
    select(
        dailies.c.guild_id, dailies.c.item_id, dailies.c.topic_id, dailies.c.id.label("source_id")
    )
    .add_columns(dailies.c.closes_at.label("until"))
    .where(UNREVEALED)
)


def _lock_running(conn: Connection, user_id: int, daily_ids: Collection[int]) -> set[int]:
    """Return those of a member's dailies that are not closed, and lock them.

    Stores a hash for each, so that the member can't answer it again after the erasure.
    """
    running = set()
    for daily_id in sorted(daily_ids):
        daily = get(conn, daily_id, lock=True)  # so that it can't close now
        if daily is not None and daily.state is not DailyState.CLOSED:
            member_hashes.add_hash(conn, DAILY, daily_id, guild_id=daily.guild_id, user_id=user_id)
            running.add(daily_id)
    return running


SOURCE = Source(
    name=DAILY,
    terms=lambda _conn, _daily_id: Terms(),
    points=lambda right, _elapsed_ms, _limit_ms: points(right),
    slow_after=lambda _item, _seconds: None,
    lock_running=_lock_running,
    pays_always=True,
)


_POSTING = UNREVEALED & (dailies.c.state == DailyState.POSTING)
_REFUSED = _POSTING & was_refused(dailies)
QUEUE = Queue(dailies, state=dailies.c.state, problem=dailies.c.problem)
change = QUEUE.change


def taken(conn: Connection, schedule_id: int, since: date) -> set[date]:
    """Return the local dates from `since` that have a daily of a schedule, whatever its state."""
    return set(_dates_since(conn, schedule_id, since).scalars())


@prepared
def _dates_since(schedule_id: int, since: date) -> Select[Any]:
    c = dailies.c
    return select(c.local_date).where(c.schedule_id == schedule_id, c.local_date >= since)


@first_row(Daily)
def get(daily_id: int, *, lock: bool = False) -> Select[Any]:
    """Return a daily, with `lock` locked until this transaction ends."""
    query = select(dailies).where(dailies.c.id == daily_id)
    return query.with_for_update() if lock else query


@first_row(Daily)
def of_day(schedule_id: int, day: date) -> Select[Any]:
    return select(dailies).where(dailies.c.schedule_id == schedule_id, dailies.c.local_date == day)


def open_now(conn: Connection, guild_id: int, now: datetime) -> list[Daily]:
    """Return the dailies of a server that can be answered, by the minute of their close."""

    def place(daily: Daily) -> tuple[datetime, int]:
        assert daily.closes_at is not None
        return daily.closes_at.replace(second=0, microsecond=0), daily.schedule_id

    found = unrevealed(conn, guild_id)
    return sorted(
        (d for d in found if d.message_id and d.closes_at and d.closes_at > now), key=place
    )


@all_rows(Daily)
def unrevealed(guild_id: int) -> Select[Any]:
    """Return the dailies of a server that are asked, or about to be."""
    return select(dailies).where(dailies.c.guild_id == guild_id, UNREVEALED)


@all_values
def first_posted(guild_id: int) -> Select[int]:
    """Return the ids of dailies of a server that were posted with an item, at most a few."""
    here = dailies.c.guild_id == guild_id, ON_CARD, dailies.c.item_id.is_not(None)
    return select(dailies.c.id).where(*here).limit(GENTLE_DAILIES)


@all_values
def posted_between(guild_id: int, first: date, last: date) -> Select[int]:
    """Return the ids of a server's dailies that were posted for local dates in a period."""
    here = dailies.c.guild_id == guild_id, ON_CARD, dailies.c.local_date.between(first, last)
    return select(dailies.c.id).where(*here)


def asked_on(conn: Connection, dates: Dates) -> set[date]:
    """Return the dates of a member that had dailies, if all of these are closed now.

    A date with a daily that they answered asks nothing more of them, though the answer may have
    counted for another date, by a zone that has changed since.
    """
    day = timedelta(days=1)  # a server's date may differ by one
    rows = _opened(conn, dates.user_id, dates.servers.keys(), dates.first - day, dates.last + day)
    days = [
        (local_date(dates.zone, row.opened_at), row.answered or row.closes_at > dates.now)
        for row in rows
        if row.opened_at > dates.servers[row.guild_id]
    ]
    return {day for day, _ in days} - {day for day, is_over in days if is_over}


@prepared
def _opened(user_id: int, guild_ids: Collection[int], first: date, last: date) -> Select[Any]:
    c, given = dailies.c, answers_store.answers.c
    own = given.source == DAILY, given.question_id == c.id, given.user_id == user_id
    answered = select(given.user_id).where(*own).exists().label("answered")
    query = select(c.guild_id, c.opened_at, c.closes_at, answered)
    query = query.where(c.guild_id.in_(guild_ids), ON_CARD)
    return query.where(c.local_date.between(first, last), c.closes_at.is_not(None))


@first_row(Daily)
def latest_tried(schedule_id: int) -> Select[Any]:
    """Return the newest daily of a schedule that was posted or missed."""
    tried = dailies.c.state.in_([*POSTED, DailyState.MISSED])
    query = select(dailies).where(dailies.c.schedule_id == schedule_id, tried)
    return query.order_by(dailies.c.local_date.desc()).limit(1)


def create(conn: Connection, schedule: Schedule, day: date, **values: object) -> int | None:
    """Store a daily and return its id; None if its schedule has one on that date already."""
    columns = {
        "guild_id": schedule.guild_id,
        "schedule_id": schedule.id,
        "local_date": day,
        "name": schedule.name,
        "choice_order": "",
        "answer_hours": schedule.answer_hours,
        "thread": schedule.thread,
        **values,
    }
    return conn.execute(_creating(conn.dialect.name), columns).scalar()


@cache
def _creating(dialect: str) -> Executable:
    unless = insert_for(dialect, dailies).on_conflict_do_nothing(
        index_elements=["schedule_id", "local_date"]
    )
    return unless.returning(dailies.c.id)


def redirect(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Move a refused daily to the schedule's channel and role, and make it due now."""
    values = {"channel_id": schedule.channel_id, "role_id": schedule.role_id, "due_at": now}
    conn.execute(_posting_of(schedule).where(_REFUSED).values(**values))


def wake_refused(conn: Connection, guild_id: int, now: datetime) -> bool:
    """Make a server's refused posts due now; return whether one was waiting."""
    waiting = update(dailies).where(
        dailies.c.guild_id == guild_id, _REFUSED, dailies.c.due_at > now
    )
    return conn.execute(waiting.values(due_at=now)).rowcount > 0


def give_up_unsent(conn: Connection, schedule: Schedule) -> None:
    """Skip a daily of a schedule that was surely not posted; others are looked for once more."""
    unsent = _posting_of(schedule).where(dailies.c.tried_at.is_(None))
    conn.execute(unsent.values(state=DailyState.SKIPPED, due_at=None))


def _posting_of(schedule: Schedule) -> Update:
    of_schedule = dailies.c.schedule_id == schedule.id
    return update(dailies).where(dailies.c.guild_id == schedule.guild_id, of_schedule, _POSTING)


def note_used(conn: Connection, guild_id: int, item_id: str, day: date) -> None:
    """Store that an item, or a topic's open question, is a server's daily on a date."""
    upsert(conn, daily_uses, guild_id=guild_id, item_id=item_id, last_on=day)


def used(conn: Connection, guild_id: int) -> dict[str, date]:
    """Return the last date of each item or topic as a server's daily, by id."""
    return {row.item_id: row.last_on for row in _used(conn, guild_id)}


@prepared
def _used(guild_id: int) -> Select[Any]:
    return select(daily_uses.c.item_id, daily_uses.c.last_on).where(
        daily_uses.c.guild_id == guild_id
    )


def add_text(conn: Connection, daily_id: int, user_id: int, text: str) -> None:
    """Store what a member wrote; the log has the answer already."""
    row = {"daily_id": daily_id, "user_id": user_id, "text": text}
    conn.execute(open_answers.insert(), row)


def text_of(conn: Connection, daily_id: int, user_id: int) -> str | None:
    """Return what a member wrote to an open daily."""
    return _text_of(conn, daily_id, user_id).scalar()


@prepared
def _text_of(daily_id: int, user_id: int) -> Select[Any]:
    c = open_answers.c
    return select(c.text).where(c.daily_id == daily_id, c.user_id == user_id)
