"""Draws the next items, and the order of their choices."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from bot.questions.model import Item


def draw(
    items: Iterable[Item], asked: Mapping[str, Any], count: int, rng: random.Random
) -> list[Item]:
    """Draw up to `count` items, in the order to ask them.

    The least recently asked ones come first, and no topic comes twice before every topic that has
    items left came once; ties are broken at random. `asked` maps an item's id to when this server
    was last asked it, as an instant or in milliseconds.
    """

    def last_asked(item: Item) -> tuple[Any, ...]:
        """Return a sort key; items that were never asked sort first."""
        at = asked.get(item.id)
        return () if at is None else (at,)

    by_topic: dict[str, list[Item]] = {}
    for item in items:
        by_topic.setdefault(item.topic_id, []).append(item)
    oldest = {}
    newest = {}
    for topic_id, group in by_topic.items():
        times = [last_asked(item) for item in group]
        oldest[topic_id] = min(times)
        newest[topic_id] = max(times)
    drawn: list[Item] = []
    while by_topic and len(drawn) < count:
        topics = list(by_topic)
        rng.shuffle(topics)
        topics.sort(key=lambda topic_id: (oldest[topic_id], newest[topic_id]))
        for topic_id in topics[: count - len(drawn)]:
            group = by_topic[topic_id]
            tied = [item for item in group if last_asked(item) == oldest[topic_id]]
            drawn.append(rng.choice(tied))
            group.remove(drawn[-1])
            if group:
                oldest[topic_id] = min(map(last_asked, group))
            else:
                del by_topic[topic_id]
    return drawn


def shuffled(item: Item, rng: random.Random) -> tuple[int, ...]:
    """Return a random order of an item's choices, as indexes in the bank; empty for typed items."""
    order = list(range(len(item.choices)))
    rng.shuffle(order)
    return tuple(order)
