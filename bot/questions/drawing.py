"""Selects the next items to ask, and shuffles their choices."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

from bot.questions.model import Item


def draw(
    items: Iterable[Item], asked: Mapping[str, Any], count: int, rng: random.Random
) -> list[Item]:
    """Draw up to `count` items, in the order to ask them.

    Each turn takes one item of every topic that has items left, so no topic repeats within a turn.
    A topic comes earlier the longer ago its oldest item was asked, then the longer ago the topic
    itself was; remaining ties are random. Within a topic, the item asked longest ago is drawn.
    `asked` maps item ids to when the server was last asked them; all values are of one comparable
    type, such as milliseconds.
    """

    def last_asked(item: Item) -> tuple[Any, ...]:
        """Return a sort key; items that were never asked sort first."""
        at = asked.get(item.id)
        return () if at is None else (at,)

    by_topic: dict[str, list[Item]] = {}
    for item in items:
        by_topic.setdefault(item.topic_id, []).append(item)
    oldest_item = {}
    topic_last_asked = {}  # of the whole topic: drawing doesn't change it
    for topic_id, group in by_topic.items():
        times = [last_asked(item) for item in group]
        oldest_item[topic_id] = min(times)
        topic_last_asked[topic_id] = max(times)
    drawn: list[Item] = []
    while by_topic and len(drawn) < count:
        topics = list(by_topic)
        rng.shuffle(topics)
        topics.sort(key=lambda topic_id: (oldest_item[topic_id], topic_last_asked[topic_id]))
        for topic_id in topics[: count - len(drawn)]:
            group = by_topic[topic_id]
            tied = [item for item in group if last_asked(item) == oldest_item[topic_id]]
            drawn.append(rng.choice(tied))
            group.remove(drawn[-1])
            if group:
                oldest_item[topic_id] = min(map(last_asked, group))
            else:
                del by_topic[topic_id]
    return drawn


def shuffled(item: Item, rng: random.Random) -> tuple[int, ...]:
    """Return a random order of `item.choices`, given by index; empty if it has none."""
    order = list(range(len(item.choices)))
    rng.shuffle(order)
    return tuple(order)
