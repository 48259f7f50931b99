"""Drawing items, and the order of their choices."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.tables import milliseconds
from bot.questions.drawing import draw, mix, shuffled
from bot.questions.model import LEVELS, Item
from tests.shipped import item, packs, typed

NOW = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
NEVER = -1
SEEDS = range(20)


def ago(days: int) -> int:
    return milliseconds(NOW - timedelta(days=days))


def test_the_topic_that_waited_longer() -> None:
    """Among topics with a new item, one never asked is first, then the one asked longer ago."""
    items = [item(f"{topic}-{n}", topic=topic) for topic in "abc" for n in range(2)]
    for seed in SEEDS:
        drawn = draw(items, {"a-0": ago(1), "b-0": ago(5)}, 3, random.Random(seed))
        assert [i.id for i in drawn][1:] == ["b-1", "a-1"]
        assert drawn[0].topic_id == "c"


def test_chance_decides_among_equals() -> None:
    """Among items with the same history each can come first, and the same seed draws the same."""
    items = [item(f"{topic}-{n}", topic=topic) for topic in "ab" for n in range(2)]
    firsts = {draw(items, {}, 1, random.Random(seed))[0].id for seed in range(100)}
    assert firsts == {"a-0", "a-1", "b-0", "b-1"}
    assert draw(items, {}, 4, random.Random(7)) == draw(items, {}, 4, random.Random(7))


class CountingRandom(random.Random):
    """Counts the random numbers that were drawn."""

    drawn = 0

    def getrandbits(self, bits: int, /) -> int:
        self.drawn += 1
        return super().getrandbits(bits)


def test_random_numbers_only_for_drawn_items() -> None:
    """A draw costs no random number for each item of the bank."""
    items = [item(f"{topic}-{n}", topic=str(topic)) for topic in range(10) for n in range(100)]
    rng = CountingRandom(1)
    assert len(draw(items, {}, 10, rng)) == 10
    assert rng.drawn < 100


@st.composite
def banks(build: st.DrawFn) -> tuple[list[Item], dict[str, int]]:
    """Up to five topics with up to four items, and when some of them were asked."""
    items = [
        item(f"{topic}-{number}", topic=f"topic-{topic}", difficulty=build(st.integers(1, 5)))
        for topic, size in enumerate(build(st.lists(st.integers(1, 4), max_size=5)))
        for number in range(size)
    ]
    asked = {i.id: ago(build(st.integers(0, 4))) for i in items if build(st.booleans())}
    return build(st.permutations(items)), asked


@given(bank=banks(), count=st.integers(0, 24), seed=st.integers(0, 999))
def test_the_laws_of_a_draw(bank: tuple[list[Item], dict[str, int]], count: int, seed: int) -> None:
    """A draw is as long as it can be, without repetition; it climbs, and each step is fair.

    Nothing of the half of its level that was asked most recently comes while others are left. No
    topic with items of the level left has been drawn less often, and among the topics drawn as often, no item
    of the level has waited longer.
    """
    items, asked = bank
    drawn = draw(items, asked, count, random.Random(seed))
    assert len(drawn) == len({i.id for i in drawn}) == min(count, len(items))
    for one in drawn:
        of_level = [asked.get(i.id, NEVER) for i in items if i.level == one.level]
        longer = [at for at in of_level if at < asked.get(one.id, NEVER)]
        assert len(longer) < max(count, (len(of_level) + 1) / 2)
    left = {
        i.id: i
        for level in LEVELS
        for of_level in [[i for i in items if i.level == level]]
        for i in of_level
        for half in [max(count, (len(of_level) + 1) // 2)]
        if asked.get(i.id, NEVER) in sorted(asked.get(j.id, NEVER) for j in of_level)[:half]
    }
    available = [sum(i.level == level for i in left.values()) for level in LEVELS]
    levels = [LEVELS.index(i.level) for i in drawn]
    assert levels == sorted(levels)
    assert [levels.count(n) for n in range(3)] == mix(count, available)
    used = Counter[str]()
    for one in drawn:
        rivals = [i for i in left.values() if i.level == one.level]
        least = min(used[i.topic_id] for i in rivals)
        rivals = [i for i in rivals if used[i.topic_id] == least]
        assert used[one.topic_id] == least
        assert asked.get(one.id, NEVER) == min(asked.get(i.id, NEVER) for i in rivals)
        del left[one.id]
        used[one.topic_id] += 1


@given(bank=banks(), count=st.integers(0, 24), seed=st.integers(0, 999), topic=st.integers(0, 4))
def test_what_comes_first(
    bank: tuple[list[Item], dict[str, int]], count: int, seed: int, topic: int
) -> None:
    """The wanted items come before others, however lately they were asked; it climbs."""
    items, asked = bank
    first = {i.id for i in items if i.topic_id == f"topic-{topic}"}
    drawn = draw(items, asked, count, random.Random(seed), first)
    assert len(drawn) == len({i.id for i in drawn}) == min(count, len(items))
    assert drawn == sorted(drawn, key=lambda i: LEVELS.index(i.level))
    assert sum(i.id in first for i in drawn) == min(count, len(first))
    for level in LEVELS:
        of_level = [i.id in first for i in drawn if i.level == level]
        assert of_level == sorted(of_level, reverse=True)


@pytest.mark.parametrize(
    ("count", "left", "expected"),
    [
        (1, (9, 9, 9), [1, 0, 0]),
        (2, (9, 9, 9), [1, 1, 0]),
        (3, (9, 9, 9), [2, 1, 0]),
        (5, (9, 9, 9), [2, 2, 1]),
        (10, (9, 9, 9), [4, 4, 2]),
        (20, (9, 9, 9), [8, 8, 4]),
        (5, (1, 9, 9), [1, 3, 1]),
        (5, (9, 0, 9), [4, 0, 1]),
        (5, (9, 9, 0), [2, 3, 0]),
        (5, (0, 2, 9), [0, 2, 3]),
        (5, (9, 1, 0), [4, 1, 0]),
        (5, (0, 0, 9), [0, 0, 5]),
        (5, (1, 1, 1), [1, 1, 1]),
    ],
)
def test_how_many_of_each_level(
    count: int, left: tuple[int, int, int], expected: list[int]
) -> None:
    """Mostly easy and medium; where a level has too few, its neighbours make up for it."""
    assert mix(count, left) == expected


def test_the_rounds_of_a_busy_server() -> None:
    """Each of 300 begins easy and climbs, has no topic twice, and repeats nothing of the last 90."""
    items, rng = list(packs().asked.values()), random.Random(1)
    asked: dict[str, int] = {}
    for number in range(300):
        drawn = draw(items, asked, 5, rng)
        assert [i.level for i in drawn] == ["easy", "easy", "medium", "medium", "hard"]
        assert len({i.topic_id for i in drawn}) == 5
        assert all(number - asked.get(i.id, -99) > 90 for i in drawn)
        asked |= {i.id: number for i in drawn}


def test_shuffling() -> None:
    """Each of the 24 orders of four choices comes up, with the right one evenly in each place."""
    seen = Counter(shuffled(item(), random.Random(seed)) for seed in range(2_400))
    assert set(seen) == set(permutations(range(4)))
    first = Counter(order.index(0) for order in seen.elements())
    assert all(500 < times < 700 for times in first.values())
    for size in (2, 3, 5, 6):
        order = shuffled(item(choices="Y" + "N" * (size - 1)), random.Random(1))
        assert sorted(order) == list(range(size))
    assert shuffled(typed("attention"), random.Random(1)) == ()
