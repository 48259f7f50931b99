"""Which topic a mock interview asks next, and which follow-up fits an answer."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from bot.questions.model import Bank, FollowUp, Topic

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 10, 3
FAIR, STRONG = 40, 75
"""Minimum percent of a fair and of a strong answer."""
BANDS = ("weak", "fair", "strong")
_NEVER = datetime.min.replace(tzinfo=UTC)


def draw_topic(
    bank: Bank,
    last_asked: Mapping[str, datetime],
    *,
    used: Collection[str],
    hidden: Collection[str],
    wanted: str | None,
    rng: random.Random,
) -> Topic | None:
    """Return the next topic of an interview; None if no topic is left.

    `last_asked` tells when this member was last asked each topic, `used` are the topics of this
    interview, and `hidden` those that must not be shown now. The `wanted` topic comes first, then
    its section, then the rest. Among those, topics never asked or asked longest ago come first;
    ties are drawn at random.
    """
    left = [
        topic
        for topic in bank.open_topics.values()
        if topic.id not in used and topic.id not in hidden
    ]
    if not left:
        return None
    wanted_topic = bank.topics.get(wanted or "")

    def rank(topic: Topic) -> tuple[bool, bool, datetime]:
        elsewhere = wanted_topic is not None and topic.section_id != wanted_topic.section_id
        return topic.id != wanted, elsewhere, last_asked.get(topic.id, _NEVER)

    best = min(map(rank, left))
    return rng.choice([topic for topic in left if rank(topic) == best])


def band(percent: int) -> str:
    """Return how good an answer was: weak, fair or strong."""
    return "strong" if percent >= STRONG else "fair" if percent >= FAIR else "weak"


def choose_follow_up(topic: Topic, percent: int, seed: int) -> FollowUp | None:
    """Return a follow-up for an answer with this score.

    If the bank has none for its band, the nearest band is used, easier ones first. `seed` chooses
    among several, so the same answer always gets the same one.
    """
    own = BANDS.index(band(percent))
    for nearest in sorted(
        BANDS, key=lambda name: (abs(BANDS.index(name) - own), BANDS.index(name))
    ):
        candidates = [follow_up for follow_up in topic.follow_ups if follow_up.when == nearest]
        if candidates:
            return candidates[seed % len(candidates)]
    return None
