"""The order of a plan's topics and items, and the readiness of a topic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.ability import Ability, ability_of
from bot.memory.rules import MemoryCard, review
from bot.plan.goals import items_in_order, topic_readiness, topics_in_order
from bot.questions.model import Bank, Topic
from tests.banks import small_bank

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
BANK = small_bank(6)
UNKNOWN = Ability(0.0, {}, {})


def known(*items: str, rating: Rating = Rating.Good) -> dict[str, MemoryCard]:
    return {item_id: review(None, rating, NOW - timedelta(days=1)) for item_id in items}


def ids(topics: list[Topic]) -> list[str]:
    return [topic.id for topic in topics]


def weighted(**weights: int) -> Bank:
    """Return the bank with these topics' weights; others have 1."""
    return replace(
        BANK,
        sections=tuple(
            replace(s, topics=tuple(replace(x, weight=weights.get(x.id, 1)) for x in s.topics))
            for s in BANK.sections
        ),
    )


def test_what_interviews_ask_most_comes_first() -> None:
    """Of equal topics, those well begun come before others, then those known least."""
    bank = weighted(t4=3, t3=2)
    cards = known("t5-a", "t5-b") | known("t2-a")
    ready, others = topics_in_order(bank.asked_topics.values(), cards, UNKNOWN, NOW)
    assert ready == []
    assert ids(others) == ["t4", "t3", "t5", "t1", "t6", "t2"]


def test_topics_that_are_ready_are_told_apart() -> None:
    cards = known("t4-a", "t4-b", "t4-c", "t4-d")
    ready, others = topics_in_order(weighted(t4=3).asked_topics.values(), cards, UNKNOWN, NOW)
    assert ids(ready) == ["t4"]
    assert "t4" not in ids(others)


def test_ability_counts_once_there_are_ten_answers_in_the_section() -> None:
    """Until then, items never met count as not known."""
    topic = BANK.topics["t1"]
    strong = Ability(3.0, {"first": 3.0}, {"first": 9})
    assert topic_readiness(topic, {}, strong, NOW) == 0
    strong = replace(strong, answers={"first": 10})
    assert topic_readiness(topic, {}, strong, NOW) > 0.9
    assert topic_readiness(topic, {}, replace(strong, sections={"first": -3.0}), NOW) < 0.2
    missed = known(*(item.id for item in topic.items), rating=Rating.Again)
    assert topic_readiness(topic, missed, strong, NOW) == 0


def test_items_that_suit_the_ability_come_first() -> None:
    """A weak member begins with easy items of a topic, a strong one with hard ones."""
    topic = BANK.topics["t1"]

    def difficulties(ability: float) -> list[int]:
        order = items_in_order([topic], {}, Ability(ability, {}, {}))
        return [item.difficulty for item in order if item.kind == "choice"]

    assert difficulties(-3) == sorted(difficulties(-3))
    assert difficulties(3) == sorted(difficulties(3), reverse=True)


def test_three_topics_are_taken_at_a_time() -> None:
    order = [item.topic_id for item in items_in_order(BANK.asked_topics.values(), {}, UNKNOWN)]
    first_three = set(order[:3])
    assert len(set(order[:4])) <= 3
    assert first_three <= {"t1", "t3", "t5"}


@given(st.sets(st.sampled_from(sorted(BANK.asked))))
def test_every_new_item_comes_once(met: set[str]) -> None:
    cards = known(*sorted(met))
    ability = ability_of(BANK, cards)
    order = [item.id for item in items_in_order(BANK.asked_topics.values(), cards, ability)]
    assert sorted([*order, *met]) == sorted(BANK.asked)
