"""Pages of a board, read from the sums that `bot.points.store` keeps: the cost hardly grows with a board's members."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import sqlalchemy as sa
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    bindparam,
    case,
    cast,
    func,
    select,
)

from bot.boards.rules import PAGE_SIZE, Board, Own, Row, TeamSum
from bot.members.store import names_of
from bot.points.rules import period_start, previous_start
from bot.points.store import ALL_TOPICS, score_buckets, scores, team_scores

_MORE_THAN_ANYBODY_HAS = 1 << 62


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
    """One page of the members board for the period that contains the local date `day`, with the asker's own place.

    A page past the end gives the last one.
    """
    start = period_start(period, day)
    scope = {
        "guild_id": guild_id,
        "period": period,
        "start": start,
        "topic_id": topic_id or ALL_TOPICS,
    }
    buckets = conn.execute(_BUCKETS, scope).all()
    members = sum(count for _, count in buckets)
    pages = max(1, -(-members // PAGE_SIZE))
    page = min(page, pages - 1)
    skip, below = page * PAGE_SIZE, _MORE_THAN_ANYBODY_HAS
    for low, count in buckets:  # those that lie before the page as a whole need not be read
        if skip < count:
            break
        skip, below = skip - count, low
    earlier = previous_start(period, start)
    listed = conn.execute(_PAGE, {**scope, "below": below, "skip": skip, "earlier": earlier}).all()
    names = names_of(conn, guild_id, [row.user_id for row in listed])
    rows: list[Row] = []
    for index, row in enumerate(listed):
        if rows and rows[-1].points == row.points:
            place = rows[-1].place
        elif rows or page == 0:
            place = page * PAGE_SIZE + index + 1
        else:  # members with as many points may stand on the pages before
            place = conn.execute(_STANDING, {**scope, "member": row.user_id}).one().place
        rows.append(Row(place, row.user_id, names.get(row.user_id), row.points, row.before))
    return Board(period, topic_id, page, pages, members, tuple(rows), _own(conn, scope, user_id))


def team_sums(
    conn: Connection, guild_id: int, period: str, start: date, topic_id: str | None
) -> list[TeamSum]:
    """What the teams of a board have won, and how many of their members answered, in the period that starts then."""
    scope = {
        "guild_id": guild_id,
        "period": period,
        "start": start,
        "topic_id": topic_id or ALL_TOPICS,
    }
    return [TeamSum(row.team_id, row.points, row.members) for row in conn.execute(_TEAMS, scope)]


def _own(conn: Connection, scope: Mapping[str, object], user_id: int) -> Own | None:
    mine = conn.execute(_STANDING, {**scope, "member": user_id}).first()
    if mine is None:
        return None
    ahead = conn.execute(_AHEAD, {**scope, "points": mine.points}).scalar()
    if ahead is None:
        return Own(mine.place, mine.points)
    next_one = conn.execute(_STANDING, {**scope, "member": ahead}).one()
    return Own(mine.place, mine.points, next_one.points - mine.points, next_one.place)


def _scope(table: FromClause, start: str = "start") -> ColumnElement[bool]:
    """The rows of one board, whose names in the parameters are those of the columns, but for `start`."""
    names = "guild_id", "period", "topic_id"
    return and_(
        *(table.c[name] == bindparam(name) for name in names), table.c.start == bindparam(start)
    )


def _place(points: ColumnElement[int], of: FromClause, start: str = "start") -> ColumnElement[int]:
    """The place that points have on a board: above stand all in higher buckets, and who has more in the same one."""
    higher, better = score_buckets.alias(), scores.alias()
    above = and_(_scope(higher, start), higher.c.low > points)
    in_higher = select(func.coalesce(func.sum(higher.c.members), 0)).where(above).correlate(of)
    next_low = (
        select(func.coalesce(func.min(higher.c.low), _MORE_THAN_ANYBODY_HAS))
        .where(above)
        .correlate(of)
    )
    in_same = (
        select(func.count())
        .select_from(better)
        .where(
            _scope(better, start),
            better.c.points > points,
            better.c.points < next_low.scalar_subquery(),
        )
        .correlate(of)
    )
    return cast(in_higher.scalar_subquery() + in_same.scalar_subquery() + 1, sa.BigInteger)


_TEAMS = select(team_scores.c.team_id, team_scores.c.points, team_scores.c.members).where(
    _scope(team_scores)
)

# Built once: to build them anew for every board would take longer than to run them.
_BUCKETS = (
    select(score_buckets.c.low, score_buckets.c.members)
    .where(_scope(score_buckets))
    .order_by(score_buckets.c.low.desc())
)
_listed = (
    select(scores.c.user_id, scores.c.points)
    .where(_scope(scores), scores.c.points < bindparam("below"))
    .order_by(scores.c.points.desc(), scores.c.user_id)
    .limit(PAGE_SIZE)
    .offset(bindparam("skip"))
    .subquery()
)
_then = scores.alias()
_PAGE = (
    select(
        _listed.c.user_id,
        _listed.c.points,
        case((_then.c.points.is_not(None), _place(_then.c.points, _then, "earlier"))).label(
            "before"
        ),
    )
    .select_from(
        _listed.outerjoin(
            _then, and_(_scope(_then, "earlier"), _then.c.user_id == _listed.c.user_id)
        )
    )
    .order_by(_listed.c.points.desc(), _listed.c.user_id)
)
_STANDING = select(scores.c.points, _place(scores.c.points, scores).label("place")).where(
    _scope(scores), scores.c.user_id == bindparam("member")
)
_AHEAD = (
    select(scores.c.user_id)
    .where(_scope(scores), scores.c.points > bindparam("points"))
    .order_by(scores.c.points)
    .limit(1)
)
