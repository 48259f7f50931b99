"""Boards are what a naive reading of the ledger gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.boards.rules import PAGE_SIZE, Own
from bot.boards.store import board as read_board
from bot.core.database import Database
from bot.points import store as scores
from bot.points.rules import PERIODS
from bot.points.store import Entry
from tests.points.entries import DAY, DAYS, GUILDS, LINES, POINTS, TOPICS, entry, several_on_one_database, start_of

MORE_MEMBERS = st.lists(st.tuples(st.integers(1, 45), POINTS, st.integers(0, 1)), min_size=30, max_size=60)


def points_by_member(entries: Sequence[Entry], period: str, day: date, topic: str | None) -> dict[int, int]:
    """A board's members and points, by going through the whole ledger."""
    start = start_of(period, day)
    found: dict[int, int] = defaultdict(int)
    for e in entries:
        if start_of(period, e.local_date) == start and topic in {None, e.topic_id}:
            found[e.user_id] += e.points
    return dict(found)


def place_in(points: dict[int, int], user_id: int) -> int:
    return 1 + sum(other > points[user_id] for other in points.values())


@several_on_one_database
@given(lines=LINES, day=DAYS, asker=st.integers(1, 7), topic=st.sampled_from([None, *TOPICS]))
async def test_boards_of_every_period(
    database: Database, lines: list[tuple[int, str, int, bool, date]], day: date, asker: int, topic: str | None
) -> None:
    """Members, order, places, trends and the asker's own place are what the ledger says, for any day and topic."""
    guild_id = next(GUILDS)
    entries = [entry(guild_id, user, points, when, about, right) for user, about, points, right, when in lines]
    await database.write(scores.add, entries)
    for period in PERIODS:
        board = await database.read(read_board, guild_id, period, day, user_id=asker, topic_id=topic, page=0)
        now = points_by_member(entries, period, day, topic)
        earlier = start_of(period, day) - timedelta(days=1)
        before = {} if period == "all" else points_by_member(entries, period, earlier, topic)
        assert (board.period, board.topic_id, board.members, board.pages, board.page) == (period, topic, len(now), 1, 0)
        assert [(r.place, r.user_id, r.points, r.before) for r in board.rows] == [
            (place_in(now, user), user, points, place_in(before, user) if user in before else None)
            for user, points in sorted(now.items(), key=lambda m: (-m[1], m[0]))
        ]
        for row in board.rows:
            was = place_in(before, row.user_id) if row.user_id in before else None
            assert row.trend == ("" if was is None else "▬▼▲"[(row.place > was) - (row.place < was)])
        assert board.own == own_in(now, asker)


@several_on_one_database
@given(lines=MORE_MEMBERS, asker=st.integers(1, 46))
async def test_pages_of_a_long_board(database: Database, lines: list[tuple[int, int, int]], asker: int) -> None:
    """The pages together are the whole board, each member once, with ties that go on over a page's end."""
    guild_id = next(GUILDS)
    entries = [entry(guild_id, user, points, DAY - timedelta(days=7 * ago)) for user, points, ago in lines]
    await database.write(scores.add, entries)
    now = points_by_member(entries, "week", DAY, None)
    before = points_by_member(entries, "week", DAY - timedelta(days=7), None)
    expected = [
        (place_in(now, user), user, points, place_in(before, user) if user in before else None)
        for user, points in sorted(now.items(), key=lambda m: (-m[1], m[0]))
    ]
    pages = max(1, (len(now) + PAGE_SIZE - 1) // PAGE_SIZE)
    shown = []
    for page in range(pages):
        board = await database.read(read_board, guild_id, "week", DAY, user_id=asker, topic_id=None, page=page)
        assert (board.page, board.pages, board.members, board.own) == (page, pages, len(now), own_in(now, asker))
        assert len(board.rows) == min(PAGE_SIZE, len(now) - page * PAGE_SIZE)
        shown += [(r.place, r.user_id, r.points, r.before) for r in board.rows]
    assert shown == expected
    beyond = await database.read(read_board, guild_id, "week", DAY, user_id=asker, topic_id=None, page=99)
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
    await database.write(scores.add, [entry(1, user, points) for user, points in [(1, 50), (2, 80), (3, 80), (4, 50)]])
    board = await database.read(read_board, 1, "today", DAY, user_id=4, topic_id=None, page=0)
    assert [(row.place, row.user_id) for row in board.rows] == [(1, 2), (1, 3), (3, 1), (3, 4)]
    assert board.own == Own(3, 50, behind=30, next_place=1)
    leading = await database.read(read_board, 1, "today", DAY, user_id=3, topic_id=None, page=0)
    assert leading.own == Own(1, 80)


async def test_servers_are_apart(database: Database) -> None:
    """A board shows its own server only."""
    await database.write(scores.add, [entry(1, 1, 50), entry(2, 1, 70), entry(2, 2, 60)])
    board = await database.read(read_board, 1, "all", DAY, user_id=2, topic_id=None, page=0)
    assert ([(row.user_id, row.points) for row in board.rows], board.own) == ([(1, 50)], None)
