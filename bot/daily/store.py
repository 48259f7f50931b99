"""The tables of dailies: the dailies, what was asked before, and written answers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Select,
    Update,
    bindparam,
    literal_column,
    select,
    update,
)

from bot.answers import store as answers_store
from bot.answers.sources import Source, Terms
from bot.answers.store import DAILY
from bot.core import erased_answers
from bot.core.jobs import Queue, queue_columns
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.core.personal import JSON
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    first_row,
    insert_for,
    metadata,
    prepared,
    upsert,
    values_of,
)
from bot.daily.rules import DEFAULT_NAME, POSTED, REMOVED, Daily, DailyState, Schedule, points

# One row for each schedule's number and decided local date. `state`:
#   posting    to be posted, retried for six hours
#   showing    announced in plain words to a role; the message is to become the card
#   threading  posted; its thread is to be opened
#   open       members answer; due to update the count on the card, and at the close
#   closing    the card is to show the right answer
#   closed
#   skipped    skipped by a manager
#   missed     could not be posted in time; `problem` says why
dailies = sa.Table(
    "dailies",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("local_date", sa.Date, nullable=False),
    sa.Column("state", OneOf(DailyState, 10), nullable=False),
    sa.Column("item_id", sa.String(48)),
    sa.Column("choice_order", sa.String(6), nullable=False),
    sa.Column("channel_id", sa.BigInteger),
    sa.Column("message_id", sa.BigInteger),
    sa.Column("role_id", sa.BigInteger),  # the role to ping
    sa.Column("thread_id", sa.BigInteger),  # the discussion thread, once opened
    sa.Column("scheduled_at", Instant, nullable=False),
    sa.Column("tried_at", Instant),  # first try to post whose outcome is unknown
    sa.Column("opened_at", Instant),
    sa.Column("closes_at", Instant),
    *queue_columns(),
    sa.Column("problem", sa.Text),
    sa.Column("topic_id", sa.String(48)),  # only for an open question, which has no item
    # the number of answers that the open card shows
    sa.Column("counted", sa.Integer, nullable=False, server_default="0"),
    # the number and name that its schedule had when it was drawn
    sa.Column("number", sa.Integer, nullable=False, server_default="1"),
    sa.Column("name", sa.String(MAX_DAILY_NAME), nullable=False, server_default=DEFAULT_NAME),
    sa.UniqueConstraint("guild_id", "number", "local_date"),
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
sa.Index(
    "ix_dailies_on_card",
    dailies.c.guild_id,
    dailies.c.local_date,
    sqlite_where=ON_CARD,
)

# When an item was last one of a server's dailies. For an open question, `item_id` is its topic's id.
daily_uses = sa.Table(
    "daily_uses",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("item_id", sa.String(48), primary_key=True),
    sa.Column("last_on", sa.Date, nullable=False),
)

# Texts of answers to open dailies. The log has the rest of each answer.
open_answers = sa.Table(
    "open_answers",
    metadata,
    sa.Column("daily_id", sa.ForeignKey("dailies.id"), primary_key=True),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("grade", sa.Text, info=JSON),  # of an `Assessment`; null until it is graded
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
            erased_answers.add_hash(conn, DAILY, daily_id, guild_id=daily.guild_id, user_id=user_id)
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


_UNSENT = UNREVEALED & (dailies.c.state == DailyState.POSTING) & dailies.c.tried_at.is_(None)
QUEUE = Queue(dailies, state=dailies.c.state, problem=dailies.c.problem)
change = QUEUE.change


class Written(Struct, frozen=True):
    """A row of `open_answers`, which is stored before it is graded."""

    daily_id: int
    user_id: int
    text: str
    grade: str | None = None


def taken(conn: Connection, guild_id: int, number: int, since: date) -> set[date]:
    """Return the local dates from `since` that have a daily of this number, whatever its state."""
    return set(_dates_since(conn, guild_id, number, since).scalars())


@prepared
def _dates_since(guild_id: int, number: int, since: date) -> Select[Any]:
    return select(dailies.c.local_date).where(
        dailies.c.guild_id == guild_id,
        dailies.c.number == number,
        dailies.c.local_date >= since,
    )


@first_row(Daily)
def get(daily_id: int, *, lock: bool = False) -> Select[Any]:
    """Return a daily, with `lock` locked until this transaction ends."""
    query = select(dailies).where(dailies.c.id == daily_id)
    return query.with_for_update() if lock else query


@first_row(Daily)
def of_day(guild_id: int, number: int, day: date) -> Select[Any]:
    return select(dailies).where(
        dailies.c.guild_id == guild_id, dailies.c.number == number, dailies.c.local_date == day
    )


def latest_posted(conn: Connection, guild_id: int) -> Daily | None:
    """Return the daily of a server that was posted last."""
    found = _of_last_date(conn, guild_id)
    return max(found, key=lambda daily: (daily.message_id or 0, daily.id), default=None)


@all_rows(Daily)
def _of_last_date(guild_id: int) -> Select[Any]:
    query = select(dailies).where(dailies.c.guild_id == guild_id, ON_CARD)
    return query.order_by(dailies.c.local_date.desc()).limit(MAX_DAILIES)


def open_now(conn: Connection, guild_id: int, now: datetime) -> list[Daily]:
    """Return the dailies of a server that can be answered, by the minute of their close."""

    def place(daily: Daily) -> tuple[datetime, int]:
        assert daily.closes_at is not None
        return daily.closes_at.replace(second=0, microsecond=0), daily.number

    return sorted(_open(conn, guild_id, now), key=place)


@all_rows(Daily)
def _open(guild_id: int, now: datetime) -> Select[Any]:
    return select(dailies).where(
        dailies.c.guild_id == guild_id, UNREVEALED, ON_CARD, dailies.c.closes_at > now
    )


def asked_now(conn: Connection, guild_id: int) -> set[str]:
    """Return the ids of the items and topics that dailies of a server ask or are about to ask."""
    return {row.item_id or row.topic_id for row in _asked(conn, guild_id)}


@prepared
def _asked(guild_id: int) -> Select[Any]:
    return select(dailies.c.item_id, dailies.c.topic_id).where(
        dailies.c.guild_id == guild_id, UNREVEALED
    )


@first_row(Daily)
def latest_tried(guild_id: int, number: int) -> Select[Any]:
    """Return the newest daily of a number that was posted or missed."""
    tried = dailies.c.state.in_([*POSTED, DailyState.MISSED])
    query = select(dailies).where(dailies.c.guild_id == guild_id, dailies.c.number == number, tried)
    return query.order_by(dailies.c.local_date.desc()).limit(1)


def posting(conn: Connection, guild_id: int, number: int) -> Daily | None:
    """Return the newest daily of a number that is to be posted."""
    # Sorted here, because SQLite would read all dailies in the order of their dates.
    return max(_to_post(conn, guild_id, number), key=lambda daily: daily.local_date, default=None)


def _has_number(number: Any) -> ColumnElement[bool]:
    """Return a condition for queries of unrevealed dailies.

    It can't use the index of all dates, which SQLite would prefer to that of unrevealed dailies.
    https://www.sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_
    """
    return (dailies.c.number + literal_column("0", Integer)).bool_op("=")(number)


@all_rows(Daily)
def _to_post(guild_id: int, number: int) -> Select[Any]:
    return select(dailies).where(
        dailies.c.guild_id == guild_id,
        UNREVEALED,
        dailies.c.state == DailyState.POSTING,
        _has_number(number),
    )


def create(conn: Connection, guild_id: int, day: date, **values: object) -> int | None:
    """Store a daily and return its id; None if its number has one on that date already."""
    usual = {"number": 1, "name": DEFAULT_NAME, "choice_order": ""}
    columns = {**usual, "guild_id": guild_id, "local_date": day, **values}
    return conn.execute(_creating(conn.dialect.name), columns).scalar()


@cache
def _creating(dialect: str) -> Executable:
    unless = insert_for(dialect, dailies).on_conflict_do_nothing(
        index_elements=["guild_id", "number", "local_date"]
    )
    return unless.returning(dailies.c.id)


def redirect(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Move a refused daily to the schedule's channel and role, and make it due now."""
    values = {"channel_id": schedule.channel_id, "role_id": schedule.role_id, "due_at": now}
    conn.execute(_unsent_of(schedule).values(**values))


def mark_removed(conn: Connection, schedule: Schedule) -> None:
    """Mark the last daily with a new schedule's number as one of a removed schedule."""
    last = latest_tried(conn, schedule.guild_id, schedule.number)
    if last is not None:
        conn.execute(update(dailies).where(dailies.c.id == last.id).values(problem=REMOVED))


def give_up_unsent(conn: Connection, schedule: Schedule) -> None:
    """Skip a refused daily of a schedule."""
    conn.execute(_unsent_of(schedule).values(state=DailyState.SKIPPED, due_at=None))


def _unsent_of(schedule: Schedule) -> Update:
    return update(dailies).where(
        dailies.c.guild_id == schedule.guild_id, _has_number(schedule.number), _UNSENT
    )


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


def had_answer_erased(conn: Connection, daily_id: int, user_id: int) -> bool:
    """Return whether a member's answer to a daily was erased before its close."""
    return erased_answers.has_hash_of(conn, DAILY, daily_id, user_id)


def has_erased_answers(conn: Connection, daily_id: int) -> bool:
    """Return whether any answer to a daily was erased before its close."""
    return erased_answers.has_hashes(conn, DAILY, daily_id)


def close_daily(
    conn: Connection, daily_id: int, *, expect: DailyState, problem: str | None
) -> None:
    """Close a daily, and delete the hashes of members whose answers to it were erased."""
    if change(conn, daily_id, expect=expect, state=DailyState.CLOSED, due_at=None, problem=problem):
        erased_answers.delete_hashes(conn, DAILY, daily_id)


def add_written(conn: Connection, written: Written) -> None:
    """Store what a member wrote; the log has the answer already."""
    conn.execute(open_answers.insert(), values_of(written))


@first_row(Written)
def written_by(daily_id: int, user_id: int) -> Select[Any]:
    """Return what a member wrote to an open daily."""
    return select(open_answers).where(
        open_answers.c.daily_id == daily_id, open_answers.c.user_id == user_id
    )


def ungraded(conn: Connection, daily_id: int) -> list[int]:
    """Return the members whose answers to an open daily have no grade yet."""
    return list(_ungraded(conn, daily_id).scalars())


@prepared
def _ungraded(daily_id: int) -> Select[Any]:
    c = open_answers.c
    return select(c.user_id).where(c.daily_id == daily_id, c.grade.is_(None))


def graded(conn: Connection, daily_id: int) -> dict[int, str]:
    """Return the grades of the answers to an open daily, by member."""
    c = open_answers.c
    query = select(c.user_id, c.grade).where(c.daily_id == daily_id, c.grade.is_not(None))
    return {row.user_id: row.grade for row in conn.execute(query)}


def save_grade(conn: Connection, written: Written, grade: str) -> bool:
    """Store the first grade of a text; False if it was erased or has a grade."""
    given = {
        "daily": written.daily_id,
        "member": written.user_id,
        "written": written.text,
        "grade": grade,
    }
    return conn.execute(_SAVE_FIRST_GRADE, given).rowcount == 1


def change_grade(conn: Connection, daily_id: int, user_id: int, grade: str) -> bool:
    """Replace a grade; False if the answer was erased."""
    given = {"daily": daily_id, "member": user_id, "grade": grade}
    return conn.execute(_CHANGE_GRADE, given).rowcount == 1


_CHANGE_GRADE = update(open_answers).where(
    open_answers.c.daily_id == bindparam("daily"), open_answers.c.user_id == bindparam("member")
)
_SAVE_FIRST_GRADE = _CHANGE_GRADE.where(
    open_answers.c.text == bindparam("written"), open_answers.c.grade.is_(None)
)
