"""When a server's recap is posted, and what it mentions.

A recap is about a calendar week, Monday to Sunday by the server's clock. The week is identified by
its Monday and has one recap, even if the day or zone changes. The recap is posted on the chosen
weekday of the following week, at nine in the morning.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta

from bot.answers.rules import monday, places
from bot.core.calendar import Rule, instant, local_date
from bot.recap.model import Recap, RecapSchedule, RecapState

AT = time(9)
WEEK = timedelta(days=7)
LATE = timedelta(days=1)
"""A recap is posted up to this long after its time."""
TAKEN_FOR = 6 * WEEK
"""Decided weeks are read back to this long ago."""
_MOST_DUE = 5
"""The most weeks that can be due at once."""
_HARD_ANSWERS = 3
"""A question needs this many answers to be called hard."""
_LEAST_MEMBERS = 3
_LEAST_ANSWERS = 10
"""With fewer, everybody on the server would know whose figures these are."""


def time_of(zone: str, weekday: int, week: date) -> datetime:
    """Return when the recap of a week is posted."""
    return instant(Rule(AT, zone), week + WEEK + timedelta(days=weekday))


def is_withdrawn(week: date, schedule: RecapSchedule) -> bool:
    """Whether the recap was turned off after a week's was due, even if it is on again."""
    return schedule.channel_id is None or week < schedule.first_week


def upcoming(
    zone: str, weekday: int, after: datetime, taken: Collection[date], first: date = date.min
) -> tuple[date, datetime]:
    """Return week and time of the first recap after a moment.

    `taken` weeks are decided, and those before the week `first`.
    """
    week = max(first, monday(local_date(zone, after)) - 2 * WEEK)
    while week in taken or time_of(zone, weekday, week) <= after:
        week += WEEK
    return week, time_of(zone, weekday, week)


def due(
    zone: str, weekday: int, *, now: datetime, first: date, taken: Collection[date]
) -> list[tuple[date, datetime]]:
    """Return the undecided weeks whose time has come, as (week, time), oldest first.

    `taken` weeks are decided, and those before the week `first`.
    """
    this = monday(local_date(zone, now))
    weeks = [this - n * WEEK for n in range(_MOST_DUE, 0, -1)]
    open_weeks = [week for week in weeks if week >= first and week not in taken]
    times = [(week, time_of(zone, weekday, week)) for week in open_weeks]
    return [(week, at) for week, at in times if at <= now]


def climber(now: Mapping[int, int], before: Mapping[int, int]) -> tuple[int, int, int] | None:
    """Return the member who climbed the most places, with the new and the old place.

    `now` and `before` are the points by member of two weeks. Only members with points in both can
    climb. Among equals, the one with the better place now is returned.
    """
    place = _places(now)
    was = _places(before)
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
    """Return the item with the smallest share of right answers; None if none was hard.

    `sums` are (answers, right answers) by item. A hard item has a few answers, at least one of
    them wrong. Among equals, the one with more answers is harder.
    """
    tried = {
        item: (n, right) for item, (n, right) in sums.items() if n >= _HARD_ANSWERS and right < n
    }
    return min(
        tried,
        key=lambda item: (tried[item][1] / tried[item][0], -tried[item][0], item),
        default=None,
    )


def is_quiet(members: int, answers: int) -> bool:
    """Return whether a week is too quiet for figures."""
    return members < _LEAST_MEMBERS or answers < _LEAST_ANSWERS


def asks(answers: int, before: Recap | None) -> bool:
    """Return whether the recap of a quiet week asks a question.

    If nobody answered in that week, it does so once: not if the recap `before` got no reaction.
    """
    if answers or before is None:
        return True
    return before.state is RecapState.POSTED and (before.item_id is None or before.opened)
