"""A mock interview: which topic comes next, which follow-up fits an answer, and what its end says."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.questions.model import Bank, FollowUp, Topic

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 10, 3
MAX_ANSWER = 4_000
"""Characters of an answer: what Discord's largest text field holds."""
FAIR, STRONG = 40, 75
"""Per cent from which an answer is called fair, and strong."""
BANDS = ("weak", "fair", "strong")
_NEVER = datetime.min.replace(tzinfo=UTC)
_SHOWN_NEXT = 3


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
    left = [topic for topic in bank.topics.values() if topic.id not in used and topic.id not in hidden]
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
    for other in sorted(BANDS, key=lambda name: (abs(BANDS.index(name) - place), BANDS.index(name))):
        fitting = [follow for follow in topic.follow_ups if follow.when == other]
        if fitting:
            return fitting[turn % len(fitting)]
    return None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an interview. `percent` is None for one that was skipped, or is not graded yet."""

    topic_id: str
    percent: int | None
    answered: bool = True

    @property
    def to_practise(self) -> bool:
        """Whether it was skipped or not strong; an answer that is not graded yet says nothing."""
        return not self.answered if self.percent is None else self.percent < STRONG


@dataclass(frozen=True, slots=True)
class SectionReport:
    """A section's questions as (topic, question), and the mean of their graded answers in per cent."""

    title: str
    percent: int | None
    asked: tuple[tuple[Topic, Asked], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An interview at its end. `practise`: the weakest topics, weakest first; strong ones are not among them."""

    percent: int | None
    answered: int
    skipped: int
    sections: tuple[SectionReport, ...]
    practise: tuple[Topic, ...]


def report(bank: Bank, asked: Sequence[Asked]) -> Report:
    """Sum an interview up by section, in the bank's order; topics that the bank no longer has are left out."""
    known = [(bank.topics[one.topic_id], one) for one in asked if one.topic_id in bank.topics]
    sections = []
    for section in bank.sections:
        here = tuple((topic, one) for topic, one in known if topic.section_id == section.id)
        if here:
            sections.append(SectionReport(section.title, _mean([one.percent for _, one in here]), here))
    weak = sorted(((one.percent or 0, topic) for topic, one in known if one.to_practise), key=lambda pair: pair[0])
    return Report(
        percent=_mean([one.percent for _, one in known]),
        answered=sum(one.answered for _, one in known),
        skipped=sum(not one.answered for _, one in known),
        sections=tuple(sections),
        practise=tuple(topic for _, topic in weak[:_SHOWN_NEXT]),
    )


def _mean(percents: Sequence[int | None]) -> int | None:
    graded = [percent for percent in percents if percent is not None]
    return round(sum(graded) / len(graded)) if graded else None
