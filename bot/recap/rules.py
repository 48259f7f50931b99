"""When a server's recap comes, which week it is about, and what stands in it.

A recap is about a calendar week, Monday to Sunday by the server's clock, and that week's Monday is its identity:
however day, zone or clock change, a week has one recap. It comes on the chosen day of the week after, at nine in the
morning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bot.answers.rules import monday, places
from bot.core.calendar import Rule, instant, local_date

AT = time(9)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
WEEK = timedelta(days=7)
LATE = timedelta(days=1)
"""How long after its time a recap is still posted."""
TAKEN_FOR = 6 * WEEK
"""How far back weeks are looked up that have had their recap."""
_AHEAD = 5
_HARD_ANSWERS = 3
"""Answers from which on it is said that a question was hard."""


class RecapState(StrEnum):
    """What becomes of a server's recap of a week; see the table `recaps`."""

    POSTING = "posting"
    POSTED = "posted"
    QUIET = "quiet"
    MISSED = "missed"


def time_of(zone: str, weekday: int, week: date) -> datetime:
    """When the recap of a week comes: on a day of the week after, by the clock of a zone."""
    return instant(Rule(AT, zone), week + WEEK + timedelta(days=weekday))


def upcoming(
    zone: str, weekday: int, after: datetime, taken: Collection[date]
) -> tuple[date, datetime]:
    """The week and the time of the first recap after a moment; `taken` are weeks that have had theirs."""
    week = monday(local_date(zone, after)) - 2 * WEEK
    while week in taken or time_of(zone, weekday, week) <= after:
        week += WEEK
    return week, time_of(zone, weekday, week)


def due(
    zone: str, weekday: int, *, now: datetime, since: datetime, taken: Collection[date]
) -> list[tuple[date, datetime]]:
    """Weeks whose time lies in (since, now] and that had no recap, the oldest first; a handful at most."""
    first = monday(local_date(zone, now)) - _AHEAD * WEEK
    weeks = [first + n * WEEK for n in range(_AHEAD)]
    times = [(week, time_of(zone, weekday, week)) for week in weeks if week not in taken]
    return [(week, at) for week, at in times if since < at <= now]


@dataclass(frozen=True, slots=True)
class Leader:
    place: int
    name: str | None
    points: int


@dataclass(frozen=True, slots=True)
class Climber:
    """Who went up the most places against the week before."""

    name: str | None
    place: int
    before: int


@dataclass(frozen=True, slots=True)
class Hardest:
    """The question with the smallest share of right answers."""

    prompt: str
    answers: int
    right: int


@dataclass(frozen=True, slots=True)
class Recap:
    """What stands in a recap. `by_day` are answers from Monday to Sunday, `streak` the longest: name and days."""

    recap_id: int
    week: date
    first: tuple[Leader, ...]
    members: int
    right: int
    by_day: tuple[int, ...]
    climber: Climber | None = None
    hardest: Hardest | None = None
    streak: tuple[str | None, int] | None = None

    @property
    def answers(self) -> int:
        return sum(self.by_day)


def climber(now: Mapping[int, int], before: Mapping[int, int]) -> tuple[int, int, int] | None:
    """Who went up the most places, as member, place and the one before; among equals who stands higher now.

    `now` and `before` are the points by member of two weeks. A member without points in either has climbed nothing.
    """
    place, was = _places(now), _places(before)
    rises = [
        (was[user] - place[user], -place[user], -user)
        for user in place.keys() & was.keys()
        if now[user] and before[user]
    ]
    if not rises or max(rises)[0] <= 0:
        return None
    _, at, user = max(rises)
    return -user, -at, was[-user]


def _places(points: Mapping[int, int]) -> dict[int, int]:
    members = sorted(points, key=lambda user: -points[user])
    return dict(zip(members, places([points[user] for user in members]), strict=True))


def hardest(sums: Mapping[str, tuple[int, int]]) -> str | None:
    """The item with the smallest share of right answers, by answers and right ones of each; None if none was hard.

    It takes a few answers and a miss; among equals the one with more answers is the harder.
    """
    tried = {
        item: (n, right) for item, (n, right) in sums.items() if n >= _HARD_ANSWERS and right < n
    }
    return min(
        tried,
        key=lambda item: (tried[item][1] / tried[item][0], -tried[item][0], item),
        default=None,
    )
