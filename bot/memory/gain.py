"""The next question of practice: the one that teaches most for an interview, per second.

An interview asks other questions than practice did. So a question counts most for its topic: it teaches
more of one that the member knows less, has met fewer questions of, and was asked longer ago. A question
asked again teaches less, except as far as it was forgotten. That it is itself known on the day counts,
too, by FSRS's formulas. `make learn` compares this order with others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from datetime import datetime

from bot.memory.ability import REPEATED
from bot.memory.progress import Knowledge
from bot.memory.rules import USUAL, recall, recall_after, stability_after
from bot.questions.model import PLACING_SECONDS, Item, Topic

DAYS = 30
"""Days ahead without a plan."""
_TOPIC = 10
"""The value of knowing a topic better, next to that of knowing the question itself."""
_FAMILIAR = 10
"""After so many of its questions, another one teaches half as much of a topic."""
_SAME_DAY, _REST = 0.7, 1.0
"""The part that is lost right after another question of the topic, and the days until this fades."""
_AT_RANDOM = 0.1
"""The part of new questions that are drawn of topics that the member has met least."""
_SECONDS, _TYPING, _EXPLANATION = 14, 10, 10
"""To think and to read why, besides reading the question; to work out and type an answer; and to read
more after a miss."""


def choose(known: Knowledge, items: Sequence[Item], days: int, rng: random.Random) -> Item:
    """Return the one of some items to ask next, for an interview in so many days."""
    values = _Values(known, days)
    best = max(rng.sample(items, len(items)), key=values.of)
    if best.id in known.cards or rng.random() >= _AT_RANDOM:
        return best
    new = [item for item in items if item.id not in known.cards]
    least = min(values.share_met(item) for item in new)
    return rng.choice([item for item in new if values.share_met(item) == least])


class _Values:
    """The worth of asking an item to a member."""

    def __init__(self, known: Knowledge, days: int) -> None:
        self._known = known
        self._days = max(days, 1)
        self._topics: dict[str, tuple[float, float]] = {}

    def of(self, item: Item) -> float:
        """Return what an item adds per second."""
        known = self._known
        weight, taught = self._topic(item.topic_id)
        card = known.cards.get(item.id)
        if card is None:
            knows = known.ability.knows(item)
            lasts = recall_after(self._days, USUAL[0])
            gained, new = (1 - knows) * lasts, 1.0
        else:
            passed = max((known.now - card.last_review_at).days, 0)
            knows = recall(card, known.now)
            right = recall_after(self._days, stability_after(card, knows, right=True))
            wrong = recall_after(self._days, stability_after(card, knows, right=False))
            without = recall_after(passed + self._days, card.stability)
            gained = knows * right + (1 - knows) * wrong - without
            new = REPEATED * (1 - knows)
        seconds = known.bank.reading_seconds[item.id] + _SECONDS + _EXPLANATION * (1 - knows)
        if item.kind == "typed":
            seconds += _TYPING
        seconds += PLACING_SECONDS * len(item.lines)
        return (taught * new + weight * gained) / seconds

    def _topic(self, topic_id: str) -> tuple[float, float]:
        """Return a topic's weight, and what a new question teaches of it, weighted."""
        if topic_id not in self._topics:
            known = self._known
            topic = known.bank.topics[topic_id]
            times = [known.cards[i.id].last_review_at for i in topic.items if i.id in known.cards]
            fresh = 1 - _SAME_DAY * math.exp(-_days(max(times), known.now) / _REST) if times else 1
            unknown = 1 - known.ability.knows_of(topic)
            taught = _TOPIC * fresh * lesson(topic, unknown, len(times))
            self._topics[topic_id] = _weight(topic), taught
        return self._topics[topic_id]

    def share_met(self, item: Item) -> float:
        """Return the share of the items of an item's topic that the member has met."""
        items = self._known.bank.topics[item.topic_id].items
        return sum(other.id in self._known.cards for other in items) / len(items)


def lesson(topic: Topic, unknown: float, met: int) -> float:
    """Return what a new question teaches of a topic.

    `unknown` is the share of the topic that the member doesn't know, `met` how many of its questions
    they have met.
    """
    return _weight(topic) * unknown / (1 + met / _FAMILIAR)


def _weight(topic: Topic) -> float:
    """Return a topic's weight: the root of what interviews give it, so that others aren't forgotten."""
    return math.sqrt(topic.weight)


def _days(since: datetime, now: datetime) -> float:
    return max((now - since).total_seconds() / 86400, 0.0)
