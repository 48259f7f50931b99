"""The tables of the question of the day: schedules, dailies, written answers and streaks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Integer,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    update,
)

from bot.answers import store as answers_store
from bot.answers.sources import Source, Terms
from bot.answers.store import DAILY, Answer, answers
from bot.core import calendar, erased_answers, personal
from bot.core.jobs import Queue
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.core.personal import (
    Held,
    Personal,
    ServerData,
    erase_rows,
    exported,
    personal_rows,
    server_rows,
)
from bot.core.servers import DEFAULT_ZONE, guilds
from bot.core.tables import (
    Instant,
    OneOf,
    RowId,
    all_rows,
    constant,
    fetch_all,
    first_row,
    insert,
    insert_for,
    metadata,
    prepared,
    upsert,
    values_of,
)
from bot.daily.rules import DEFAULT_NAME, POSTED, Daily, DailyState, Schedule, points
from bot.daily.streaks import NO_NEWS, NO_STREAK, Streak, StreakNews, streak, streak_news
from bot.daily.weekdays import EVERY_DAY

daily_schedules = sa.Table(
    "daily_schedules",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # from 1 to MAX_DAILIES
    sa.Column("name", sa.String(MAX_DAILY_NAME), nullable=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.String(5), nullable=False),  # HH:MM
    # digits of the days, see `weekdays.py`
    sa.Column("weekdays", sa.String(7), nullable=False, server_default=EVERY_DAY),
    # all, a pack, a section or topics, see `bot.plan.goals`
    sa.Column("asks", sa.Text, nullable=False),
    sa.Column("kind", sa.String(6), nullable=False),
    sa.Column("answer_hours", sa.Integer, nullable=False),
    sa.Column("role_id", sa.BigInteger),
    sa.Column("thread", sa.Boolean, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("settled_until", Instant, nullable=False),  # earlier post times are decided
    sa.Column("next_at", Instant),  # the next post time; null while paused
    # consecutive failures of the next step
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.UniqueConstraint("guild_id", "number"),
    sa.Index("ix_daily_schedules_next_at", "next_at"),
    # Ids of removed schedules must not be reused, because buttons hold them.
    # https://www.sqlite.org/autoinc.html
    sqlite_autoincrement=True,
)

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
    sa.Column("due_at", Instant),  # when the next step is due; null after the last one
    # consecutive failures of the next step
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text),
    sa.Column("topic_id", sa.String(48)),  # only for an open question, which has no item
    # the number of answers that the open card shows
    sa.Column("counted", sa.Integer, nullable=False, server_default="0"),
    # the number and name that its schedule had when it was drawn
    sa.Column("number", sa.Integer, nullable=False, server_default="1"),
    sa.Column("name", sa.String(MAX_DAILY_NAME), nullable=False, server_default=DEFAULT_NAME),
    sa.UniqueConstraint("guild_id", "number", "local_date"),
    sa.Index("ix_dailies_due_at", "due_at"),
    # Ids of erased rows must not be reused, because buttons and reviews hold them.
    # https://www.sqlite.org/autoinc.html
    sqlite_autoincrement=True,
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
    sa.Column("grade", sa.Text),  # null until it is graded; see bot.interviews.assessment
    sa.Index("ix_open_answers_user_id", "user_id"),
    sqlite_with_rowid=False,
)

# A member's streak on a server through a date whose dailies, like all earlier ones, accept no more
# answers. Each answer of the member moves it on, so that no query reads the whole history.
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
)

# Dates that count as answered for a member's streak without an answer to a daily, see `credit_day`.
# A member has rows of the last weeks only.
streak_days = sa.Table(
    "streak_days",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("day", sa.Date, primary_key=True),
    sa.Index("ix_streak_days_user_id", "user_id"),
    sqlite_with_rowid=False,
)

IN_PLAY = (
    select(
        dailies.c.guild_id, dailies.c.item_id, dailies.c.topic_id, dailies.c.id.label("source_id")
    )
    .add_columns(dailies.c.closes_at.label("until"))
    .where(UNREVEALED)
)


def _export_written(conn: Connection, user_id: int) -> list[personal.Row]:
    c = open_answers.c
    query = (
        select(dailies.c.topic_id.label("topic"), dailies.c.guild_id.label("server_id"))
        .add_columns(dailies.c.local_date.label("day"), c.text, c.grade)
        .join(dailies, dailies.c.id == c.daily_id)
        .where(c.user_id == user_id)
        .order_by(c.daily_id)
    )
    rows = exported(conn, query)
    return [{**row, "grade": row["grade"] and json.loads(row["grade"])} for row in rows]


def _erase_written(conn: Connection, user_id: int, limit: int) -> int:
    return erase_rows(conn, open_answers, limit, open_answers.c.user_id == user_id)


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


def _erase_server(conn: Connection, guild_id: int, limit: int) -> int:
    few = select(dailies.c.id).where(dailies.c.guild_id == guild_id).limit(max(1, limit // 50))
    found = conn.execute(few).scalars().all()
    erased = answers_store.delete_uncounted(conn, DAILY, found)
    written = delete(open_answers).where(open_answers.c.daily_id.in_(found))
    erased += conn.execute(written).rowcount
    return erased + erase_rows(conn, dailies, len(found), dailies.c.id.in_(found))


HELD = Held(
    members=[
        Personal(
            "open_answers",
            [open_answers.c.user_id, open_answers.c.text, open_answers.c.grade],
            _export_written,
            _erase_written,
        ),
        personal_rows(
            "streaks",
            streaks.c.user_id,
            {
                "server_id": streaks.c.guild_id,
                "days": streaks.c.current,
                "longest": streaks.c.best,
                "freezes": streaks.c.freezes,
                "until": streaks.c.through,
            },
            derived=True,
        ),
        personal_rows(
            "streak_days",
            streak_days.c.user_id,
            {"server_id": streak_days.c.guild_id, "day": streak_days.c.day},
        ),
    ],
    servers=[
        *(
            server_rows(table.c.guild_id)
            for table in (daily_schedules, daily_uses, streaks, streak_days)
        ),
        ServerData([dailies, open_answers], _erase_server),
    ],
)

_SETTLED = timedelta(days=3)
"""After this time from its close, a daily surely receives no more answers, and its date no other
daily, even if the server moves to another time zone."""
_RECENT = timedelta(days=10)
"""Dates that many days ago are settled: a daily is open for up to two days, whatever the zone."""
_MOST_UNSETTLED = 10 * MAX_DAILIES
"""At most this many dailies are unsettled."""
_CREDITED = timedelta(days=20)
"""Dates that were credited longer ago are deleted; they were settled long before."""

SCHEDULES = Queue(
    daily_schedules, due_at=daily_schedules.c.next_at, guild_id=daily_schedules.c.guild_id
)
_UNSENT = UNREVEALED & (dailies.c.state == DailyState.POSTING) & dailies.c.tried_at.is_(None)
QUEUE = Queue(
    dailies,
    due_at=dailies.c.due_at,
    state=dailies.c.state,
    guild_id=dailies.c.guild_id,
    claimed=dailies.c.state.in_([DailyState.SHOWING, DailyState.THREADING, DailyState.CLOSING])
    | dailies.c.tried_at.is_not(None) & (dailies.c.state == DailyState.POSTING),
    unsent=_UNSENT,
    problem=dailies.c.problem,
)
change = QUEUE.change


@dataclass(frozen=True, slots=True)
class Written:
    """A row of `open_answers`, which is stored before it is graded."""

    daily_id: int
    user_id: int
    text: str
    grade: str | None = None


@first_row(Schedule)
def schedule(schedule_id: int, *, claim: bool = False) -> Select[Any]:
    """Return a schedule.

    With `claim` it is locked until this transaction ends; None if another transaction locked it.
    """
    query = _SCHEDULES.where(daily_schedules.c.id == schedule_id)
    return query.with_for_update(of=daily_schedules, skip_locked=True) if claim else query


@first_row(Schedule)
def schedule_of(guild_id: int, number: int) -> Select[Any]:
    """Return the schedule that has a number on a server."""
    return _SCHEDULES.where(
        daily_schedules.c.guild_id == guild_id, daily_schedules.c.number == number
    )


@all_rows(Schedule)
def schedules_of(guild_id: int) -> Select[Any]:
    """Return the schedules of a server in the order of their numbers."""
    return _SCHEDULES.where(daily_schedules.c.guild_id == guild_id).order_by(
        daily_schedules.c.number
    )


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
    dates: dict[tuple[int, int], set[date]] = defaultdict(set)
    decided = select(dailies.c.guild_id, dailies.c.number, dailies.c.local_date).where(
        dailies.c.guild_id.in_({schedule.guild_id for schedule in found}),
        dailies.c.number.in_(range(1, MAX_DAILIES + 1)),  # so that the index finds the dates
        dailies.c.local_date >= since,
    )
    for guild_id, number, day in conn.execute(decided):
        dates[guild_id, number].add(day)
    return [(schedule, dates[schedule.guild_id, schedule.number]) for schedule in found]


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
