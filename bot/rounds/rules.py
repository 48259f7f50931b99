"""The rules of a quiz round: what is asked, until when, and when it ends."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.questions.model import Item

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 50, 10
MIN_SECONDS, MAX_SECONDS, DEFAULT_SECONDS = 5, 300, 20
DIFFICULTIES: Mapping[str, tuple[int, ...]] = {
    "mixed": (1, 2, 3, 4, 5),
    "easy": (1, 2),
    "medium": (3,),
    "hard": (4, 5),
}

PAUSE = timedelta(seconds=5)
"""Between a reveal and the next question."""
EARLY = timedelta(seconds=2)
"""Between the last player's answer and the reveal."""
GRACE = timedelta(milliseconds=100)
"""A click made in time may still be on its way to us when the deadline strikes."""
IDLE_LIMIT = 3
"""So many questions in a row without any answer end the round."""

_NEVER = datetime.min.replace(tzinfo=UTC)


def fits(item: Item, *, topic_id: str | None, difficulty: str) -> bool:
    """Whether an item may be asked in a round with these options."""
    return item.difficulty in DIFFICULTIES[difficulty] and (topic_id is None or item.topic_id == topic_id)


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


def reveal_at(
    *, number: int, deadline: datetime, players: Collection[int], answered_at: Mapping[int, datetime]
) -> datetime:
    """When the question is to be revealed, as far as known now.

    `players` are the members who answered one of the last two questions; `answered_at` says when each answer to this
    one was given. The first question runs to its deadline, and so does one that a player has not answered yet.
    """
    if number == 1 or not players or any(p not in answered_at for p in players):
        return deadline
    return min(deadline, max(answered_at[p] for p in players) + EARLY)


@dataclass(frozen=True, slots=True)
class Counter:
    """When the card's count of answers was last refreshed, and what it showed."""

    shown: int
    at: datetime | None = None


def next_refresh(
    counter: Counter, *, now: datetime, count: int, opened: datetime, deadline: datetime
) -> datetime | None:
    """When to refresh the count of answers next, or None if not at all.

    Edits are merged: the first comes 2 s after the first answers, a later one after half of the question's time
    (15 s at most), and none just before the reveal, which edits the card anyway. With up to 30 seconds a question that
    makes at most two edits, so a question costs four requests with its post and its reveal.
    """
    if count == counter.shown:
        return None
    if counter.at is None:
        at = max(now, opened) + timedelta(seconds=2)
    else:
        gap = max(timedelta(seconds=2), min(timedelta(seconds=15), (deadline - opened) / 2))
        at = max(now, counter.at + gap)
    return at if at <= deadline - timedelta(seconds=1) else None
