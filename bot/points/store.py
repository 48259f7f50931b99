"""The points ledger and its sums by period. The boards that are read from them are `bot.boards.store`'s."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from bot.core.personal import (
    Personal,
    Row,
    erase_rows,
    exported,
    register,
    register_of_servers,
    register_rows,
)
from bot.core.tables import (
    Instant,
    constant,
    fetch,
    fetch_all,
    insert_for,
    metadata,
    prepared,
    values_of,
)
from bot.points import rules
from bot.points.rules import Tally, bucket
from bot.questions.store import register_answers

# Every answer that counts, once, with the points that it won on the boards: the source's key is the question's or the
# daily's id.
ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("source", sa.String(9), primary_key=True),  # round, daily, challenge
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Column("topic_id", sa.String(48), nullable=False),
    sa.Column("item_id", sa.String(48), nullable=False),  # '' for an open question
    sa.Column("points", sa.Integer, nullable=False),
    sa.Column("correct", sa.Boolean, nullable=False),
    sa.Column("local_date", sa.Date, nullable=False),  # in the server's zone, as it was then
    sa.Column("at", Instant, nullable=False),
    sa.Column("team_id", sa.BigInteger),  # the role for which the member played then; null: none
    sa.Index("ix_ledger_member_item", "user_id", "guild_id", "item_id", "at"),
    sa.Index("ix_ledger_days", "guild_id", "local_date", "item_id", "correct"),
)


def _of_board() -> list[sa.Column[Any]]:
    """The columns that say to which board a row belongs; they begin its key."""
    return [
        sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("period", sa.String(5), primary_key=True),
        sa.Column("start", sa.Date, primary_key=True),
        sa.Column("topic_id", sa.String(48), primary_key=True),
    ]


# Sums of the ledger by period and topic ('' for all topics), kept in the transaction that writes the ledger.
scores = sa.Table(
    "scores",
    metadata,
    *_of_board(),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
    sa.Column("right", sa.Integer, nullable=False),
    sa.Column(
        "days", sa.Integer, nullable=False, server_default="0"
    ),  # with answers; only of all time and all topics
    sa.Index("ix_scores_user_id", "user_id"),
)
sa.Index(
    "ix_scores_board", *[*scores.primary_key][:4], scores.c.points.desc(), scores.c.user_id
)  # in a board's order

# How many members of a board have points in a bucket (see `bot.points.rules.bucket`), kept in the transaction
# that changes `scores`: so a place costs the same on a board of any size. A bucket without members has no row.
score_buckets = sa.Table(
    "score_buckets",
    metadata,
    *_of_board(),
    sa.Column(
        "low", sa.BigInteger, primary_key=True, autoincrement=False
    ),  # the bucket's lowest points
    sa.Column("members", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

# The same sums for teams, kept in the same transaction: what its members have won for a team, and how many of them
# there are. Who they are is in `team_members`, with what each has won for it.
team_scores = sa.Table(
    "team_scores",
    metadata,
    *_of_board(),
    sa.Column("team_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("members", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)
team_members = sa.Table(
    "team_members",
    metadata,
    *_of_board(),
    sa.Column("team_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("answers", sa.Integer, nullable=False),
    sa.Index("ix_team_members_user_id", "user_id"),
    sqlite_with_rowid=False,
)
_SUMS = (scores, score_buckets, team_scores, team_members)

ALL_TOPICS = ""
_EVER = scores.c.period == constant("all"), scores.c.topic_id == constant(ALL_TOPICS)
sa.Index(
    "ix_scores_ever",
    scores.c.user_id,
    scores.c.guild_id,
    sqlite_where=and_(*_EVER),
    postgresql_where=and_(*_EVER),
)
register_answers(
    select(ledger.c.user_id, ledger.c.source, ledger.c.source_id),
    servers=select(scores.c.user_id, scores.c.guild_id).where(*_EVER),
)
_PORTION = 5000
"""Entries of the ledger that are held at a time."""
_Key = tuple[int, str, date, str, int]
_TeamKey = tuple[int, str, date, str, int, int]
_MEMBER_OF_BOARD = ("guild_id", "period", "start", "topic_id", "user_id")
_BUCKET_OF_BOARD = ("guild_id", "period", "start", "topic_id", "low")
_TEAM_OF_BOARD = ("guild_id", "period", "start", "topic_id", "team_id")
_MEMBER_OF_TEAM = (*_TEAM_OF_BOARD, "user_id")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: points that a member won on the boards, or not, with one answer."""

    source: str
    source_id: int
    user_id: int
    guild_id: int
    topic_id: str
    points: int
    correct: bool
    local_date: date
    at: datetime
    item_id: str = ""
    team_id: int | None = None


@dataclass(slots=True)
class _Gain:
    points: int = 0
    answers: int = 0
    right: int = 0

    def add(self, entry: Entry) -> None:
        self.points += entry.points
        self.answers += 1
        self.right += entry.correct


def add(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write entries and their period sums. An entry that is there already fails the transaction: none counts twice."""
    if not entries:
        return
    conn.execute(ledger.insert(), [values_of(entry) for entry in entries])
    for guild_id in _count(conn, entries):
        _drop_oldest(conn, guild_id, max(e.local_date for e in entries) - rules.SUMS_KEPT)


def rebuild_sums(conn: Connection) -> int:
    """Make all sums anew from the ledger; returns how many entries it has. Nothing else can win points meanwhile."""
    if conn.dialect.name == "postgresql":  # in SQLite nobody else writes anyway
        conn.execute(sa.text("LOCK TABLE ledger IN SHARE MODE"))
    for table in _SUMS:
        conn.execute(delete(table))
    key = tuple_(*ledger.primary_key)
    query, counted = select(ledger).order_by(*ledger.primary_key).limit(_PORTION), 0
    entries = fetch_all(conn, query, Entry)
    while entries:
        _count(conn, entries)
        counted += len(entries)
        last = entries[-1]
        entries = fetch_all(
            conn, query.where(key > (last.source, last.source_id, last.user_id)), Entry
        )
    return counted


def _count(conn: Connection, entries: Sequence[Entry]) -> set[int]:
    """Add entries to their sums; returns servers on which they are somebody's first of a day."""
    gains: dict[_Key, _Gain] = {}
    for_teams: dict[_TeamKey, _Gain] = {}
    for e in entries:
        for key in _sums_of(e):
            gains.setdefault(key, _Gain()).add(e)
            if e.team_id is not None:
                for_teams.setdefault((*key[:4], e.team_id, e.user_id), _Gain()).add(e)
    _sum_up_teams(conn, for_teams)
    return _sum_up(conn, gains)


def _drop_oldest(conn: Connection, guild_id: int, before: date) -> None:
    """Drop the sums of a server's oldest day, week and month, if they began before a date.

    One of each at a time, with a member's first answer of a day: so many come in a day that none are left for long, and
    so few go that nobody waits for it.
    """
    for period in rules.PASSING:
        oldest = _oldest(conn, guild_id, period).scalar()
        if oldest is not None and oldest < before:
            for table in _SUMS:
                mine = (
                    table.c.guild_id == guild_id,
                    table.c.period == period,
                    table.c.start == oldest,
                )
                conn.execute(delete(table).where(*mine))


@prepared
def _oldest(guild_id: int, period: str) -> Select[Any]:
    return select(func.min(scores.c.start)).where(
        scores.c.guild_id == guild_id, scores.c.period == period
    )


def won_lately(
    conn: Connection, guild_id: int, item_id: str, user_ids: Collection[int], since: datetime
) -> set[int]:
    """Which of these members have won points with an item on a server since then."""
    return set(_winners(conn, guild_id, item_id, user_ids, since).scalars())


@prepared
def _winners(
    guild_id: int, item_id: str, user_ids: Collection[int], since: datetime
) -> Select[Any]:
    own = ledger.c.user_id.in_(user_ids), ledger.c.guild_id == guild_id, ledger.c.item_id == item_id
    return select(ledger.c.user_id).where(*own, ledger.c.at > since, ledger.c.points > 0)


def entries_with(conn: Connection, guild_id: int, item_id: str, user_id: int) -> list[Entry]:
    """A member's entries with an item on a server, in the order in which they answered."""
    own = ledger.c.user_id == user_id, ledger.c.guild_id == guild_id, ledger.c.item_id == item_id
    return fetch_all(conn, select(ledger).where(*own).order_by(ledger.c.at), Entry)


def points_won(conn: Connection, source: str, source_ids: Collection[int]) -> int:
    """All points that were won on the boards with these questions."""
    where = ledger.c.source == source, ledger.c.source_id.in_(source_ids)
    return int(conn.execute(select(func.sum(ledger.c.points)).where(*where)).scalar() or 0)


def tallies(
    conn: Connection, given: sa.Table, questions: sa.Table, *where: ColumnElement[bool]
) -> list[Tally]:
    """What each member did by a table of answers to questions of another, those that fit."""
    rows = conn.execute(
        select(
            given.c.user_id,
            func.sum(given.c.points).label("points"),
            func.sum(sa.case((given.c.correct, 1), else_=0)).label("right"),
            func.count().label("answered"),
            func.sum(given.c.elapsed_ms).label("total_ms"),
        )
        .join(questions, questions.c.id == given.c.question_id)
        .where(*where)
        .group_by(given.c.user_id)
    )
    return [
        Tally(r.user_id, int(r.points), int(r.right), r.answered, int(r.total_ms)) for r in rows
    ]


def counted(conn: Connection, source: str, source_id: int) -> bool:
    """Whether the ledger has entries of a question or daily."""
    query = (
        select(ledger.c.user_id)
        .where(ledger.c.source == source, ledger.c.source_id == source_id)
        .limit(1)
    )
    return conn.execute(query).first() is not None


def replace(
    conn: Connection, source: str, source_id: int, user_id: int, *, points: int, correct: bool
) -> None:
    """Change what an entry won, and its sums by the difference; nothing happens if there is no such entry."""
    where = ledger.c.source == source, ledger.c.source_id == source_id, ledger.c.user_id == user_id
    entry = fetch(conn, select(ledger).where(*where).with_for_update(), Entry)
    if entry is None:
        return
    conn.execute(update(ledger).where(*where).values(points=points, correct=correct))
    gain = _Gain(points=points - entry.points, right=int(correct) - int(entry.correct))
    kept = [key for key in _sums_of(entry) if conn.execute(_IS_KEPT, _parameters(key)).first()]
    if entry.team_id is not None:
        _sum_up_teams(conn, {(*key[:4], entry.team_id, entry.user_id): gain for key in kept})
    _sum_up(conn, dict.fromkeys(kept, gain))


def _parameters(key: _Key) -> dict[str, Any]:
    return dict(zip(_MEMBER_OF_BOARD, key, strict=True))


def _sums_of(e: Entry) -> list[_Key]:
    """The keys of all sums to which an entry belongs."""
    topics = dict.fromkeys((ALL_TOPICS, e.topic_id))
    starts = {period: rules.period_start(period, e.local_date) for period in rules.PERIODS}
    return [
        (e.guild_id, period, start, topic, e.user_id)
        for period, start in starts.items()
        for topic in topics
    ]


def _sum_up(conn: Connection, gains: Mapping[_Key, _Gain]) -> set[int]:
    """Add to period sums, and move members to the buckets of their new points; returns as `_count` does."""
    add_sums, _ = _upserts(conn.dialect.name)
    # sorted: one order of locks for all processes
    rows = [_parameters(key) | values_of(gain) for key, gain in sorted(gains.items())]
    moved: Counter[_Key] = Counter()
    first_today: list[dict[str, int]] = []
    for guild_id, period, start, topic, user_id, points, answers in conn.execute(add_sums, rows):
        gain = gains[guild_id, period, start, topic, user_id]
        if answers > gain.answers:
            moved[guild_id, period, start, topic, bucket(points - gain.points)] -= 1
        elif (period, topic) == ("today", ALL_TOPICS):
            first_today.append({"server": guild_id, "member": user_id})
        moved[guild_id, period, start, topic, bucket(points)] += 1
    _move(conn, moved)
    if first_today:
        conn.execute(_COUNT_DAY, first_today)
    return {first["server"] for first in first_today}


def _move(conn: Connection, moved: Mapping[_Key, int]) -> None:
    """Let so many more members be in these buckets, or fewer."""
    _, add_members = _upserts(conn.dialect.name)
    changes = [
        (dict(zip(_BUCKET_OF_BOARD, key, strict=True)), change)
        for key, change in sorted(moved.items())
        if change
    ]
    if changes:
        conn.execute(add_members, [{**key, "members": change} for key, change in changes])
    if left := [key for key, change in changes if change < 0]:
        conn.execute(_DROP_IF_EMPTY, left)


def _sum_up_teams(conn: Connection, gains: Mapping[_TeamKey, _Gain]) -> None:
    """Add to the sums of teams what members have won for them; who had not answered for one before is a new member."""
    if not gains:
        return
    add_answers, add_points = _team_upserts(conn.dialect.name)
    ordered = sorted(gains.items())
    rows = [
        {
            **dict(zip(_MEMBER_OF_TEAM, key, strict=True)),
            "points": gain.points,
            "answers": gain.answers,
        }
        for key, gain in ordered
    ]
    won = {key[:5]: {"points": 0, "members": 0} for key, _ in ordered}
    for *key, answers in conn.execute(add_answers, rows):
        of_member = guild_id, period, start, topic, team_id, _ = tuple(key)
        sums = won[guild_id, period, start, topic, team_id]
        sums["points"] += gains[of_member].points
        sums["members"] += answers == gains[of_member].answers
    conn.execute(
        add_points,
        [{**dict(zip(_TEAM_OF_BOARD, key, strict=True)), **sums} for key, sums in won.items()],
    )


def _adding(dialect: str, table: sa.Table, *names: str) -> sqlite.Insert | postgresql.Insert:
    """Inserts rows, or adds to what those with the same keys hold; `excluded` is what is to be added."""
    statement = insert_for(dialect, table)
    sums = {name: table.c[name] + statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=sums)


@cache
def _upserts(dialect: str) -> tuple[Executable, Executable]:
    """Adds to period sums, returning the new ones, and to members of buckets."""
    new_sums = _adding(dialect, scores, "points", "answers", "right").returning(
        *scores.primary_key, scores.c.points, scores.c.answers
    )
    return new_sums, _adding(dialect, score_buckets, "members")


@cache
def _team_upserts(dialect: str) -> tuple[Executable, Executable]:
    """Adds to what members have won for teams, returning how many answers that makes, and to the sums of teams."""
    adding = _adding(dialect, team_members, "points", "answers")
    new_sums = adding.returning(*team_members.primary_key, team_members.c.answers)
    return new_sums, _adding(dialect, team_scores, "points", "members")


_DROP_IF_EMPTY = delete(score_buckets).where(
    *(column == bindparam(column.name) for column in score_buckets.primary_key),
    score_buckets.c.members == 0,
)


def _export_sums(conn: Connection, user_id: int) -> list[Row]:
    c = scores.c
    shown = (
        c.guild_id.label("server_id"),
        c.period,
        c.start.label("from"),
        c.topic_id.label("topic"),
    )
    query = select(*shown, c.points, c.answers, c.right, c.days).where(c.user_id == user_id)
    return exported(conn, query.order_by(*scores.primary_key))


def _erase_sums(conn: Connection, user_id: int, limit: int) -> int:
    """Take a member off boards, so that the places of all others are right at once."""
    query = (
        select(scores).where(scores.c.user_id == user_id).order_by(*scores.primary_key).limit(limit)
    )
    moved: Counter[_Key] = Counter()
    found = conn.execute(query.with_for_update()).all()
    for row in found:
        moved[row.guild_id, row.period, row.start, row.topic_id, bucket(row.points)] -= 1
    if found:
        conn.execute(
            _DROP_SUM,
            [_parameters((r.guild_id, r.period, r.start, r.topic_id, r.user_id)) for r in found],
        )
        _move(conn, moved)
    return len(found)


def _export_teams(conn: Connection, user_id: int) -> list[Row]:
    c = team_members.c
    shown = (
        c.guild_id.label("server_id"),
        c.period,
        c.start.label("from"),
        c.topic_id.label("topic"),
        c.team_id,
    )
    query = select(*shown, c.points, c.answers).where(c.user_id == user_id)
    return exported(conn, query.order_by(*team_members.primary_key))


def _erase_from_teams(conn: Connection, user_id: int, limit: int) -> int:
    """Take a member out of teams with what they have won for them, so that the averages are those of the others."""
    query = select(team_members).where(team_members.c.user_id == user_id)
    query = query.order_by(*team_members.primary_key).limit(limit)
    found = conn.execute(query.with_for_update()).all()
    for row in found:
        key = [row._mapping[name] for name in _TEAM_OF_BOARD]
        less = {
            "won": row.points,
            **{f"of_{name}": value for name, value in zip(_TEAM_OF_BOARD, key, strict=True)},
        }
        conn.execute(_LEAVE_TEAM, less)
    if found:
        conn.execute(
            _DROP_MEMBER, [{name: row._mapping[name] for name in _MEMBER_OF_TEAM} for row in found]
        )
    return len(found)


def _erase_server(conn: Connection, guild_id: int, limit: int) -> int:
    """Erase a server's entries member by member, as all who have any have a sum of all time; then the sums."""
    ever = scores.c.guild_id == guild_id, *_EVER, scores.c.start == rules.ALL_TIME
    erased = 0
    for user_id in conn.execute(select(scores.c.user_id).where(*ever).limit(limit)).scalars().all():
        left = limit - erased
        mine = erase_rows(
            conn, ledger, left, ledger.c.user_id == user_id, ledger.c.guild_id == guild_id
        )
        erased += mine
        if mine == left:  # perhaps not all
            break
        erased += conn.execute(delete(scores).where(*ever, scores.c.user_id == user_id)).rowcount
    for table in _SUMS:
        erased = erased or erase_rows(conn, table, limit, table.c.guild_id == guild_id)
    return erased


register_rows(
    "points",
    ledger.c.user_id,
    {
        "item": ledger.c.item_id,
        "topic": ledger.c.topic_id,
        "server_id": ledger.c.guild_id,
        "where": ledger.c.source,
        "at": ledger.c.at,
        "day": ledger.c.local_date,
        "right": ledger.c.correct,
        "points": ledger.c.points,
        "team_id": ledger.c.team_id,
    },
    derived=True,
)
register(Personal("board_sums", [scores.c.user_id], _export_sums, _erase_sums, derived=True))
register(
    Personal("team_sums", [team_members.c.user_id], _export_teams, _erase_from_teams, derived=True)
)
register_of_servers([ledger, *_SUMS], _erase_server)

_LEAVE_TEAM = (
    update(team_scores)
    .where(*(team_scores.c[name] == bindparam(f"of_{name}") for name in _TEAM_OF_BOARD))
    .values(points=team_scores.c.points - bindparam("won"), members=team_scores.c.members - 1)
)
_DROP_MEMBER = delete(team_members).where(
    *(column == bindparam(column.name) for column in team_members.primary_key)
)
_DROP_SUM = delete(scores).where(
    *(column == bindparam(column.name) for column in scores.primary_key)
)
_IS_KEPT = select(scores.c.points).where(
    *(column == bindparam(column.name) for column in scores.primary_key)
)
_COUNT_DAY = (
    update(scores)
    .where(scores.c.guild_id == bindparam("server"), scores.c.user_id == bindparam("member"))
    .where(*_EVER, scores.c.start == rules.ALL_TIME)
    .values(days=scores.c.days + 1)
)


def total(conn: Connection, guild_id: int, user_id: int) -> tuple[int, int, int]:
    """All-time points, answers and right answers of a member in a server."""
    row = _sums_for(conn, guild_id, user_id, "all", [rules.ALL_TIME], [ALL_TOPICS]).first()
    return (row.points, row.answers, row.right) if row else (0, 0, 0)


def by_topic(
    conn: Connection, guild_id: int, user_id: int, topics: Collection[str]
) -> dict[str, tuple[int, int]]:
    """Answers and right answers of a member in a server in each of these topics, of all time; without those of none."""
    rows = _sums_for(conn, guild_id, user_id, "all", [rules.ALL_TIME], topics)
    return {row.topic_id: (row.answers, row.right) for row in rows}


def active_days(conn: Connection, guild_id: int, user_id: int) -> int:
    """On how many local dates a member answered something in a server."""
    row = _sums_for(conn, guild_id, user_id, "all", [rules.ALL_TIME], [ALL_TOPICS]).first()
    return row.days if row else 0


def answers_by_day(
    conn: Connection, guild_id: int, user_id: int, days: Sequence[date]
) -> dict[date, int]:
    """How many answers a member gave in a server on each of these local dates; dates without any are left out."""
    rows = _sums_for(conn, guild_id, user_id, "today", days, [ALL_TOPICS])
    return {row.start: row.answers for row in rows}


@prepared
def _sums_for(
    guild_id: int, user_id: int, period: str, starts: Collection[date], topics: Collection[str]
) -> Select[Any]:
    """A member's sums, each found by its whole key: part of it would go through the sums of all members."""
    of = scores.c.guild_id == guild_id, scores.c.user_id == user_id, scores.c.period == period
    return select(scores).where(*of, scores.c.start.in_(starts), scores.c.topic_id.in_(topics))
