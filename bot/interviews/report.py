"""The report at the end of a mock interview."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.interviews.rules import STRONG
from bot.questions.model import Bank, Topic

_SHOWN_NEXT = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an interview. `percent` is None for one that was skipped, or is not graded yet.

    It counts the points that the member marked as said, of which there are `claimed`.
    """

    topic_id: str
    percent: int | None
    answered: bool = True
    claimed: int = 0

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
    for section_id, title in bank.section_titles.items():
        here = tuple((topic, one) for topic, one in known if topic.section_id == section_id)
        if here:
            sections.append(SectionReport(title, _mean([one.percent for _, one in here]), here))
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
