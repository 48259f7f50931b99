"""The choice of new items."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from fsrs import Rating
from msgspec.structs import replace

from bot.memory.model import MemoryCard
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.practice.rules import draw_new
from bot.questions.model import Bank, Item, Section, Topic

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NAMES = [f"t-{n}" for n in range(20)]


def card(rating: Rating, ago: timedelta) -> MemoryCard:
    return review(None, rating, NOON - ago)


def items(*ids: str) -> list[Item]:
    return [Item(name, name.partition("-")[0], "typed", 3, "?", "!") for name in ids]


def draw(
    pool: list[Item],
    met: dict[str, MemoryCard],
    rng: random.Random,
) -> Item:
    """Draw one of the items of a bank that a member has not met."""
    new = [item for item in pool if item.id not in met]
    return draw_new(new, Knowledge(bank_with(pool), met, set(), "UTC", NOON), rng)


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
    drawn = {draw(pool, met, rng).id for _ in range(300)}
    assert drawn == {item.id for item in pool} - {"a-1", "a-2", "b-1", "b-2"}
    few = items("a-1", "a-2", "b-1", "b-2")
    drawn = {draw(few, met, rng).id for _ in range(100)}
    assert drawn == {"b-2"}


def test_new_items_suit_the_members_ability() -> None:
    """A member who misses a lot gets easy items, and one who knows a lot gets harder ones."""
    pool = [replace(i, difficulty=n % 5 + 1) for n, i in enumerate(items(*NAMES))]
    rng = random.Random(1)

    def drawn(rating: Rating, difficulties: set[int]) -> int:
        met = {i.id: card(rating, DAY) for i in pool if i.difficulty in difficulties}
        return draw(pool, met, rng).difficulty

    assert drawn(Rating.Again, {2, 3, 4, 5}) == 1
    assert drawn(Rating.Good, {1, 2}) >= 3
    assert drawn(Rating.Good, {1, 2, 3, 4}) == 5
    assert draw(pool, {}, rng).difficulty == 1


def test_a_newcomer_meets_common_topics_first() -> None:
    """Until a few items are met, it is one of the ten topics that interviews ask most."""
    pool = items(*(f"{letter}-1" for letter in "abcdefghijklmnopqrst"))
    rng = random.Random(1)
    bank = bank_with(pool)
    heavy = dict.fromkeys("acegikmoqs", 9)
    topics = [replace(t, weight=heavy.get(t.id, 1)) for t in bank.sections[0].topics]
    bank = Bank("Bank", (Section("s", "S", tuple(topics)),))

    def drawn(*met: str) -> set[str]:
        cards = {item_id: card(Rating.Good, HOUR) for item_id in met}
        known = Knowledge(bank, cards, set(), "UTC", NOON)
        new = [item for item in pool if item.id not in met]
        return {draw_new(new, known, rng).topic_id for _ in range(300)}

    assert drawn() == set(heavy)
    assert drawn("b-1", "d-1", "f-1", "h-1", "j-1") & {"l", "n"}
