"""How ready a member is for the goal of a plan, and the order of its topics and items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from heapq import heappop, heappush
from itertools import islice

from bot.memory import rules as memory_rules
from bot.memory.ability import Ability
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel
from bot.questions.model import Item, Topic

READY = 0.8
"""A topic is ready from this share of its items that the member knows."""
_STARTED = 1 / 3
"""A topic with this share of its items met is finished before others are begun."""
_TOPICS_AT_ONCE = 3


def item_readiness(
    item: Item,
    section_id: str,
    card: MemoryCard | None,
    ability: Ability,
    at: datetime,
    model: MemoryModel = DEFAULT,
) -> float:
    """Return the probability that a member knows an item at a moment.

    For an item that they have never met, their ability tells, once it is known in that section.
    """
    if card is not None:
        return memory_rules.readiness(card, at, model)
    return ability.knows(item, section_id) if ability.is_known(section_id) else 0.0


def topic_readiness(
    topic: Topic,
    cards: Mapping[str, MemoryCard],
    ability: Ability,
    at: datetime,
    model: MemoryModel = DEFAULT,
) -> float:
    """Return the mean readiness of a topic's items."""
    known = sum(
        item_readiness(item, topic.section_id, cards.get(item.id), ability, at, model)
        for item in topic.items
    )
    return known / len(topic.items) if topic.items else 0.0


def topics_in_order(
    topics: Iterable[Topic],
    cards: Mapping[str, MemoryCard],
    ability: Ability,
    now: datetime,
    model: MemoryModel = DEFAULT,
) -> tuple[list[Topic], list[Topic]]:
    """Return the topics that are ready, and the others in a plan's order.

    Topics that interviews ask most come first; of equal ones those that are well begun, then those that
    the member knows least.
    """
    ranked = []
    ready = []
    for number, topic in enumerate(topics):
        share = topic_readiness(topic, cards, ability, now, model)
        if share >= READY:
            ready.append(topic)
            continue
        met = sum(item.id in cards for item in topic.items)
        begun = met >= _STARTED * len(topic.items)
        ranked.append((-topic.weight, not begun, round(share, 1), number, topic))
    return ready, [topic for *_, topic in sorted(ranked, key=lambda rank: rank[:-1])]


def items_in_order(
    topics: Iterable[Topic], cards: Mapping[str, MemoryCard], ability: Ability
) -> Iterator[Item]:
    """Yield the items of topics in a plan's order that a member has never met.

    A few topics are taken at a time. Of their items, the one comes first that suits the member's
    ability best.
    """
    waiting = (iter(new) for topic in topics if (new := _new_items(topic, cards, ability)))
    current: list[tuple[float, str, Item, Iterator[tuple[float, str, Item]]]] = []

    def add_next(rest: Iterator[tuple[float, str, Item]] | None) -> None:
        """Queue a topic's next item, or else the first one of the next topic."""
        while rest is not None:
            if (found := next(rest, None)) is not None:
                heappush(current, (*found, rest))
                return
            rest = next(waiting, None)

    for rest in islice(waiting, _TOPICS_AT_ONCE):
        add_next(rest)
    while current:
        _, _, item, rest = heappop(current)
        yield item
        add_next(rest)


def _new_items(
    topic: Topic, cards: Mapping[str, MemoryCard], ability: Ability
) -> list[tuple[float, str, Item]]:
    """Return a topic's new items, the best one first, each after its distance and id."""
    return sorted(
        (ability.distance_from_best(item, topic.section_id), item.id, item)
        for item in topic.items
        if item.id not in cards
    )
