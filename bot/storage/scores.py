"""The points ledger, its sums by period, and the boards read from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, and_, func, select, update

from bot.domain import leaderboard
from bot.domain.leaderboard import PAGE_SIZE, Board, Own, Row
from bot.storage.schema import ledger, scores
from bot.storage.upsert import insert

ALL_TOPICS = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: points that a member won, or not, with one answer."""

    source: str
    source_id: int
    user_id: int
    guild_id: int
    topic_id: str
    points: int
    correct: bool
    local_date: date
    at: datetime


def add(conn: Connection, entries: Sequence[Entry]) -> None:
    """Write entries and their period sums. An entry that is there already fails the transaction: none counts twice."""
    if not entries:
        return
    conn.execute(ledger.insert(), [{name: getattr(e, name) for name in Entry.__slots__} for e in entries])
    rows = [
        {
            "guild_id": e.guild_id,
            "period": period,
            "start": start,
            "topic_id": topic,
            "user_id": e.user_id,
            "points": e.points,
            "answers": 1,
            "right": int(e.correct),
        }
        for e in sorted(entries, key=lambda e: e.user_id)  # one order of locks for all processes
        for period, start in leaderboard.periods(e.local_date)
        for topic in dict.fromkeys((ALL_TOPICS, e.topic_id))
    ]
    statement = insert(conn, scores)
    sums = {name: scores.c[name] + statement.excluded[name] for name in ("points", "answers", "right")}
    conn.execute(statement.on_conflict_do_update(index_elements=list(scores.primary_key), set_=sums), rows)


def replace(conn: Connection, source: str, source_id: int, user_id: int, *, points: int, correct: bool) -> None:
    """Change what an entry won, and its sums by the difference; nothing happens if there is no such entry."""
    where = ledger.c.source == source, ledger.c.source_id == source_id, ledger.c.user_id == user_id
    entry = conn.execute(select(ledger).where(*where).with_for_update()).first()
    if entry is None:
        return
    conn.execute(update(ledger).where(*where).values(points=points, correct=correct))
    gained = {"points": points - entry.points, "right": int(correct) - int(entry.correct)}
    for period, start in leaderboard.periods(entry.local_date):
        for topic in dict.fromkeys((ALL_TOPICS, entry.topic_id)):
            scope = _scope(entry.guild_id, period, start, topic), scores.c.user_id == user_id
            sums = {name: scores.c[name] + by for name, by in gained.items()}
            conn.execute(update(scores).where(*scope).values(sums))


def board(
    conn: Connection, guild_id: int, period: str, day: date, *, user_id: int, topic_id: str | None, page: int
) -> Board:
    """One page of the members board for the period that contains the local date `day`, with the asker's own place.

    A page past the end gives the last one.
    """
    start = leaderboard.period_start(period, day)
    this = _scope(guild_id, period, start, topic_id)
    members = conn.execute(select(func.count()).select_from(scores).where(this)).scalar_one()
    pages = max(1, -(-members // PAGE_SIZE))
    page = min(page, pages - 1)
    listed = conn.execute(
        select(scores.c.user_id, scores.c.points)
        .where(this)
        .order_by(scores.c.points.desc(), scores.c.user_id)
        .limit(PAGE_SIZE)
        .offset(page * PAGE_SIZE)
    ).all()
    before = _previous_places(conn, guild_id, period, start, topic_id, [row.user_id for row in listed])
    rows: list[Row] = []
    for index, row in enumerate(listed):
        if rows and rows[-1].points == row.points:
            place = rows[-1].place
        else:
            place = _place(conn, this, row.points) if not rows else page * PAGE_SIZE + index + 1
        rows.append(Row(place, row.user_id, row.points, before.get(row.user_id)))
    return Board(period, topic_id, page, pages, members, tuple(rows), _own(conn, this, user_id))


def total(conn: Connection, guild_id: int, user_id: int) -> tuple[int, int, int]:
    """All-time points, answers and right answers of a member in a server."""
    row = conn.execute(
        select(scores.c.points, scores.c.answers, scores.c.right).where(
            _scope(guild_id, "all", leaderboard.ALL_TIME, None), scores.c.user_id == user_id
        )
    ).first()
    return (row.points, row.answers, row.right) if row else (0, 0, 0)


def by_topic(conn: Connection, guild_id: int, user_id: int) -> dict[str, tuple[int, int]]:
    """Answers and right answers of a member in a server, by topic id, of all time."""
    rows = conn.execute(
        select(scores.c.topic_id, scores.c.answers, scores.c.right).where(
            scores.c.guild_id == guild_id,
            scores.c.period == "all",
            scores.c.start == leaderboard.ALL_TIME,
            scores.c.topic_id != ALL_TOPICS,
            scores.c.user_id == user_id,
        )
    )
    return {row.topic_id: (row.answers, row.right) for row in rows}


def active_days(conn: Connection, guild_id: int, user_id: int) -> int:
    """On how many local dates a member answered something in a server."""
    return conn.execute(
        select(func.count())
        .select_from(scores)
        .where(
            scores.c.user_id == user_id,
            scores.c.guild_id == guild_id,
            scores.c.period == "today",
            scores.c.topic_id == ALL_TOPICS,
        )
    ).scalar_one()


def _scope(guild_id: int, period: str, start: date, topic_id: str | None) -> ColumnElement[bool]:
    return and_(
        scores.c.guild_id == guild_id,
        scores.c.period == period,
        scores.c.start == start,
        scores.c.topic_id == (topic_id or ALL_TOPICS),
    )


def _place(conn: Connection, scope: ColumnElement[bool], points: int) -> int:
    above = select(func.count()).select_from(scores).where(scope, scores.c.points > points)
    return conn.execute(above).scalar_one() + 1


def _own(conn: Connection, scope: ColumnElement[bool], user_id: int) -> Own | None:
    points = conn.execute(select(scores.c.points).where(scope, scores.c.user_id == user_id)).scalar()
    if points is None:
        return None
    place = _place(conn, scope, points)
    above = conn.execute(
        select(scores.c.points).where(scope, scores.c.points > points).order_by(scores.c.points).limit(1)
    ).scalar()
    if above is None:
        return Own(place, points)
    return Own(place, points, above - points, _place(conn, scope, above))


def _previous_places(
    conn: Connection, guild_id: int, period: str, start: date, topic_id: str | None, users: Sequence[int]
) -> dict[int, int]:
    previous = leaderboard.previous_start(period, start)
    if previous is None or not users:
        return {}
    then = _scope(guild_id, period, previous, topic_id)
    rows = conn.execute(select(scores.c.user_id, scores.c.points).where(then, scores.c.user_id.in_(users)))
    return {row.user_id: _place(conn, then, row.points) for row in rows}
