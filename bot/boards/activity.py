"""A member's activity: how many answers they gave on each local date of the last twelve weeks.

Pure: dates and numbers in, numbers out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

WEEKS = 12
STEPS = (1, 3, 6, 12)
"""From so many answers on a day each level begins; a round of ten questions reaches the third."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Answers by day, from the Monday `start` to today, without gaps."""

    start: date
    counts: tuple[int, ...]

    @property
    def answers(self) -> int:
        return sum(self.counts)

    @property
    def days(self) -> int:
        """On how many days there was an answer."""
        return sum(count > 0 for count in self.counts)

    @property
    def busiest(self) -> tuple[date, int]:
        """The day with the most answers, the latest of equals, and how many."""
        most = max(self.counts)
        latest = len(self.counts) - 1 - self.counts[::-1].index(most)
        return self.start + timedelta(days=latest), most

    def cells(self) -> Iterator[tuple[int, int, date, int]]:
        """Week from 0, weekday from Monday as 0, date and answers of each day."""
        for index, count in enumerate(self.counts):
            yield index // 7, index % 7, self.start + timedelta(days=index), count


def first_day(today: date) -> date:
    """The Monday on which the twelve weeks begin; the current week is the last."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def activity(by_day: Mapping[date, int], today: date) -> Activity:
    """The last twelve weeks; dates outside them are ignored."""
    start = first_day(today)
    return Activity(start, tuple(by_day.get(start + timedelta(days=n), 0) for n in range((today - start).days + 1)))


def level(count: int) -> int:
    """How strongly a day is marked, 0 (no answer) to 4."""
    return sum(count >= step for step in STEPS)
