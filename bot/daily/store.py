"""The tables of the question of the day: schedules, dailies, written answers and streaks."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import takewhile
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    Connection,
    Executable,
    Row,
    Select,
    bindparam,
    delete,
    func,
    select,
    update,
)

from bot.answers import store as answers_store
from bot.answers.sources import Source, Terms
from bot.answers.store import DAILY, Answer, answers
from bot.core import erased_answers, personal
from bot.core.jobs import Queue
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
    constant,
    fetch_all,
    first_row,
    insert_for,
    metadata,
    prepared,
    upsert,
    values_of,
)
from bot.daily.rules import POSTED, Daily, DailyState, Schedule, points
from bot.daily.streaks import NO_NEWS, NO_STREAK, Streak, StreakNews, streak, streak_news
from bot.daily.weekdays import EVERY_DAY

daily_schedules = sa.Table(
    "daily_schedules",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("channel_id", sa.BigInteger, nullable=False),
    sa.Column("at", sa.String(5), nullable=False),  # HH:MM
    # digits of the days, see `weekdays.py`
    sa.Column("weekdays", sa.String(7), nullable=False, server_default=EVERY_DAY),
    sa.Column("topic_id", sa.String(48)),
    sa.Column("kind", sa.String(6), nullable=False),
    sa.Column("answer_hours", sa.Integer, nullable=False),
    sa.Column("role_id", sa.BigInteger),
    sa.Column("thread", sa.Boolean, nullable=False),
    sa.Column("paused", sa.Boolean, nullable=False),
    sa.Column("settled_until", Instant, nullable=False),  # earlier post times are decided
    sa.Column("next_at", Instant),  # the next post time; null while paused
    # consecutive failures of the next step
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_daily_schedules_next_at", "next_at"),
)

# One row for each server and decided local date. `state`:
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
    sa.UniqueConstraint("guild_id", "local_date"),
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

# When an item was last a server's daily. For an open question, `item_id` is its topic's id.
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

# A member's streak on a server through a date whose daily, like all earlier ones, accepts no more
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

# Dates that count for a member's streak without an answer, because they did something else then.
credited_days = sa.Table(
    "credited_days",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("local_date", sa.Date, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Index("ix_credited_days_user_id", "user_id"),
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
            "credited_days",
            credited_days.c.user_id,
            {"server_id": credited_days.c.guild_id, "day": credited_days.c.local_date},
        ),
    ],
    servers=[
        *(
            server_rows(table.c.guild_id)
            for table in (daily_schedules, daily_uses, streaks, credited_days)
        ),
        ServerData([dailies, open_answers], _erase_server),
    ],
)

_SETTLED = timedelta(days=2)
"""After this time from its close, a daily surely receives no more answers."""
_UNSETTLED = 10
"""At most this many dailies are unsettled: each has its own date and is open for up to two days."""

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
def schedule(guild_id: int, *, claim: bool = False) -> Select[Any]:
    """Return a server's schedule.

    With `claim` it is locked until this transaction ends; None if another transaction locked it.
    """
    query = _SCHEDULES.where(daily_schedules.c.guild_id == guild_id)
    return query.with_for_update(of=daily_schedules, skip_locked=True) if claim else query


_SCHEDULES = (
    select(daily_schedules, func.coalesce(guilds.c.zone, DEFAULT_ZONE).label("zone"))
    .select_from(daily_schedules)
    .outerjoin(guilds, guilds.c.guild_id == daily_schedules.c.guild_id)
)


def save_schedule(conn: Connection, schedule: Schedule) -> None:
    """Store a schedule without its zone, which `servers.set_zone` stores."""
    values = values_of(schedule)
    del values["zone"]
    upsert(conn, daily_schedules, **values)


def change_schedule(conn: Connection, guild_id: int, /, **values: object) -> None:
    conn.execute(_CHANGE_SCHEDULE, {"server": guild_id, **values})


_CHANGE_SCHEDULE = update(daily_schedules).where(daily_schedules.c.guild_id == bindparam("server"))


def active_schedules(
    conn: Connection, since: date, *, after: int, limit: int
) -> list[tuple[Schedule, set[date]]]:
    """Return up to `limit` schedules that are not paused, each with its decided dates from `since`.

    They are ordered by server id and start above `after`. All processes lock rows in this order.
    """
    query = _SCHEDULES.where(
        daily_schedules.c.guild_id > after, daily_schedules.c.paused.is_(False)
    )
    found = fetch_all(conn, query.order_by(daily_schedules.c.guild_id).limit(limit), Schedule)
    dates: dict[int, set[date]] = {schedule.guild_id: set() for schedule in found}
    decided = select(dailies.c.guild_id, dailies.c.local_date)
    for guild_id, day in conn.execute(
        decided.where(dailies.c.guild_id.in_(dates), dailies.c.local_date >= since)
    ):
        dates[guild_id].add(day)
    return [(schedule, dates[schedule.guild_id]) for schedule in found]


def taken(conn: Connection, guild_id: int, since: date) -> set[date]:
    """Return the local dates from `since` that have a daily, whatever its state."""
    return set(_dates_since(conn, guild_id, since).scalars())


@prepared
def _dates_since(guild_id: int, since: date) -> Select[Any]:
    return select(dailies.c.local_date).where(
        dailies.c.guild_id == guild_id, dailies.c.local_date >= since
    )


@first_row(Daily)
def get(daily_id: int, *, lock: bool = False) -> Select[Any]:
    """Return a daily, with `lock` locked until this transaction ends."""
    query = select(dailies).where(dailies.c.id == daily_id)
    return query.with_for_update() if lock else query


@first_row(Daily)
def of_day(guild_id: int, day: date) -> Select[Any]:
    return select(dailies).where(dailies.c.guild_id == guild_id, dailies.c.local_date == day)


@first_row(Daily)
def latest_posted(guild_id: int) -> Select[Any]:
    """Return a server's newest daily that has a message."""
    query = select(dailies).where(dailies.c.guild_id == guild_id, ON_CARD)
    return query.order_by(dailies.c.local_date.desc()).limit(1)


@first_row(Daily)
def latest_tried(guild_id: int) -> Select[Any]:
    """Return a server's newest daily that was posted or missed."""
    tried = dailies.c.state.in_([*POSTED, DailyState.MISSED])
    query = select(dailies).where(dailies.c.guild_id == guild_id, tried)
    return query.order_by(dailies.c.local_date.desc()).limit(1)


def posting(conn: Connection, guild_id: int) -> Daily | None:
    """Return a server's newest daily that is to be posted."""
    query = select(dailies).where(
        dailies.c.guild_id == guild_id, UNREVEALED, dailies.c.state == DailyState.POSTING
    )
    # Sorted here, because SQLite would read all dailies in the order of their dates.
    found = fetch_all(conn, query, Daily)
    return max(found, key=lambda daily: daily.local_date, default=None)


def create(conn: Connection, guild_id: int, day: date, **values: object) -> int | None:
    """Store a daily and return its id; None if its date has one already."""
    columns = {"guild_id": guild_id, "local_date": day, "choice_order": "", **values}
    return conn.execute(_creating(conn.dialect.name), columns).scalar()


@cache
def _creating(dialect: str) -> Executable:
    unless = insert_for(dialect, dailies).on_conflict_do_nothing(
        index_elements=["guild_id", "local_date"]
    )
    return unless.returning(dailies.c.id)


def redirect(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Move a refused daily to the schedule's channel and role, and make it due now."""
    values = {"channel_id": schedule.channel_id, "role_id": schedule.role_id, "due_at": now}
    conn.execute(
        update(dailies).where(dailies.c.guild_id == schedule.guild_id, _UNSENT).values(**values)
    )


def give_up_unsent(conn: Connection, guild_id: int) -> None:
    """Skip a refused daily."""
    conn.execute(
        update(dailies)
        .where(dailies.c.guild_id == guild_id, _UNSENT)
        .values(state=DailyState.SKIPPED, due_at=None)
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
    known, rows = _unsettled(conn, guild_id, user_id)
    return _streak(known, rows, now)


def credit_day(conn: Connection, guild_id: int, user_id: int, day: date) -> None:
    """Count a date as answered for a member's streak, if it has a daily; harmless to repeat."""
    at = datetime.combine(day, time(12), UTC)
    upsert(conn, credited_days, guild_id=guild_id, user_id=user_id, local_date=day, at=at)


def count_streak(conn: Connection, guild_id: int, answer: Answer) -> tuple[Streak, StreakNews]:
    """Count a stored answer for the member's streak, and return the streak and what changed.

    The streak is stored with the answer, for the closed card. The row in `streaks` moves on to the
    last settled daily.
    """
    at = answer.answered_at
    user_id = answer.user_id
    known, rows = _unsettled(conn, guild_id, user_id)
    settled = list(
        takewhile(lambda row: row.closes_at is not None and row.closes_at <= at - _SETTLED, rows)
    )
    if settled or known is None:
        through = settled[-1].local_date if settled else rows[0].local_date - timedelta(days=1)
        values = values_of(_streak(known, settled, at))
        upsert(conn, streaks, guild_id=guild_id, user_id=user_id, through=through, **values)
    reached = _streak(known, rows, at)
    answers_store.change(conn, DAILY, answer.question_id, user_id, streak=reached.current)
    return reached, _news(known, rows, answer)


def _streak(known: Streak | None, rows: Sequence[Row[Any]], now: datetime) -> Streak:
    return streak(*_dates(rows, now), known or NO_STREAK)


def _news(known: Streak | None, rows: Sequence[Row[Any]], answer: Answer) -> StreakNews:
    now = next((row.local_date for row in rows if row.id == answer.question_id), None)
    if now is None:
        return NO_NEWS
    previous = max(
        (row.answered_at for row in rows if row.answered_at and row.id != answer.question_id),
        default=None,
    )
    untold = {
        row.local_date
        for row in rows
        if previous is None or row.closes_at is None or row.closes_at > previous
    }
    return streak_news(
        *_dates(rows, answer.answered_at), known or NO_STREAK, now=now, untold=untold
    )


def _dates(rows: Sequence[Row[Any]], now: datetime) -> tuple[list[date], set[date], set[date]]:
    """Return the dates with a daily, the answered ones, and those that can still be answered."""
    return (
        [row.local_date for row in rows],
        {row.local_date for row in rows if row.answered_at is not None},
        {row.local_date for row in rows if row.closes_at is not None and row.closes_at > now},
    )


def _unsettled(
    conn: Connection, guild_id: int, user_id: int
) -> tuple[Streak | None, list[Row[Any]]]:
    """Return a member's settled streak, and the server's dailies since, oldest first.

    After a long absence these are only the first and the last ones. Those between were missed,
    because each answer settles earlier dailies, and the first ones use up all freezes.
    """
    settled = _settled(conn, guild_id, user_id).first()
    newest = _newest(conn, guild_id, user_id).all()
    if settled is None:
        return None, [*reversed(newest)]
    rows = {row.local_date: row for row in newest if row.local_date > settled.through}
    if len(rows) == _UNSETTLED:
        first = _first_after(conn, guild_id, user_id, settled.through)
        rows |= {row.local_date: row for row in first}
    streak = Streak(settled.current, settled.best, settled.freezes, settled.unbroken)
    return streak, [row for _, row in sorted(rows.items())]


@prepared
def _settled(guild_id: int, user_id: int) -> Select[Any]:
    return select(streaks).where(streaks.c.guild_id == guild_id, streaks.c.user_id == user_id)


@prepared
def _newest(guild_id: int, user_id: int) -> Select[Any]:
    return _some_dailies(guild_id, user_id).order_by(dailies.c.local_date.desc())


@prepared
def _first_after(guild_id: int, user_id: int, through: date) -> Select[Any]:
    return (
        _some_dailies(guild_id, user_id)
        .where(dailies.c.local_date > through)
        .order_by(dailies.c.local_date)
    )


def _some_dailies(guild_id: int, user_id: int) -> Select[Any]:
    own = (
        (answers.c.source == constant(DAILY))
        & (answers.c.question_id == dailies.c.id)
        & (answers.c.user_id == user_id)
    )
    credited = (
        (credited_days.c.guild_id == guild_id)
        & (credited_days.c.user_id == user_id)
        & (credited_days.c.local_date == dailies.c.local_date)
    )
    counted_at = func.coalesce(answers.c.answered_at, credited_days.c.at).label("answered_at")
    return (
        select(dailies.c.id, dailies.c.local_date, dailies.c.closes_at, counted_at)
        .select_from(dailies)
        .outerjoin(answers, own)
        .outerjoin(credited_days, credited)
        .where(dailies.c.guild_id == guild_id, ON_CARD)
        .limit(_UNSETTLED)
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
