"""Pages of leaderboards: of all time from the totals, of a day, week or month from the log.

The cost of a page depends on how many members answered in its period, not on the history before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, bindparam, func, select

from bot.answers.rules import days_before, days_of
from bot.answers.store import answers
from bot.answers.totals import ALL_TOPICS, team_totals, totals
from bot.boards.cards import Board, Own, Row
from bot.boards.rules import PAGE_SIZE, TeamSum
from bot.members.store import names_of

Days = tuple[date, date]
"""The first and the last date of a period."""


@dataclass(frozen=True, slots=True)
class _Queries:
    """The statements for one kind of leaderboard; cached, because building takes longer than running."""

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
    """Return one page of the leaderboard of the period that contains a local date.

    A page past the end gives the last one.
    """
    days = days_of(period, day)
    values = _parameters(guild_id, days, topic_id)
    queries = _queries(from_log=days is not None, topic=topic_id is not None)
    members = conn.execute(queries.members, values).scalar_one()
    pages = max(1, -(-members // PAGE_SIZE))
    page = min(page, pages - 1)
    listed = conn.execute(queries.page, {**values, "skip": page * PAGE_SIZE}).all()
    user_ids = [row.user_id for row in listed]
    names = names_of(conn, guild_id, user_ids)
    earlier = days_before(period, day)
    before: dict[int, int] = {}
    if earlier and listed:
        then = {**_parameters(guild_id, earlier, topic_id), "user_ids": user_ids}
        before = {row.user_id: row.place for row in conn.execute(queries.places, then)}
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
        own=_own(conn, queries, values, user_id),
    )


def _parameters(guild_id: int, days: Days | None, topic_id: str | None) -> dict[str, Any]:
    scope: dict[str, Any] = {"guild_id": guild_id, "topic_id": topic_id or ALL_TOPICS}
    return {**scope, "first": days[0], "last": days[1]} if days else scope


def _own(conn: Connection, queries: _Queries, values: dict[str, Any], user_id: int) -> Own | None:
    own = conn.execute(queries.own, {**values, "user_id": user_id}).first()
    if own is None:
        return None
    points = int(own.points)
    ahead = conn.execute(queries.ahead, {**values, "points": points}).first()
    if ahead is None or ahead.points is None:
        return Own(own.place, points)
    behind = int(ahead.points) - points
    return Own(own.place, points, behind=behind, next_place=ahead.place)


@cache
def _queries(*, from_log: bool, topic: bool) -> _Queries:
    sums, scope = _sums(from_log=from_log, topic=topic)
    other, other_scope = _sums(from_log=from_log, topic=topic)
    if from_log:  # one CTE under two names, so that the database computes it once
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


def _sums(*, from_log: bool, topic: bool) -> tuple[FromClause, list[ColumnElement[bool]]]:
    """Return a source of user_id and points of a leaderboard's members, and conditions on it."""
    if not from_log:
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
    """Return conditions on counted answers of a period, without those of erased members."""
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
    """Return the sums of a server's teams; `days` is the period, None for all time."""
    query = _team_sums(from_log=days is not None, topic=topic_id is not None)
    rows = conn.execute(query, _parameters(guild_id, days, topic_id))
    return [TeamSum(row.team_id, int(row.points), row.members) for row in rows]


@cache
def _team_sums(*, from_log: bool, topic: bool) -> Select[Any]:
    c: Any = answers.c if from_log else team_totals.c
    points = func.sum(c.paid if from_log else c.points).label("points")
    members = func.count(c.user_id.distinct()).label("members")
    conditions = [*_answered(topic=topic), c.team_id.is_not(None)]
    if not from_log:
        conditions = [c.guild_id == bindparam("guild_id")]
        if topic:
            conditions.append(c.topic_id == bindparam("topic_id"))
    return select(c.team_id, points, members).where(*conditions).group_by(c.team_id)
