"""A member's streak, and dates that are asked about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from msgspec import Struct

FREEZE_AFTER = 7
"""Dates in a row that must count to earn a freeze."""
MOST_FREEZES = 2
"""Freezes that a member can have at a time."""
MILESTONES = (7, 30, 100)
"""Lengths of a streak that a member is congratulated on."""


class Streak(Struct, frozen=True):
    """A member's streak, up to some date.

    `current` is 0 after a missed date ended it; `best` is the longest ever. Each of the `freezes`
    lets the member miss one date. `unbroken` counts the dates since the last missed one, and
    `saved` the missed ones since the last date that counted.
    """

    current: int = 0
    best: int = 0
    freezes: int = 0
    unbroken: int = 0
    saved: int = 0

    def counted(self) -> Streak:
        """Return the streak after one more date that counts."""
        current, unbroken = self.current + 1, self.unbroken + 1
        earned = self.freezes < MOST_FREEZES and unbroken % FREEZE_AFTER == 0
        return Streak(current, max(self.best, current), self.freezes + earned, unbroken)

    def missed(self) -> Streak:
        """Return the streak after a missed date, which uses up a freeze or ends the streak."""
        if self.freezes:
            return Streak(self.current, self.best, self.freezes - 1, saved=self.saved + 1)
        return Streak(best=self.best)


class StreakNews(Struct, frozen=True):
    """A freeze `earned` by a date, and the number of missed dates that freezes `saved` before it.

    `milestone` is the new length of the streak if the member is congratulated on it, or 0.
    """

    earned: bool = False
    saved: int = 0
    milestone: int = 0


NO_NEWS = StreakNews()


class Dates(Struct, frozen=True):
    """Dates of a member in their zone, from `first` to `last`, as of `now`.

    `servers` are those where they play, with the time of an answer there before these dates, or of
    the first one since.
    """

    user_id: int
    servers: Mapping[int, datetime]
    zone: str
    first: date
    last: date
    now: datetime
