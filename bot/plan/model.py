"""A member's pace, and what the page of a plan shows."""

from __future__ import annotations

from datetime import date

from msgspec import Struct

from bot.memory.model import Plan, Today


class PlannedDay(Struct, frozen=True):
    """A member's readiness for the goal of their plan on a day, in tenths of a percent."""

    day: date
    ready: int


class Pace(Struct, frozen=True):
    """A member's habits in practice.

    They practised on `practised` of the last `days` days, which are 0 without a past, and answered
    `answers` then.
    """

    practised: int
    days: int
    answers: int


class SectionOutlook(Struct, frozen=True):
    """A section of a plan's goal, and the share of it known now and on the interview day."""

    title: str
    now: float
    then: float


class Outlook(Struct, frozen=True):
    """How ready a member is for the goal of their plan, and will be; shares are from 0 to 1.

    `today` is what the day holds. `goal` is in words; not `is_asked` where none of it is asked, and
    the figures are about everything that is. `curve` has points of (days from today, share known) at
    the current pace. `with_twice` is the share known on the day with twice the minutes.
    """

    plan: Plan
    today: Today
    goal: str
    is_asked: bool
    curve: tuple[tuple[int, float], ...]
    with_twice: float
    sections: tuple[SectionOutlook, ...]
    pace: Pace

    @property
    def days(self) -> int:
        """Days until the interview."""
        return max((self.plan.day - self.today.day).days, 0)

    @property
    def ready(self) -> float:
        """The share known today."""
        return self.curve[0][1]

    @property
    def expected(self) -> float:
        """The share known on the interview day at the current pace."""
        return self.curve[-1][1]
