"""The ledger and its sums agree for any entries, and boards are what a naive reading of the ledger gives."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from bot.core.database import Database
from bot.points import store as scores
from bot.points.rules import PAGE_SIZE, PERIODS, Own
from bot.points.store import Entry

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = date(2027, 1, 4)  # a Monday
TOPICS = ("t1", "t2", "t3")
GUILDS, SOURCES = itertools.count(1), itertools.count(1)

# Days around the turns of week, month and year; few points so that there are ties, and many so that buckets are shared.
DAYS = st.dates(date(2026, 12, 25), date(2027, 2, 3))
POINTS = st.integers(0, 3) | st.integers(10_000, 10_100)
LINES = st.lists(st.tuples(st.integers(1, 6), st.sampled_from(TOPICS), POINTS, st.booleans(), DAYS), max_size=40)
MORE_MEMBERS = st.lists(st.tuples(st.integers(1, 45), POINTS, st.integers(0, 1)), min_size=30, max_size=60)

CHANGES = st.lists(st.tuples(st.integers(0, 39), st.sampled_from([0, 1, 3, 700, 5_000])), max_size=6)
"""Entries, by their place, whose points are changed."""

several_on_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""Each example has a server of its own, so they don't need an empty database."""


def entry(guild_id: int, user_id: int, points: int, day: date = DAY, topic: str = "t1", right: bool = True) -> Entry:
    return Entry("round", next(SOURCES), user_id, guild_id, topic, points, right, day, AT)


def start_of(period: str, day: date) -> date:
    """The first date of a period, told differently from the product's own way."""
    while period != "all" and not _begins(period, day):
        day -= timedelta(days=1)
    return date(1970, 1, 1) if period == "all" else day


def _begins(period: str, day: date) -> bool:
    return {"today": True, "week": day.isoweekday() == 1, "month": day.day == 1}[period]


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
@given(lines=LINES, cuts=st.lists(st.integers(0, 40), max_size=4))
async def test_the_sums_equal_the_ledger(
    database: Database, lines: list[tuple[int, str, int, bool, date]], cuts: list[int]
) -> None:
    """After any entries, in any portions, each period's sums are those of the ledger, and there are no others."""
    guild_id = next(GUILDS)
    entries = [entry(guild_id, user, points, day, topic, right) for user, topic, points, right, day in lines]
    places = [0, *sorted(min(cut, len(entries)) for cut in cuts), len(entries)]
    for begin, end in itertools.pairwise(places):
        await database.write(scores.add, entries[begin:end])
    expected: dict[tuple[str, date, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for e in entries:
        for period in PERIODS:
            for topic in ("", e.topic_id):
                total = expected[period, start_of(period, e.local_date), topic, e.user_id]
                for index, more in enumerate((e.points, 1, e.correct)):
                    total[index] += more

    def look(conn: Connection) -> tuple[dict[tuple[str, date, str, int], list[int]], int]:
        table = scores.scores
        rows = conn.execute(select(table).where(table.c.guild_id == guild_id))
        sums = {(r.period, r.start, r.topic_id, r.user_id): [r.points, r.answers, r.right] for r in rows}
        written = select(func.count()).select_from(scores.ledger).where(scores.ledger.c.guild_id == guild_id)
        return sums, conn.execute(written).scalar_one()

    assert await database.read(look) == (dict(expected), len(entries))


@several_on_one_database
@given(lines=LINES, cuts=st.lists(st.integers(0, 40), max_size=4), changes=CHANGES)
async def test_the_buckets_count_the_members(
    database: Database, lines: list[tuple[int, str, int, bool, date]], cuts: list[int], changes: list[tuple[int, int]]
) -> None:
    """After any entries and changes of them the buckets are those of the sums, and there are no empty ones."""
    guild_id = next(GUILDS)
    entries = [entry(guild_id, user, points, day, topic, right) for user, topic, points, right, day in lines]
    places = [0, *sorted(min(cut, len(entries)) for cut in cuts), len(entries)]
    for begin, end in itertools.pairwise(places):
        await database.write(scores.add, entries[begin:end])
    for at, points in changes:
        if at < len(entries):
            e = entries[at]
            change = partial(scores.replace, source=e.source, source_id=e.source_id, user_id=e.user_id)
            await database.write(change, points=points, correct=points > 0)

    def look(conn: Connection) -> tuple[Counter[tuple[object, ...]], dict[tuple[object, ...], int]]:
        sums, buckets = scores.scores, scores.score_buckets
        members = conn.execute(select(sums).where(sums.c.guild_id == guild_id))
        counted = conn.execute(select(buckets).where(buckets.c.guild_id == guild_id))
        return (
            Counter((r.period, r.start, r.topic_id, lowest_beside(r.points)) for r in members),
            {(r.period, r.start, r.topic_id, r.low): r.members for r in counted},
        )

    expected, found = await database.read(look)
    assert found == expected


def lowest_beside(points: int) -> int:
    """The lowest points of a bucket, told differently from the product's own way."""
    width = 1
    while points // width >= 512:
        width *= 2
    return points - points % width


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
        board = await database.read(scores.board, guild_id, period, day, user_id=asker, topic_id=topic, page=0)
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
        board = await database.read(scores.board, guild_id, "week", DAY, user_id=asker, topic_id=None, page=page)
        assert (board.page, board.pages, board.members, board.own) == (page, pages, len(now), own_in(now, asker))
        assert len(board.rows) == min(PAGE_SIZE, len(now) - page * PAGE_SIZE)
        shown += [(r.place, r.user_id, r.points, r.before) for r in board.rows]
    assert shown == expected
    beyond = await database.read(scores.board, guild_id, "week", DAY, user_id=asker, topic_id=None, page=99)
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
    board = await database.read(scores.board, 1, "today", DAY, user_id=4, topic_id=None, page=0)
    assert [(row.place, row.user_id) for row in board.rows] == [(1, 2), (1, 3), (3, 1), (3, 4)]
    assert board.own == Own(3, 50, behind=30, next_place=1)
    leading = await database.read(scores.board, 1, "today", DAY, user_id=3, topic_id=None, page=0)
    assert leading.own == Own(1, 80)


async def test_an_entry_twice_is_refused(database: Database) -> None:
    """The same answer's points can't be written again, and the attempt leaves ledger and sums as they were."""
    one, other = entry(1, 1, 50), entry(1, 2, 30)
    await database.write(scores.add, [one])
    with pytest.raises(IntegrityError):
        await database.write(scores.add, [other, one])
    with pytest.raises(IntegrityError):
        await database.write(scores.add, [other, other])
    assert await database.read(scores.total, 1, 1) == (50, 1, 1)
    assert await database.read(scores.total, 1, 2) == (0, 0, 0)
    await database.write(scores.add, [other])
    assert await database.read(scores.total, 1, 2) == (30, 1, 1)


async def test_the_same_question_for_two_members_and_two_sources(database: Database) -> None:
    """Round and daily may have the same number, and a question has as many entries as members."""
    one = entry(1, 1, 50)
    daily = Entry("daily", one.source_id, 1, 1, "t1", 100, True, DAY, AT)
    other = Entry("round", one.source_id, 2, 1, "t1", 20, True, DAY, AT)
    await database.write(scores.add, [one, daily, other])
    assert await database.read(scores.total, 1, 1) == (150, 2, 2)


async def test_an_entry_without_a_topic_counts_once(database: Database) -> None:
    """Points of an item whose topic is not known any more count once on the boards of all topics."""
    await database.write(scores.add, [entry(1, 1, 50, topic="")])
    assert await database.read(scores.total, 1, 1) == (50, 1, 1)


async def test_nothing_to_add(database: Database) -> None:
    """No entries are no work."""
    await database.write(scores.add, [])
    board = await database.read(scores.board, 1, "all", DAY, user_id=1, topic_id=None, page=0)
    assert (board.members, board.rows, board.own) == (0, (), None)


async def test_servers_are_apart(database: Database) -> None:
    """A board shows its own server only."""
    await database.write(scores.add, [entry(1, 1, 50), entry(2, 1, 70), entry(2, 2, 60)])
    board = await database.read(scores.board, 1, "all", DAY, user_id=2, topic_id=None, page=0)
    assert ([(row.user_id, row.points) for row in board.rows], board.own) == ([(1, 50)], None)


async def test_the_figures_of_a_member(database: Database) -> None:
    """Totals, figures by topic and active days count what the member answered, right or wrong."""
    lines = [(10, 0, "t1", True), (0, 0, "t1", False), (20, 1, "t2", True), (5, 40, "t2", True)]
    await database.write(
        scores.add, [entry(1, 1, points, DAY + timedelta(days=n), topic, right) for points, n, topic, right in lines]
    )
    assert await database.read(scores.total, 1, 1) == (35, 4, 3)
    assert await database.read(scores.by_topic, 1, 1) == {"t1": (2, 1), "t2": (2, 2)}
    assert await database.read(scores.active_days, 1, 1) == 3
    assert await database.read(scores.total, 1, 2) == (0, 0, 0)


async def test_an_entry_that_is_replaced(database: Database) -> None:
    """Ledger and every sum change by the difference; the number of answers stays; other members' sums too."""
    one, other = entry(1, 1, 40, right=False), entry(1, 2, 30)
    await database.write(scores.add, [one, other])
    for points, right in ((67, True), (67, True), (10, False)):
        await database.write(
            lambda conn, p=points, r=right: scores.replace(conn, "round", one.source_id, 1, points=p, correct=r)  # type: ignore[misc]
        )
        assert await database.read(scores.total, 1, 1) == (points, 1, int(right))
        for period in PERIODS:
            for topic in (None, "t1"):
                board = await database.read(scores.board, 1, period, DAY, user_id=1, topic_id=topic, page=0)
                assert {row.user_id: row.points for row in board.rows} == {1: points, 2: 30}
    await database.write(lambda conn: scores.replace(conn, "daily", one.source_id, 1, points=9, correct=True))
    assert await database.read(scores.total, 1, 1) == (10, 1, 0)


async def test_answers_by_day(database: Database) -> None:
    """Answers of a member on a server by local date, over all topics, for the dates that were asked for."""
    days = [date(2027, 1, n) for n in (1, 2, 3)]
    lines = (
        (1, 1, days[0], "t1"),
        (1, 1, days[0], "t2"),
        (1, 1, days[2], "t1"),
        (1, 2, days[1], "t1"),
        (2, 1, days[1], "t1"),
        (1, 1, date(2026, 12, 31), "t1"),
    )
    for number, (user, guild, day, topic) in enumerate(lines, start=1):
        await database.write(scores.add, [Entry("round", number, user, guild, topic, 5, True, day, AT)])
    assert await database.read(scores.answers_by_day, 1, 1, days) == {days[0]: 2, days[2]: 1}
