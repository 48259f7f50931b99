"""The report at the end of a mock interview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bot.interviews.rules import STRONG
from bot.questions.model import Bank, Topic

_SHOWN_NEXT = 3


@dataclass(frozen=True, slots=True)
class Said:
    """How many of a question's key points an answer had, with those that the member marked as said."""

    points: int
    of: int

    def against(self, earlier: Said) -> int:
        """1 if it had a larger share than an earlier answer, -1 if a smaller one, 0 if the same."""
        now, then = self.points * earlier.of, earlier.points * self.of
        return (now > then) - (now < then)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an interview. `percent` and `said` are None for one that was skipped, or is not graded yet.

    Both count the points that the member marked as said, of which there are `claimed`. `before` is what the answer to
    the same topic had in the latest earlier interview that has one.
    """

    topic_id: str
    percent: int | None
    answered: bool = True
    claimed: int = 0
    said: Said | None = None
    before: Said | None = None

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
    """An interview at its end. `practise`: the weakest topics, weakest first; strong ones are not among them.

    `better`, `same` and `behind` count the topics with an earlier answer, by how this one compares with it.
    """

    percent: int | None
    answered: int
    skipped: int
    sections: tuple[SectionReport, ...]
    practise: tuple[Topic, ...]
    better: int = 0
    same: int = 0
    behind: int = 0


def report(bank: Bank, asked: Sequence[Asked]) -> Report:
    """Sum an interview up by section, in the bank's order; topics that the bank no longer has are left out."""
    known = [(bank.topics[one.topic_id], one) for one in asked if one.topic_id in bank.topics]
    sections = []
    for section_id, title in bank.section_titles.items():
        here = tuple((topic, one) for topic, one in known if topic.section_id == section_id)
        if here:
            sections.append(SectionReport(title, _mean([one.percent for _, one in here]), here))
    weak = sorted(
        ((one.percent or 0, topic) for topic, one in known if one.to_practise),
        key=lambda pair: pair[0],
    )
    compared = Counter(one.said.against(one.before) for _, one in known if one.said and one.before)
    return Report(
        percent=_mean([one.percent for _, one in known]),
        answered=sum(one.answered for _, one in known),
        skipped=sum(not one.answered for _, one in known),
        sections=tuple(sections),
        practise=tuple(topic for _, topic in weak[:_SHOWN_NEXT]),
        better=compared[1],
        same=compared[0],
        behind=compared[-1],
    )


def _mean(percents: Sequence[int | None]) -> int | None:
    graded = [percent for percent in percents if percent is not None]
    return round(sum(graded) / len(graded)) if graded else None
