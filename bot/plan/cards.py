"""The values that the page of a plan shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from bot.plan.rules import NEAR, Plan, Today, percent


@dataclass(frozen=True, slots=True)
class SectionOutlook:
    """A section and the share of it that is known now and on the interview day."""

    title: str
    now: float
    then: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """How ready a member is and will be; shares are from 0 to 1.

    `curve` has points of (days from today, share known) at the current pace. `kept` is the share on
    the interview day if every day is kept from now on. A day takes `new` and `due` questions and
    `takes` minutes. The member practised on `pace_kept` of the last `pace_days` days.
    """

    plan: Plan
    zone: str
    today: date
    ready: float
    curve: tuple[tuple[int, float], ...]
    kept: float
    sections: tuple[SectionOutlook, ...]
    new: int
    due: int
    takes: int
    pace_kept: int
    pace_days: int
    share: Today

    @property
    def days(self) -> int:
        """Days until the interview."""
        return (self.plan.day - self.today).days

    @property
    def expected(self) -> float:
        """The share known on the interview day at the current pace."""
        return self.curve[-1][1]

    @property
    def fits(self) -> bool:
        return self.takes <= self.plan.minutes

    @property
    def behind(self) -> bool:
        return percent(self.expected) < self.plan.goal - NEAR


@dataclass(frozen=True, slots=True)
class PlanCard:
    """A plan's outlook, and its readiness in the past as (day, tenths of a percent).

    `outlook` is None without a plan. `ended` is the interview day of a plan that has just ended.
    """

    outlook: Outlook | None
    past: tuple[tuple[date, int], ...] = ()
    ended: date | None = None
