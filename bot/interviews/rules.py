"""A mock interview: which topic comes next, and which follow-up fits an answer."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from bot.questions.model import Bank, FollowUp, Topic

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 10, 3
FAIR, STRONG = 40, 75
"""Per cent from which an answer is called fair, and strong."""
BANDS = ("weak", "fair", "strong")
_NEVER = datetime.min.replace(tzinfo=UTC)


def draw(
    bank: Bank,
    last: Mapping[str, datetime],
    *,
    used: Collection[str],
    hidden: Collection[str],
    wish: str | None,
    rng: random.Random,
) -> Topic | None:
    """The next topic of an interview; None if no topic is left.

    `last`: when a topic was last asked of this member; `used`: topics of this interview; `hidden`: topics that must
    not be shown now. `wish` comes first, then others of its section, then the rest; among equals those asked longest
    ago, or never, at random.
    """
    left = [
        topic
        for topic in bank.open_topics.values()
        if topic.id not in used and topic.id not in hidden
    ]
    if not left:
        return None
    wished = bank.topics.get(wish or "")

    def rank(topic: Topic) -> tuple[bool, bool, datetime]:
        elsewhere = wished is not None and topic.section_id != wished.section_id
        return topic.id != wish, elsewhere, last.get(topic.id, _NEVER)

    best = min(map(rank, left))
    return rng.choice([topic for topic in left if rank(topic) == best])


def band(percent: int) -> str:
    """How good an answer was: weak, fair or strong."""
    return "strong" if percent >= STRONG else "fair" if percent >= FAIR else "weak"


def follow_up(topic: Topic, percent: int, turn: int) -> FollowUp | None:
    """The follow-up for an answer as good as this; where the bank has none, one of the nearest band, easier first.

    `turn` chooses among several, so that the same answer always gets the same one.
    """
    place = BANDS.index(band(percent))
    for other in sorted(
        BANDS, key=lambda name: (abs(BANDS.index(name) - place), BANDS.index(name))
    ):
        fitting = [follow for follow in topic.follow_ups if follow.when == other]
        if fitting:
            return fitting[turn % len(fitting)]
    return None
