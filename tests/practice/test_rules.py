"""The order of due items, and the choice of new ones."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fsrs import Rating

from bot.memory.rules import MemoryCard, due_items, review
from bot.practice.rules import draw_new, first_new
from bot.questions.model import Bank, Item, Section, Topic

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NAMES = [f"t-{n}" for n in range(20)]


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
    return [Item(name, name.partition("-")[0], "typed", 3, "?", "!") for name in ids]


def bank_with(pool: list[Item]) -> Bank:
    topics: dict[str, list[Item]] = {}
    for item in pool:
        topics.setdefault(item.topic_id, []).append(item)
    made = (
        Topic(topic_id, "s", None, topic_id, "", "", (), (), (), tuple(found))
        for topic_id, found in topics.items()
    )
    return Bank("Bank", (Section("s", "S", tuple(made)),))


def test_new_items_come_from_topics_met_longest_ago() -> None:
    """Only of ten topics, those never met first; ties are broken at random."""
    pool = items(*(f"{letter}-{n}" for letter in "abcdefghijkl" for n in (1, 2)))
    rng = random.Random(1)
    met = {"a-1": card(Rating.Good, HOUR), "b-1": card(Rating.Good, DAY)}
    drawn = {i.id for _ in range(300) if (i := draw_new(pool, bank_with(pool), met, (), rng))}
    assert drawn == {item.id for item in pool} - {"a-1", "a-2", "b-1", "b-2"}
    few = items("a-1", "a-2", "b-1", "b-2")
    drawn = {i.id for _ in range(100) if (i := draw_new(few, bank_with(few), met, (), rng))}
    assert drawn == {"b-2"}


def test_new_items_suit_the_members_ability() -> None:
    """A member who misses a lot gets easy items, and one who knows a lot gets harder ones."""
    pool = [replace(i, difficulty=n % 5 + 1) for n, i in enumerate(items(*NAMES))]
    rng = random.Random(1)

    def drawn(rating: Rating, difficulties: set[int]) -> int:
        met = {i.id: card(rating, DAY) for i in pool if i.difficulty in difficulties}
        found = draw_new(pool, bank_with(pool), met, (), rng)
        assert found is not None
        return found.difficulty

    assert drawn(Rating.Again, {2, 3, 4, 5}) == 1
    assert drawn(Rating.Good, {1, 2}) >= 3
    assert drawn(Rating.Good, {1, 2, 3, 4}) == 5
    first = draw_new(pool, bank_with(pool), {}, (), rng)
    assert first is not None
    assert first.difficulty == 1


def test_what_is_in_play_somewhere_comes_last() -> None:
    """An item in play is drawn only if nothing else is new, and never if the member has met it."""
    pool = items("a-1", "b-1", "c-1")
    whole = bank_with(pool)
    met = {"c-1": card(Rating.Good, HOUR)}
    rng = random.Random(1)
    assert draw_new(pool, whole, met, {"a-1"}, rng) == pool[1]
    assert draw_new(pool, whole, met | {"b-1": card(Rating.Good, HOUR)}, {"a-1"}, rng) == pool[0]
    assert draw_new(pool[2:], whole, met, (), rng) is None
    assert draw_new([], whole, {}, (), rng) is None


def test_the_first_of_an_order() -> None:
    """The first item of the order in the pool is chosen, one in play only if no other is left."""
    order = items("c-1", "a-1", "b-1")
    assert first_new(order, {"a-1", "b-1"}, ()) == order[1]
    assert first_new(order, {"a-1", "b-1"}, {"a-1"}) == order[2]
    assert first_new(order, {"a-1", "b-1"}, {"a-1", "b-1"}) == order[1]
    assert first_new(order, {"d-1"}, ()) is first_new([], {"a-1"}, ()) is None
