"""Which items come next, and in what order their choices are shown."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bot.questions.model import Item

_NEVER = datetime.min.replace(tzinfo=UTC)


def draw(items: Iterable[Item], asked: Mapping[str, datetime], count: int, rng: random.Random) -> list[Item]:
    """Choose up to `count` items, in the order in which to ask them.

    Least recently asked first (`asked`: item id -> when last, in this server), and no topic twice before every topic
    that has items left was used once. Chance decides among equals.
    """
    by_topic: dict[str, list[Item]] = {}
    for item in items:
        by_topic.setdefault(item.topic_id, []).append(item)
    last_of_topic: dict[str, datetime] = {}
    for topic_id, group in by_topic.items():
        rng.shuffle(group)
        group.sort(key=lambda i: asked.get(i.id, _NEVER), reverse=True)  # the next one to ask is at the end
        last_of_topic[topic_id] = max(asked.get(i.id, _NEVER) for i in group)
    drawn: list[Item] = []
    while by_topic and len(drawn) < count:
        topics = list(by_topic)
        rng.shuffle(topics)
        topics.sort(key=lambda t: (asked.get(by_topic[t][-1].id, _NEVER), last_of_topic[t]))
        for topic_id in topics[: count - len(drawn)]:
            drawn.append(by_topic[topic_id].pop())
            if not by_topic[topic_id]:
                del by_topic[topic_id]
    return drawn


def shuffled(item: Item, rng: random.Random) -> tuple[int, ...]:
    """A random order of an item's choices: shown position -> index in the bank. Empty for typed items."""
    order = list(range(len(item.choices)))
    rng.shuffle(order)
    return tuple(order)
