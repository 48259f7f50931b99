"""Streaks: how many dates in a row a member answered the question of the day."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from msgspec import Struct

FREEZE_AFTER = 7
"""Dates in a row that must be answered to earn a freeze."""
MOST_FREEZES = 2
"""Freezes that a member can have at a time."""
MILESTONES = {7: "a week of questions", 30: "a month of questions", 100: "a hundred questions"}
"""Lengths of a streak that a verdict congratulates on."""


class Streak(Struct, frozen=True):
    """A member's streaks on a server.

    `current` is 0 after a missed daily ended it; `best` is the longest ever. Each of the `freezes`
    lets the member miss one date. `unbroken` counts the dates answered since the last missed one.
    """

    current: int
    best: int
    freezes: int = 0
    unbroken: int = 0

    def answered(self) -> Streak:
        """Return the streak after one more answered date."""
        current, unbroken = self.current + 1, self.unbroken + 1
        earned = self.freezes < MOST_FREEZES and unbroken % FREEZE_AFTER == 0
        return Streak(current, max(self.best, current), self.freezes + earned, unbroken)

    def missed(self) -> Streak:
        """Return the streak after a missed date, which uses up a freeze or ends the streak."""
        if self.freezes:
            return Streak(self.current, self.best, self.freezes - 1, 0)
        return Streak(0, self.best)


NO_STREAK = Streak(0, 0)


class StreakNews(Struct, frozen=True):
    """A freeze `earned` by an answer, and the number of missed dates that freezes `saved`.

    `milestone` is the new length of the streak if the verdict congratulates on it, or 0. `roles` are
    those that the server gives for the streak.
    """

    earned: bool = False
    saved: int = 0
    milestone: int = 0
    roles: tuple[int, ...] = ()


NO_NEWS = StreakNews()


def streak(
    days: Sequence[date],
    answered: Collection[date],
    open_days: Collection[date] = (),
    before: Streak = NO_STREAK,
) -> Streak:
    """Return a member's streaks.

    `days` are the local dates with a daily, in any order; other dates break nothing. The member
    answered the `answered` ones. A date in `open_days` can still be answered, so it breaks nothing
    either. `before` are the streaks after all earlier dailies.
    """
    return _follow(days, answered, open_days, before)[0]


def streak_news(
    days: Sequence[date],
    answered: Collection[date],
    open_days: Collection[date],
    before: Streak,
    *,
    now: date,
    untold: Collection[date],
) -> StreakNews:
    """Return what the first answer of the date `now` changed; the others are those of `streak`.

    `untold` are the dates since the member's previous answer, which no verdict has mentioned yet.
    """
    made, frozen = _follow(days, answered, open_days, before)
    without = streak(days, {*answered} - {now}, {*open_days, now}, before)
    return StreakNews(
        earned=made.freezes > without.freezes,
        saved=sum(day in untold for day in frozen),
        milestone=made.current if made.current in MILESTONES else 0,
    )


def _follow(
    days: Sequence[date], answered: Collection[date], open_days: Collection[date], before: Streak
) -> tuple[Streak, list[date]]:
    """Return the streak after some dates, and the missed dates in it that freezes saved."""
    reached = before
    frozen = list[date]()
    for day in sorted(set(days)):
        if day in answered:
            reached = reached.answered()
        elif day not in open_days:
            frozen = [*frozen, day] if reached.freezes else []
            reached = reached.missed()
    return reached, frozen
