"""The ledger and its sums agree for any entries."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from bot.points.rules import PERIODS
from bot.points.store import Entry
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from tests.points.entries import AT, DAY, GUILDS, LINES, entry, several_on_one_database, start_of

from bot.boards.store import board as read_board
from bot.core.database import Database
from bot.points import store as scores

CHANGES = st.lists(
    st.tuples(st.integers(0, 39), st.sampled_from([0, 1, 3, 700, 5_000])), max_size=6
)
"""Entries, by their place, whose points are changed."""


@several_on_one_database
@given(lines=LINES, cuts=st.lists(st.integers(0, 40), max_size=4))
async def test_the_sums_equal_the_ledger(
    database: Database, lines: list[tuple[int, str, int, bool, date]], cuts: list[int]
) -> None:
    """After any entries, in any portions, each period's sums are those of the ledger, and there are no others."""
    guild_id = next(GUILDS)
    entries = [
        entry(guild_id, user, points, day, topic, right)
        for user, topic, points, right, day in lines
    ]
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
        sums = {
            (r.period, r.start, r.topic_id, r.user_id): [r.points, r.answers, r.right] for r in rows
        }
        written = (
            select(func.count())
            .select_from(scores.ledger)
            .where(scores.ledger.c.guild_id == guild_id)
        )
        return sums, conn.execute(written).scalar_one()

    assert await database.read(look) == (dict(expected), len(entries))


@several_on_one_database
@given(lines=LINES, cuts=st.lists(st.integers(0, 40), max_size=4), changes=CHANGES)
async def test_the_buckets_count_the_members(
    database: Database,
    lines: list[tuple[int, str, int, bool, date]],
    cuts: list[int],
    changes: list[tuple[int, int]],
) -> None:
    """After any entries and changes of them the buckets are those of the sums, and there are no empty ones."""
    guild_id = next(GUILDS)
    entries = [
        entry(guild_id, user, points, day, topic, right)
        for user, topic, points, right, day in lines
    ]
    places = [0, *sorted(min(cut, len(entries)) for cut in cuts), len(entries)]
    for begin, end in itertools.pairwise(places):
        await database.write(scores.add, entries[begin:end])
    for at, points in changes:
        if at < len(entries):
            e = entries[at]
            change = partial(
                scores.replace, source=e.source, source_id=e.source_id, user_id=e.user_id
            )
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


async def test_days_are_counted_once_when_sums_are_made_anew(database: Database) -> None:
    """Also those whose own sums have been dropped."""
    await database.write(
        scores.add, [entry(1, 1, 10, DAY + timedelta(days=n * 30)) for n in range(9)]
    )
    for n in range(9):
        await database.write(scores.add, [entry(1, 1, 10, DAY + timedelta(days=300 + n))])
    await database.write(scores.rebuild_sums)
    assert await database.read(scores.active_days, 1, 1) == 18


async def test_sums_are_made_anew(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever has become of sums, buckets and days, they are again what the entries make; the ledger stays."""
    monkeypatch.setattr(scores, "_PORTION", 7)
    days = [DAY + timedelta(days=n % 5) for n in range(40)]
    entries = [entry(n % 2, n % 3, n * 40, day, f"t{n % 4}") for n, day in enumerate(days)]
    await database.write(scores.add, entries)
    tables = scores.scores, scores.score_buckets

    def look(conn: Connection) -> list[list[tuple[object, ...]]]:
        return [sorted(tuple(row) for row in conn.execute(select(table))) for table in tables]

    def spoil(conn: Connection) -> None:
        sums, buckets = tables
        conn.execute(update(sums).where(sums.c.user_id == 1).values(points=7, days=99))
        conn.execute(delete(sums).where(sums.c.user_id == 2, sums.c.period == "week"))
        conn.execute(delete(buckets).where(buckets.c.guild_id == 1))

    right = await database.read(look)
    await database.write(spoil)
    assert await database.read(look) != right
    assert await database.write(scores.rebuild_sums) == len(entries)
    assert await database.read(look) == right
    assert await database.write(scores.rebuild_sums) == len(entries)
    assert await database.read(look) == right


async def test_old_sums_are_dropped(database: Database) -> None:
    """Of a day, week or month that began long ago, on that server; sums of all time and the ledger have them still."""
    old = [entry(1, user, 10, DAY + timedelta(days=n)) for n in range(40) for user in (1, 2)]
    await database.write(scores.add, [*old, entry(2, 1, 10)])
    for n in range(91, 140):
        await database.write(scores.add, [entry(1, 1, 10, DAY + timedelta(days=n))])

    def starts(conn: Connection, guild_id: int, period: str) -> list[date]:
        found = []
        for table in (scores.scores, scores.score_buckets):
            query = (
                select(table.c.start)
                .where(table.c.guild_id == guild_id, table.c.period == period)
                .distinct()
            )
            found.append(sorted(conn.execute(query).scalars()))
        assert found[0] == found[1]
        return found[0]

    since = DAY + timedelta(days=139 - 90)
    for period in ("today", "week", "month"):
        assert [start for start in await database.read(starts, 1, period) if start < since] == []
        assert len(await database.read(starts, 2, period)) == 1
    assert len(await database.read(starts, 1, "today")) == 49
    assert await database.read(scores.total, 1, 1) == (890, 89, 89)
    assert await database.read(scores.active_days, 1, 1) == 89
    await database.write(scores.replace, "round", old[0].source_id, 1, points=0, correct=False)
    assert await database.read(scores.total, 1, 1) == (880, 89, 88)
    assert await database.read(starts, 1, "today") == [
        DAY + timedelta(days=n) for n in range(91, 140)
    ]


async def test_what_was_won_lately(database: Database) -> None:
    """Members of a server who have won points with an item since a moment; nothing, and others, do not count."""
    lines = [
        (1, 1, "a", 50, 0),
        (2, 1, "a", 0, 0),
        (3, 1, "a", 50, -2),
        (4, 2, "a", 50, 0),
        (5, 1, "b", 50, 0),
    ]
    entries = [
        replace(entry(guild_id, user, points), item_id=item, at=AT + timedelta(days=days))
        for user, guild_id, item, points, days in lines
    ]
    await database.write(scores.add, entries)
    everybody = [1, 2, 3, 4, 5, 6]
    assert await database.read(scores.won_lately, 1, "a", everybody, AT - timedelta(days=1)) == {1}
    assert await database.read(scores.won_lately, 1, "a", everybody, AT - timedelta(days=3)) == {
        1,
        3,
    }
    assert await database.read(scores.won_lately, 1, "a", [2, 3], AT - timedelta(days=3)) == {3}
    assert (
        await database.read(scores.points_won, "round", [e.source_id for e in entries[:3]]) == 100
    )
    assert await database.read(scores.points_won, "daily", [e.source_id for e in entries]) == 0
    assert await database.read(scores.points_won, "round", []) == 0


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
    board = await database.read(read_board, 1, "all", DAY, user_id=1, topic_id=None, page=0)
    assert (board.members, board.rows, board.own) == (0, (), None)


async def test_the_figures_of_a_member(database: Database) -> None:
    """Totals, figures by topic and active days count what the member answered, right or wrong."""
    lines = [(10, 0, "t1", True), (0, 0, "t1", False), (20, 1, "t2", True), (5, 40, "t2", True)]
    await database.write(
        scores.add,
        [
            entry(1, 1, points, DAY + timedelta(days=n), topic, right)
            for points, n, topic, right in lines
        ],
    )
    assert await database.read(scores.total, 1, 1) == (35, 4, 3)
    assert await database.read(scores.by_topic, 1, 1, ["t1", "t2", "t3"]) == {
        "t1": (2, 1),
        "t2": (2, 2),
    }
    assert await database.read(scores.active_days, 1, 1) == 3
    assert await database.read(scores.total, 1, 2) == (0, 0, 0)


async def test_an_entry_that_is_replaced(database: Database) -> None:
    """Ledger and every sum change by the difference; the number of answers stays; other members' sums too."""
    one, other = entry(1, 1, 40, right=False), entry(1, 2, 30)
    await database.write(scores.add, [one, other])
    for points, right in ((67, True), (67, True), (10, False)):
        await database.write(
            lambda conn, p=points, r=right: scores.replace(
                conn, "round", one.source_id, 1, points=p, correct=r
            )  # type: ignore[misc]
        )
        assert await database.read(scores.total, 1, 1) == (points, 1, int(right))
        for period in PERIODS:
            for topic in (None, "t1"):
                board = await database.read(
                    read_board, 1, period, DAY, user_id=1, topic_id=topic, page=0
                )
                assert {row.user_id: row.points for row in board.rows} == {1: points, 2: 30}
    await database.write(
        lambda conn: scores.replace(conn, "daily", one.source_id, 1, points=9, correct=True)
    )
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
        await database.write(
            scores.add, [Entry("round", number, user, guild, topic, 5, True, day, AT)]
        )
    assert await database.read(scores.answers_by_day, 1, 1, days) == {days[0]: 2, days[2]: 1}
