"""Pages of the boards: of all time from the totals, of a day, week or month from the log.

What a page costs depends on how many members answered in its period, not on what came before.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, bindparam, func, select

from bot.answers.rules import days_before, days_of
from bot.answers.store import answers
from bot.answers.totals import ALL_TOPICS, team_totals, totals
from bot.boards.rules import PAGE_SIZE, Board, Own, Row, TeamSum
from bot.members.store import names_of

Days = tuple[date, date]
"""The first and the last date of a period."""


@dataclass(frozen=True, slots=True)
class _Queries:
    """The statements about one kind of board, built once: that takes longer than to run them."""

    members: Select[Any]
    page: Select[Any]
    own: Select[Any]
    ahead: Select[Any]
    places: Select[Any]


def board(
    conn: Connection,
    guild_id: int,
    period: str,
    day: date,
    *,
    user_id: int,
    topic_id: str | None,
    page: int,
) -> Board:
    """Return one page of the members' board of the period that contains a local date.

    It has the asker's own place. A page past the end gives the last one.
    """
    days, topic = days_of(period, day), topic_id is not None
    given = _parameters(guild_id, days, topic_id)
    queries = _queries(passing=days is not None, topic=topic)
    members = conn.execute(queries.members, given).scalar_one()
    pages = max(1, -(-members // PAGE_SIZE))
    page = min(page, pages - 1)
    listed = conn.execute(queries.page, {**given, "skip": page * PAGE_SIZE}).all()
    names = names_of(conn, guild_id, [row.user_id for row in listed])
    earlier = days_before(period, day)
    before: dict[int, int] = {}
    if earlier and listed:
        then = _parameters(guild_id, earlier, topic_id)
        before = _places(conn, queries, then, [row.user_id for row in listed])
    rows = tuple(
        Row(
            place=row.place,
            user_id=row.user_id,
            name=names.get(row.user_id),
            points=int(row.points),
            before=before.get(row.user_id),
        )
        for row in listed
    )
    return Board(
        period=period,
        topic_id=topic_id,
        page=page,
        pages=pages,
        members=members,
        rows=rows,
        own=_own(conn, queries, given, user_id),
    )


def _parameters(guild_id: int, days: Days | None, topic_id: str | None) -> dict[str, Any]:
    scope: dict[str, Any] = {"guild_id": guild_id, "topic_id": topic_id or ALL_TOPICS}
    return {**scope, "first": days[0], "last": days[1]} if days else scope


def _places(
    conn: Connection, queries: _Queries, given: dict[str, Any], user_ids: Collection[int]
) -> dict[int, int]:
    rows = conn.execute(queries.places, {**given, "user_ids": list(user_ids)})
    return {row.user_id: row.place for row in rows}


def _own(conn: Connection, queries: _Queries, given: dict[str, Any], user_id: int) -> Own | None:
    own = conn.execute(queries.own, {**given, "user_id": user_id}).first()
    if own is None:
        return None
    points = int(own.points)
    ahead = conn.execute(queries.ahead, {**given, "points": points}).first()
    if ahead is None or ahead.points is None:
        return Own(own.place, points)
    return Own(own.place, points, int(ahead.points) - points, ahead.place)


@cache
def _queries(*, passing: bool, topic: bool) -> _Queries:
    sums, scope = _sums(passing=passing, topic=topic)
    other, other_scope = _sums(passing=passing, topic=topic)
    if passing:  # a name of its own, though it is the same sum: the database computes it once
        other = sums.alias("better")
    c = sums.c

    def place(points: ColumnElement[Any]) -> ColumnElement[int]:
        better = (
            select(func.count()).select_from(other).where(*other_scope, other.c.points > points)
        )
        return (better.scalar_subquery() + 1).label("place")

    named = select(c.user_id, c.points, place(c.points)).where(*scope)
    higher = select(func.min(c.points).label("points")).where(
        *scope, c.points > bindparam("points")
    )
    ahead = higher.subquery("ahead")
    return _Queries(
        members=select(func.count()).select_from(sums).where(*scope),
        page=named.order_by(c.points.desc(), c.user_id).limit(PAGE_SIZE).offset(bindparam("skip")),
        own=named.where(c.user_id == bindparam("user_id")),
        ahead=select(ahead.c.points, place(ahead.c.points)),
        places=named.where(c.user_id.in_(bindparam("user_ids", expanding=True))),
    )


def _sums(*, passing: bool, topic: bool) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """Return what has user_id and points of a board's members, and the conditions on it."""
    if not passing:
        table = totals.alias()
        return table, [
            table.c.guild_id == bindparam("guild_id"),
            table.c.topic_id == bindparam("topic_id"),
        ]
    sums = (
        select(answers.c.user_id, func.sum(answers.c.paid).label("points"))
        .where(*_answered(topic=topic))
        .group_by(answers.c.user_id)
    )
    return sums.cte("sums"), []


def _answered(*, topic: bool) -> list[ColumnElement[bool]]:
    """Return the conditions on counted answers of a period; those of erased members don't count."""
    c = answers.c
    conditions = [
        c.guild_id == bindparam("guild_id"),
        c.local_date.between(bindparam("first"), bindparam("last")),
        c.user_id > 0,
    ]
    return [*conditions, c.topic_id == bindparam("topic_id")] if topic else conditions


def team_sums(
    conn: Connection, guild_id: int, days: Days | None, topic_id: str | None
) -> list[TeamSum]:
    """Return what the teams of a server won, and how many members answered for each.

    `days` are those of the period; None for all time.
    """
    query = _team_sums(passing=days is not None, topic=topic_id is not None)
    rows = conn.execute(query, _parameters(guild_id, days, topic_id))
    return [TeamSum(row.team_id, int(row.points), row.members) for row in rows]


@cache
def _team_sums(*, passing: bool, topic: bool) -> Select[Any]:
    c: Any = answers.c if passing else team_totals.c
    points = func.sum(c.paid if passing else c.points).label("points")
    members = func.count(c.user_id.distinct()).label("members")
    conditions = [*_answered(topic=topic), c.team_id.is_not(None)]
    if not passing:
        conditions = [c.guild_id == bindparam("guild_id")]
        if topic:
            conditions.append(c.topic_id == bindparam("topic_id"))
    return select(c.team_id, points, members).where(*conditions).group_by(c.team_id)
