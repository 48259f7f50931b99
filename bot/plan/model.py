"""A member's pace, and what the page of a plan shows."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from msgspec import Struct

from bot.memory.model import Plan, Today


class PlannedDay(Struct, frozen=True):
    """The middle of what a member knew of the goal of their plan on a day, in tenths of a percent.

    As in `Outlook.unseen`.
    """

    day: date
    ready: int


class Ended(Struct, frozen=True):
    """A plan that is over, the last day that was recorded, and how its check questions went."""

    plan: Plan
    last: PlannedDay | None
    checks: Checks | None


class Pace(Struct, frozen=True):
    """A member's habits in practice.

    They practised on `practised` of the last `days` days, which are 0 without a past, and answered
    `answers` then.
    """

    practised: int
    days: int
    answers: int


class Range(NamedTuple):
    """The limits of a share that is not known exactly."""

    low: float
    high: float

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


class Checks(NamedTuple):
    """Questions kept unseen until the last third of a plan: those right at first, answered, and all.

    `guessing` is the chance to guess one of the answered ones.
    """

    right: int
    answered: int
    total: int
    guessing: float = 0.0

    @property
    def known(self) -> float:
        """The share that the member knew, without those that chance would give."""
        share = self.right / self.answered
        return max(0.0, (share - self.guessing) / (1 - self.guessing))


class SectionOutlook(Struct, frozen=True):
    """A section of a plan's goal, and the middle of what is known of it now and on the interview day."""

    title: str
    now: float
    then: float


class Outlook(Struct, frozen=True):
    """The knowledge of the goal of a plan that its member has, and will have; shares are from 0 to 1.

    `today` is what the day holds. `goal` is in words; not `is_asked` where none of it is asked, and
    the figures are about everything that is. `unseen` is the share that they would know of the
    questions that they were never asked, weighted by what interviews ask, and `remembered` that of
    the `asked` ones of all `items` that they would get right again; None without any. `then` and
    `twice` are `unseen` on the interview day, by their habits, and with twice the minutes; None
    where these change nothing. `sections` are empty as
    long as `unseen` is wide. `curve` has points of (days from today, low, high). `checked`
    of the goal's `topics` have an open answer with most of its points. `questions` can be answered
    until then. `checks` is None outside
    the last third of the plan.
    """

    plan: Plan
    today: Today
    goal: str
    is_asked: bool
    unseen: Range
    remembered: float | None
    asked: int
    items: int
    then: Range
    twice: Range | None
    curve: tuple[tuple[int, float, float], ...]
    sections: tuple[SectionOutlook, ...]
    topics: int
    checked: int
    checks: Checks | None
    pace: Pace
    questions: int

    @property
    def days(self) -> int:
        """Days until the interview."""
        return max((self.plan.day - self.today.day).days, 0)
