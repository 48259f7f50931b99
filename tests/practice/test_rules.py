"""The order of due items, and the choice of new ones."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

from fsrs import Rating

from bot.memory.rules import MemoryCard, due_items, review
from bot.practice.rules import draw_new, first_new
from bot.questions.model import Item

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def card(rating: Rating, ago: timedelta) -> MemoryCard:
    return review(None, rating, NOON - ago)


CARDS = {
    "known": card(Rating.Good, HOUR),
    "due-long": card(Rating.Good, 9 * DAY),
    "due": card(Rating.Good, 2 * DAY),
    "missed-long": card(Rating.Again, 5 * DAY),
    "missed-now": card(Rating.Again, timedelta(minutes=1)),
}


def test_misses_first_then_the_longest_due() -> None:
    """Items that are not due are left out."""
    assert due_items(CARDS, "UTC", NOON) == ["missed-long", "missed-now", "due-long", "due"]


def test_what_was_asked_or_is_hidden_is_left_out() -> None:
    """An item missed in this practice waits for ten minutes; one missed long ago does not."""
    assert due_items(CARDS, "UTC", NOON, asked={"missed-now", "missed-long"}, hidden={"due"}) == [
        "missed-long",
        "due-long",
    ]
    assert "missed-now" in due_items(
        CARDS, "UTC", NOON + timedelta(minutes=9), asked={"missed-now"}
    )


def items(*ids: str) -> list[Item]:
    return [Item(name, name.partition("-")[0], "choice", 3, "?", "!") for name in ids]


def test_new_items_come_from_the_topic_met_longest_ago() -> None:
    """A new topic comes first; ties are broken at random."""
    pool = items("a-1", "a-2", "b-1", "b-2", "c-1")
    rng = random.Random(1)
    met = {"a-1": card(Rating.Good, HOUR), "b-1": card(Rating.Good, DAY)}
    drawn = draw_new(pool, met, (), rng)
    assert drawn is not None
    assert drawn.id == "c-1"
    met["c-1"] = card(Rating.Good, timedelta(0))
    drawn = draw_new(pool, met, (), rng)
    assert drawn is not None
    assert drawn.id == "b-2"
    equal = Counter(i.id for _ in range(200) if (i := draw_new(pool, {}, (), rng)))
    assert set(equal) == {i.id for i in pool}


def test_what_is_in_play_somewhere_comes_last() -> None:
    """An item in play is drawn only if nothing else is new, and never if the member has met it."""
    pool = items("a-1", "b-1", "c-1")
    met = {"c-1": card(Rating.Good, HOUR)}
    rng = random.Random(1)
    assert draw_new(pool, met, {"a-1"}, rng) == pool[1]
    assert draw_new(pool, met | {"b-1": card(Rating.Good, HOUR)}, {"a-1"}, rng) == pool[0]
    assert draw_new(pool[2:], met, (), rng) is None
    assert draw_new([], {}, (), rng) is None


def test_the_first_of_an_order() -> None:
    """The first item of the order in the pool is chosen, one in play only if no other is left."""
    order = items("c-1", "a-1", "b-1")
    assert first_new(order, {"a-1", "b-1"}, ()) == order[1]
    assert first_new(order, {"a-1", "b-1"}, {"a-1"}) == order[2]
    assert first_new(order, {"a-1", "b-1"}, {"a-1", "b-1"}) == order[1]
    assert first_new(order, {"d-1"}, ()) is first_new([], {"a-1"}, ()) is None
