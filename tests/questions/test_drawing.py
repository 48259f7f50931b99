"""Drawing items, and the order of their choices."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from bot.core.tables import milliseconds
from bot.questions.drawing import draw, shuffled
from bot.questions.model import Item
from tests.shipped import item, typed

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
        item(f"{topic}-{number}", topic=f"topic-{topic}")
        for topic, size in enumerate(build(st.lists(st.integers(1, 4), max_size=5)))
        for number in range(size)
    ]
    asked = {i.id: ago(build(st.integers(0, 4))) for i in items if build(st.booleans())}
    return build(st.permutations(items)), asked


@given(bank=banks(), count=st.integers(0, 24), seed=st.integers(0, 999))
def test_the_laws_of_a_draw(bank: tuple[list[Item], dict[str, int]], count: int, seed: int) -> None:
    """A draw is as long as it can be, without repetition, and each step is fair.

    No topic with items left has been asked less often, and among the topics asked as often, no item
    has waited longer.
    """
    items, asked = bank
    drawn = draw(items, asked, count, random.Random(seed))
    assert len(drawn) == len({i.id for i in drawn}) == min(count, len(items))
    left = {i.id: i for i in items}
    used = Counter[str]()
    for one in drawn:
        least = min(used[i.topic_id] for i in left.values())
        rivals = [i for i in left.values() if used[i.topic_id] == least]
        assert used[one.topic_id] == least
        assert asked.get(one.id, NEVER) == min(asked.get(i.id, NEVER) for i in rivals)
        del left[one.id]
        used[one.topic_id] += 1


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
