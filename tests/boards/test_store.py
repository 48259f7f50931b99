"""Boards are what a naive reading of the log gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers import totals
from bot.answers.model import Answer
from bot.answers.rules import PERIODS, days_of
from bot.boards.model import Board, TeamSum
from bot.boards.store import board, team_sums
from bot.core.database import Database
from bot.core.paging import PAGE_SIZE
from tests.answers.entries import (
    DAY,
    DAYS,
    GUILDS,
    LINES,
    POINTS,
    TOPICS,
    counted,
    several_on_one_database,
    start_of,
    store_counted,
)

MORE_MEMBERS = st.lists(
    st.tuples(st.integers(1, 45), POINTS, st.integers(0, 1)), min_size=30, max_size=60
)


async def read(
    database: Database,
    guild_id: int = 1,
    period: str = "week",
    day: date = DAY,
    *,
    asker: int = 1,
    topic: str | None = None,
    page: int = 0,
) -> Board:
    return await database.read(
        board, guild_id, period, day, user_id=asker, topic_id=topic, page=page
    )


def points_by_member(
    given: Sequence[Answer], period: str, day: date, topic: str | None
) -> dict[int, int]:
    """Return the members with points, by going through the whole log."""
    found: dict[int, int] = defaultdict(int)
    for a in given:
        if is_in(period, day, a) and topic in {None, a.topic_id}:
            found[a.user_id] += a.paid or 0
    return {user: points for user, points in found.items() if points}


def is_in(period: str, day: date, answer: Answer) -> bool:
    """Whether an answer counts in the period that contains a date."""
    assert answer.local_date is not None
    return start_of(period, answer.local_date) == start_of(period, day)


def place_in(points: dict[int, int], user_id: int) -> int | None:
    if user_id not in points:
        return None
    return 1 + sum(other > points[user_id] for other in points.values())


def listed(*boards: Board) -> list[tuple[int | None, ...]]:
    return [(r.place, r.user_id, r.points, r.before) for one in boards for r in one.rows]


def expected(points: dict[int, int], before: dict[int, int]) -> list[tuple[int | None, ...]]:
    """Return the rows of a board as `listed` does, from the points now and in the period before."""
    return [
        (place_in(points, user), user, won, place_in(before, user))
        for user, won in sorted(points.items(), key=lambda member: (-member[1], member[0]))
    ]


def check_own(shown: Board, points: dict[int, int], asker: int) -> None:
    """Check the asker's place, and the nearest member with more points."""
    if asker not in points:
        assert (shown.own, shown.ahead) == (None, None)
        return
    assert shown.own is not None
    own = shown.own.place, shown.own.user_id, shown.own.points
    assert own == (place_in(points, asker), asker, points[asker])
    better = [(-won, user) for user, won in points.items() if won > points[asker]]
    assert (shown.ahead and (-shown.ahead.points, shown.ahead.user_id)) == max(better, default=None)
    if shown.ahead:
        assert shown.ahead.place == place_in(points, shown.ahead.user_id)


@several_on_one_database
@given(lines=LINES, day=DAYS, asker=st.integers(1, 7), topic=st.sampled_from([None, *TOPICS]))
async def test_boards_of_every_period(
    database: Database,
    lines: list[tuple[int, str, int, bool, date]],
    day: date,
    asker: int,
    topic: str | None,
) -> None:
    """Members, order, places, trends and the asker's own place are what the log says, for any day and topic."""
    guild_id = next(GUILDS)
    log = [
        counted(guild_id, user, points, when, about, right)
        for user, about, points, right, when in lines
    ]
    await database.write(store_counted, log)
    for period in PERIODS:
        shown = await read(database, guild_id, period, day, asker=asker, topic=topic)
        now = points_by_member(log, period, day, topic)
        earlier = start_of(period, day) - timedelta(days=1)
        before = {} if period == "all" else points_by_member(log, period, earlier, topic)
        assert (shown.size, shown.pages, shown.page) == (len(now), 1, 0)
        assert listed(shown) == expected(now, before)
        check_own(shown, now, asker)


@several_on_one_database
@given(lines=MORE_MEMBERS, asker=st.integers(1, 46))
async def test_pages_of_a_long_board(
    database: Database, lines: list[tuple[int, int, int]], asker: int
) -> None:
    """The pages together are the whole board, each member once, with ties that go on over a page's end."""
    guild_id = next(GUILDS)
    log = [
        counted(guild_id, user, points, DAY - timedelta(days=7 * ago))
        for user, points, ago in lines
    ]
    await database.write(store_counted, log)
    for period, earlier in (("week", DAY - timedelta(days=7)), ("all", None)):
        now = points_by_member(log, period, DAY, None)
        before = points_by_member(log, period, earlier, None) if earlier else {}
        pages = max(1, (len(now) + PAGE_SIZE - 1) // PAGE_SIZE)
        shown = [
            await read(database, guild_id, period, asker=asker, page=page) for page in range(pages)
        ]
        assert listed(*shown) == expected(now, before)
        assert {len(one.rows) for one in shown[:-1]} <= {PAGE_SIZE}
        for page, one in enumerate(shown):
            assert (one.page, one.pages, one.size) == (page, pages, len(now))
            check_own(one, now, asker)
        assert await read(database, guild_id, period, asker=asker, page=99) == shown[-1]


async def test_erased_members_are_on_no_board(database: Database) -> None:
    """An erased member's answers count on no board of members or teams."""
    erased = replace(counted(1, -9, 50), paid=None)

    def fill(conn: Connection) -> None:
        store_counted(conn, [counted(1, 1, 40, team=71)])
        answer_log.add(conn, erased)

    await database.write(fill)
    for period in PERIODS:
        assert listed(await read(database, 1, period)) == [(1, 1, 40, None)]
        teams = await database.read(team_sums, 1, days_of(period, DAY), None)
        assert teams == [TeamSum(71, 40, 1)]


TEAM_LINES = st.lists(
    st.tuples(
        st.integers(1, 6), st.sampled_from(TOPICS), POINTS, st.sampled_from([None, 71, 72]), DAYS
    ),
    max_size=40,
)


@several_on_one_database
@given(lines=TEAM_LINES, day=DAYS, topic=st.sampled_from([None, *TOPICS]))
async def test_sums_of_teams(
    database: Database,
    lines: list[tuple[int, str, int, int | None, date]],
    day: date,
    topic: str | None,
) -> None:
    """A team has what the log says, with as many members as answered for it, also once rebuilt."""
    guild_id = next(GUILDS)
    log = [
        counted(guild_id, user, points, when, about, team=team)
        for user, about, points, team, when in lines
    ]
    await database.write(store_counted, log)
    for rebuilt in (False, True):
        if rebuilt:
            await database.write(totals.rebuild)
        for period in PERIODS:
            won: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for a in log:
                if a.team_id and is_in(period, day, a) and topic in {None, a.topic_id}:
                    won[a.team_id].append((a.user_id, a.paid or 0))
            found = await database.read(team_sums, guild_id, days_of(period, day), topic)
            assert found == [
                TeamSum(team, sum(paid for _, paid in own), len({user for user, _ in own}))
                for team, own in sorted(won.items())
            ]
