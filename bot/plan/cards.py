"""The values that the page of a plan shows."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from msgspec import Struct

from bot.plan.rules import NEAR, Plan, Today, percent
from bot.practice.rules import PlannedDay
from bot.questions.model import Bank


class SectionOutlook(Struct, frozen=True):
    """A section of a plan's topics, and the share of it known now and on the interview day."""

    title: str
    topics: int
    now: float
    then: float


class Whole(Struct, frozen=True):
    """The effort to be ready for all `topics` of a goal that doesn't fit.

    That is so many minutes a day, or the same minutes until a later day; None if that is out of
    reach as well.
    """

    topics: int
    minutes: int | None
    day: date | None


class Outlook(Struct, frozen=True):
    """How ready a member is and will be; shares are from 0 to 1.

    They are shares of the `topics` that fit into the plan, out of `of_topics` in its `goal`, which
    is in words; not `is_asked` where none of the goal is asked. `next_topics` are the titles of the
    first ones to work on. `curve` has points of (days from today, share known) at the current pace.
    `kept` is the share on the interview day if every day is kept from now on, and `fits` whether
    the minutes are enough for everything then. A day has `questions` on average, which take `takes`
    minutes. The member practised on `pace_kept` of the last `pace_days` days.
    """

    plan: Plan
    zone: str
    today: date
    goal: str
    topics: int
    of_topics: int
    is_asked: bool
    next_topics: tuple[str, ...]
    curve: tuple[tuple[int, float], ...]
    kept: float
    fits: bool
    sections: tuple[SectionOutlook, ...]
    questions: int
    takes: int
    pace_kept: int
    pace_days: int
    share: Today

    @property
    def days(self) -> int:
        """Days until the interview."""
        return (self.plan.day - self.today).days

    @property
    def ready(self) -> float:
        """The share known today."""
        return self.curve[0][1]

    @property
    def expected(self) -> float:
        """The share known on the interview day at the current pace."""
        return self.curve[-1][1]

    @property
    def is_part(self) -> bool:
        """Whether only some topics of the goal fit."""
        return self.topics < self.of_topics

    @property
    def behind(self) -> bool:
        return percent(self.expected) < self.plan.goal - NEAR


class PlanCard(Struct, frozen=True):
    """A plan's outlook, and its recorded days.

    `outlook` is None without a plan. `ended` is the interview day of a plan that has just ended.
    `whole` is given once, when a plan is set or changed and not all of its goal fits.
    """

    outlook: Outlook | None
    past: tuple[PlannedDay, ...] = ()
    ended: date | None = None
    whole: Whole | None = None


class TopicChoice(Struct, frozen=True):
    """The topics that a plan can be for, with the ids of those chosen one by one.

    `fitting` of the `of_topics` in the present `goal`, which is in words, fit into the plan with its
    `minutes`.
    """

    bank: Bank
    goal: str
    chosen: Collection[str]
    fitting: int
    of_topics: int
    minutes: int
