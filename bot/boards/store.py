"""Pages of leaderboards: of all time from the totals, of a day, week or month from the log.

The cost of a page depends on how many members answered in its period, not on the history before.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Select, bindparam, func, select

from bot.answers.rules import days_before, days_of
from bot.answers.store import answers, points_between
from bot.answers.totals import ALL_TOPICS, team_totals, totals
from bot.boards.model import Board, MemberRow, TeamSum
from bot.boards.rules import rank
from bot.core.paging import PAGE_SIZE, page_in, rows_on
from bot.members.store import names_of

Days = tuple[date, date]
"""The first and the last date of a period."""


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
    if days is None:
        found = _all_time(conn, guild_id, topic_id or ALL_TOPICS, user_id, page)
    else:
        found = _of_days(conn, guild_id, days, topic_id, user_id, page)
    names = names_of(conn, guild_id, [row.user_id for row in found.rows])
    earlier = days_before(period, day)
    before: dict[int, int] = {}
    if earlier and found.rows:
        ranked = rank(points_between(conn, guild_id, *earlier, topic_id))
        before = {member: place for place, member in ranked}
    rows = tuple(
        replace(row, name=names.get(row.user_id), before=before.get(row.user_id))
        for row in found.rows
    )
    return replace(found, rows=rows)


def _of_days(
    conn: Connection, guild_id: int, days: Days, topic_id: str | None, user_id: int, page: int
) -> Board:
    points = points_between(conn, guild_id, *days, topic_id)
    rows = [MemberRow(place, member, points[member]) for place, member in rank(points)]
    own = next((row for row in rows if row.user_id == user_id), None)
    better = [row for row in rows if own and row.points > own.points]
    page, pages = page_in(len(rows), page)
    return Board(
        page, pages, len(rows), tuple(rows_on(page, rows)), own, better[-1] if better else None
    )


def _all_time(conn: Connection, guild_id: int, topic_id: str, user_id: int, page: int) -> Board:
    """Return a page of all time, without reading all members."""
    scope = {"guild_id": guild_id, "topic_id": topic_id}
    size = conn.execute(_SIZE, scope).scalar_one()
    page, pages = page_in(size, page)
    listed = conn.execute(_PAGE, {**scope, "skip": page * PAGE_SIZE})
    rows = tuple(MemberRow(row.place, row.user_id, row.points) for row in listed)
    own = conn.execute(_OWN, {**scope, "user_id": user_id}).first()
    ahead = own and conn.execute(_AHEAD, {**scope, "points": own.points}).first()
    return Board(
        page,
        pages,
        size,
        rows,
        own=own and MemberRow(own.place, user_id, own.points),
        ahead=ahead and MemberRow(ahead.place, ahead.user_id, ahead.points),
    )


_better = totals.alias()
_SCOPE = (
    totals.c.guild_id == bindparam("guild_id"),
    totals.c.topic_id == bindparam("topic_id"),
    totals.c.points > 0,
)
_PLACE = (
    select(func.count())
    .select_from(_better)
    .where(
        _better.c.guild_id == totals.c.guild_id,
        _better.c.topic_id == totals.c.topic_id,
        _better.c.points > totals.c.points,
    )
    .scalar_subquery()
    + 1
).label("place")
_RANKED = select(totals.c.user_id, totals.c.points, _PLACE).where(*_SCOPE)
_SIZE = select(func.count()).select_from(totals).where(*_SCOPE)
_PAGE = (
    _RANKED.order_by(totals.c.points.desc(), totals.c.user_id)
    .limit(PAGE_SIZE)
    .offset(bindparam("skip"))
)
_OWN = _RANKED.where(totals.c.user_id == bindparam("user_id"))
# of members with equal points the one listed last, as `_of_days` finds them
_AHEAD = (
    _RANKED.where(totals.c.points > bindparam("points"))
    .order_by(totals.c.points, totals.c.user_id.desc())
    .limit(1)
)


def team_sums(
    conn: Connection, guild_id: int, days: Days | None, topic_id: str | None
) -> list[TeamSum]:
    """Return the sums of a server's teams by id; `days` is the period, None for all time."""
    query = _team_sums(from_log=days is not None, topic=topic_id is not None)
    scope: dict[str, object] = {"guild_id": guild_id, "topic_id": topic_id}
    if days is not None:
        scope |= {"first": days[0], "last": days[1]}
    rows = conn.execute(query, scope)
    return [TeamSum(row.team_id, int(row.points), row.members) for row in rows]


@cache
def _team_sums(*, from_log: bool, topic: bool) -> Select[Any]:
    c: Any = answers.c if from_log else team_totals.c
    points = func.sum(c.paid if from_log else c.points).label("points")
    members = func.count(c.user_id.distinct()).label("members")
    conditions = [c.guild_id == bindparam("guild_id"), c.team_id.is_not(None)]
    if topic:
        conditions.append(c.topic_id == bindparam("topic_id"))
    if from_log:  # answers of erased members stay in the log, without their id
        conditions += [
            c.local_date.between(bindparam("first"), bindparam("last")),
            c.user_id > 0,
        ]
    query = select(c.team_id, points, members).where(*conditions)
    return query.group_by(c.team_id).order_by(c.team_id)
