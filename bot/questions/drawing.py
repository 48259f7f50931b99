"""Which items come next, and in what order their choices are shown."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from bot.questions.model import Item


def draw(
    items: Iterable[Item], asked: Mapping[str, Any], count: int, rng: random.Random
) -> list[Item]:
    """Choose up to `count` items, in the order in which to ask them.

    Least recently asked first (`asked`: item id -> when last, in this server; an instant, or its milliseconds), and no
    topic twice before every topic that has items left was used once. Chance decides among equals.
    """

    def last(item: Item) -> tuple[Any, ...]:
        """Return when the item was last asked; what never was comes before all instants."""
        at = asked.get(item.id)
        return () if at is None else (at,)

    by_topic: dict[str, list[Item]] = {}
    for item in items:
        by_topic.setdefault(item.topic_id, []).append(item)
    first_of, last_of = {}, {}
    for topic_id, group in by_topic.items():
        times = [last(item) for item in group]
        first_of[topic_id], last_of[topic_id] = min(times), max(times)
    drawn: list[Item] = []
    while by_topic and len(drawn) < count:
        topics = list(by_topic)
        rng.shuffle(topics)
        topics.sort(key=lambda topic_id: (first_of[topic_id], last_of[topic_id]))
        for topic_id in topics[: count - len(drawn)]:
            group = by_topic[topic_id]
            drawn.append(rng.choice([item for item in group if last(item) == first_of[topic_id]]))
            group.remove(drawn[-1])
            if group:
                first_of[topic_id] = min(map(last, group))
            else:
                del by_topic[topic_id]
    return drawn


def shuffled(item: Item, rng: random.Random) -> tuple[int, ...]:
    """A random order of an item's choices: shown position -> index in the bank. Empty for typed items."""
    order = list(range(len(item.choices)))
    rng.shuffle(order)
    return tuple(order)
