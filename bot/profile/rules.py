"""A member's activity by week."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from bot.answers.rules import monday
from bot.profile.model import Activity

WEEKS = 12


def activity(answers: Collection[tuple[date, bool]], today: date) -> Activity:
    """Return the activity of the last twelve weeks, of answers by date with their verdicts."""
    mondays = [monday(today) - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    recent = [(day, right) for day, right in answers if mondays[0] <= day <= today]
    weeks = [monday(day) for day in {day for day, _ in recent}]
    return Activity(
        answers=len(recent),
        right=sum(right for _, right in recent),
        days=tuple(map(weeks.count, mondays)),
    )
