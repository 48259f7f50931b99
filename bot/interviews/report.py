"""The report at the end of a mock interview."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bot.interviews.cards import AskedQuestion, Report, SectionReport
from bot.questions.model import Bank

_MAX_PRACTISE = 3
"""Topics to practise next."""


def build_report(bank: Bank, asked: Sequence[AskedQuestion]) -> Report:
    """Summarize an interview by section, in the bank's order, without topics no longer in it."""
    known = [(bank.topics[one.topic_id], one) for one in asked if one.topic_id in bank.topics]
    sections = []
    for section_id, title in bank.section_titles.items():
        here = tuple((topic, one) for topic, one in known if topic.section_id == section_id)
        if here:
            sections.append(SectionReport(title, _mean([one.percent for _, one in here]), here))
    weak = sorted(
        ((one.percent or 0, topic) for topic, one in known if one.needs_practice),
        key=lambda pair: pair[0],
    )
    compared = Counter(
        one.count.compare(one.previous) for _, one in known if one.count and one.previous
    )
    return Report(
        percent=_mean([one.percent for _, one in known]),
        answered=sum(one.answered for _, one in known),
        skipped=sum(not one.answered for _, one in known),
        sections=tuple(sections),
        practise=tuple(topic for _, topic in weak[:_MAX_PRACTISE]),
        uncounted=sum(one.answered and one.count is None for _, one in known),
        better=compared[1],
        same=compared[0],
        worse=compared[-1],
    )


def _mean(percents: Sequence[int | None]) -> int | None:
    graded = [percent for percent in percents if percent is not None]
    return round(sum(graded) / len(graded)) if graded else None
