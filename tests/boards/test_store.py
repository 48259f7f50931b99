"""Boards are what a naive reading of the log gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from bot.answers import store as answer_log
from bot.answers import totals
from bot.answers.rules import PERIODS, days_of
from bot.answers.store import Answer
from bot.boards.cards import Own
from bot.boards.rules import PAGE_SIZE, TeamSum, trend
from bot.boards.store import board as read_board
from bot.boards.store import team_sums
from bot.core.database import Database
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


def points_by_member(
    given: Sequence[Answer], period: str, day: date, topic: str | None
) -> dict[int, int]:
    """Return a board's members and points, by going through the whole log."""
    found: dict[int, int] = defaultdict(int)
    for a in given:
        if is_in(period, day, a) and topic in {None, a.topic_id}:
            found[a.user_id] += a.paid or 0
    return dict(found)


def is_in(period: str, day: date, answer: Answer) -> bool:
    """Whether an answer counts in the period that contains a date."""
    assert answer.local_date is not None
    return start_of(period, answer.local_date) == start_of(period, day)


def place_in(points: dict[int, int], user_id: int) -> int:
    return 1 + sum(other > points[user_id] for other in points.values())


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
        board = await database.read(
            read_board, guild_id, period, day, user_id=asker, topic_id=topic, page=0
        )
        now = points_by_member(log, period, day, topic)
        earlier = start_of(period, day) - timedelta(days=1)
        before = {} if period == "all" else points_by_member(log, period, earlier, topic)
        assert (board.period, board.topic_id, board.members, board.pages, board.page) == (
            period,
            topic,
            len(now),
            1,
            0,
        )
        assert [(r.place, r.user_id, r.points, r.before) for r in board.rows] == [
            (place_in(now, user), user, points, place_in(before, user) if user in before else None)
            for user, points in sorted(now.items(), key=lambda m: (-m[1], m[0]))
        ]
        for row in board.rows:
            was = place_in(before, row.user_id) if row.user_id in before else None
            assert trend(row.place, was) == (
                "" if was is None else "▬▼▲"[(row.place > was) - (row.place < was)]
            )
        assert board.own == own_in(now, asker)


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
    now = points_by_member(log, "week", DAY, None)
    before = points_by_member(log, "week", DAY - timedelta(days=7), None)
    expected = [
        (place_in(now, user), user, points, place_in(before, user) if user in before else None)
        for user, points in sorted(now.items(), key=lambda m: (-m[1], m[0]))
    ]
    pages = max(1, (len(now) + PAGE_SIZE - 1) // PAGE_SIZE)
    shown = []
    for page in range(pages):
        board = await database.read(
            read_board, guild_id, "week", DAY, user_id=asker, topic_id=None, page=page
        )
        assert (board.page, board.pages, board.members, board.own) == (
            page,
            pages,
            len(now),
            own_in(now, asker),
        )
        assert len(board.rows) == min(PAGE_SIZE, len(now) - page * PAGE_SIZE)
        shown += [(r.place, r.user_id, r.points, r.before) for r in board.rows]
    assert shown == expected
    beyond = await database.read(
        read_board, guild_id, "week", DAY, user_id=asker, topic_id=None, page=99
    )
    assert beyond == board


def own_in(points: dict[int, int], user_id: int) -> Own | None:
    if user_id not in points:
        return None
    better = [p for p in points.values() if p > points[user_id]]
    if not better:
        return Own(place_in(points, user_id), points[user_id])
    next_one = min(better)
    next_place = 1 + sum(p > next_one for p in points.values())
    return Own(place_in(points, user_id), points[user_id], next_one - points[user_id], next_place)


async def test_ties_and_the_own_place(database: Database) -> None:
    """Equal points share a place and the next one is skipped; the own place says how much is missing to the next."""
    await database.write(
        store_counted,
        [counted(1, user, points) for user, points in [(1, 50), (2, 80), (3, 80), (4, 50)]],
    )
    board = await database.read(read_board, 1, "today", DAY, user_id=4, topic_id=None, page=0)
    assert [(row.place, row.user_id) for row in board.rows] == [(1, 2), (1, 3), (3, 1), (3, 4)]
    assert board.own == Own(3, 50, behind=30, next_place=1)
    leading = await database.read(read_board, 1, "today", DAY, user_id=3, topic_id=None, page=0)
    assert leading.own == Own(1, 80)


async def test_servers_are_apart(database: Database) -> None:
    """A board shows its own server only."""
    await database.write(store_counted, [counted(1, 1, 50), counted(2, 1, 70), counted(2, 2, 60)])
    board = await database.read(read_board, 1, "all", DAY, user_id=2, topic_id=None, page=0)
    assert ([(row.user_id, row.points) for row in board.rows], board.own) == ([(1, 50)], None)


async def test_erased_members_are_on_no_board(database: Database) -> None:
    """An erased member's answers count on no board of members or teams."""
    erased = replace(counted(1, -9, 50), paid=None)

    def fill(conn: Connection) -> None:
        store_counted(conn, [counted(1, 1, 40, team=71)])
        answer_log.add(conn, erased)

    await database.write(fill)
    for period in PERIODS:
        board = await database.read(read_board, 1, period, DAY, user_id=1, topic_id=None, page=0)
        assert [(row.place, row.user_id, row.points) for row in board.rows] == [(1, 1, 40)]
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
    given_then = [
        counted(guild_id, user, points, when, about, team=team)
        for user, about, points, team, when in lines
    ]
    await database.write(store_counted, given_then)
    await check_teams(database, guild_id, given_then, day, topic)
    await database.write(totals.rebuild)
    await check_teams(database, guild_id, given_then, day, topic)


async def check_teams(
    database: Database, guild_id: int, given: Sequence[Answer], day: date, topic: str | None
) -> None:
    for period in PERIODS:
        own = [
            a for a in given if a.team_id and is_in(period, day, a) and topic in {None, a.topic_id}
        ]
        expected = {
            team: TeamSum(
                team,
                sum(a.paid or 0 for a in own if a.team_id == team),
                len({a.user_id for a in own if a.team_id == team}),
            )
            for team in {a.team_id for a in own if a.team_id}
        }
        found = await database.read(team_sums, guild_id, days_of(period, day), topic)
        assert {s.team_id: s for s in found} == expected
