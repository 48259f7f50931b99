"""When a daily is posted: wall times, time zones and the instants they stand for.

Pure: `now` is passed in. Instants are timezone-aware datetimes, those that are returned in UTC; a naive one raises
ValueError. A zone that the installed data has lost counts as UTC.

A daily belongs to a *local date* of its schedule's zone, and that date is its identity: carry `Due.day` along, never
work it out again from the instant. At a clock change just before midnight they differ: in America/Nuuk on 2024-03-30,
23:30 does not exist, so that date's post comes at the first instant after the gap, which is already 2024-03-31 there.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from bot.core.zones import ScheduleError, quoted, stored_zone

CATCH_UP = timedelta(hours=6)
"""How long after its instant a post is still made; later than that the date is skipped."""

RETRY = timedelta(minutes=2)
"""The longest pause between two attempts at a post that failed, while CATCH_UP lasts."""

LOOK_BACK = timedelta(days=8)
"""How far back `due` looks, so that a bot that was down for a year does not walk through all of it."""

_SEARCH_DAYS = 400


@dataclass(frozen=True, slots=True)
class Rule:
    """A daily's schedule: at wall time `at` (naive) in the IANA zone `zone`, on every local date of its weekdays.

    `days` are numbers from 0 for Monday to 6 for Sunday; there must be one.
    """

    at: time
    zone: str
    days: Collection[int] = range(7)


@dataclass(frozen=True, slots=True)
class Due:
    """A post whose instant `at` has come, and its local date. `late`: after more than CATCH_UP it is skipped."""

    day: date
    at: datetime
    late: bool


def parse_time(text: str) -> time:
    """The wall time written as `HH:MM` or `H:MM` on the 24-hour clock; raises ScheduleError for anything else."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text)
    if match:
        hour, minute = int(match[1]), int(match[2])
        if hour < 24 and minute < 60:
            return time(hour, minute)
    how = "Write it as HH:MM on a 24-hour clock, for example 09:00 or 18:30."
    shown = quoted(text)
    raise ScheduleError(
        f'I don\'t know the time "{shown}". {how}' if shown else f"I need a time. {how}"
    )


def instant(rule: Rule, day: date) -> datetime:
    """The instant at which the clocks of a rule's zone first reach its wall time on a day.

    A time that the clocks jump over gives the first instant after the gap; one that occurs twice gives the first. For
    one rule the instants strictly increase with the date, of those dates that exist.
    """
    return _first_instant(stored_zone(rule.zone), datetime.combine(day, rule.at))


def exists(zone: str, day: date) -> bool:
    """Whether the zone's calendar has a date: Pacific/Apia skipped 2011-12-30 as it moved across the date line."""
    tz = stored_zone(zone)
    return _first_instant(tz, datetime.combine(day, time.min)).astimezone(tz).date() == day


def local_date(zone: str, now: datetime) -> date:
    """The date in the zone at an instant."""
    return _utc(now).astimezone(stored_zone(zone)).date()


def next_post(rule: Rule, *, after: datetime, taken: Collection[date]) -> tuple[date, datetime]:
    """The first of a rule's local dates that is not taken and whose instant lies after `after`, with that instant.

    `taken` are the dates that have their post or were skipped. Raises ScheduleError if every date of a year is taken.
    """
    for day, at in _posts(rule, after, taken):
        return day, at
    raise ScheduleError(
        "Every date of the coming year already has its question of the day. Check the schedule and set it up again."
    )


def due(rule: Rule, *, now: datetime, since: datetime, taken: Collection[date]) -> list[Due]:
    """A rule's local dates that are not taken and whose instants lie in (since, now], oldest first, nine at most.

    `since` is the instant from which this rule holds: its set-up or its last change. Posting once per local date
    follows from `taken` (the dates that have a row, posted or skipped) and not from `since`, so a `since` that is too
    early or a clock that was set back posts nothing twice. Instants more than LOOK_BACK before `now` are left out.
    """
    end = _utc(now)
    posts = _posts(rule, max(_utc(since), end - LOOK_BACK), taken)
    return [
        Due(day, at, late=end - at > CATCH_UP)
        for day, at in takewhile(lambda post: post[1] <= end, posts)
    ]


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"an instant must be timezone-aware, not {moment!r}")
    return moment.astimezone(UTC)


def _posts(rule: Rule, after: datetime, taken: Collection[date]) -> Iterator[tuple[date, datetime]]:
    """The rule's dates that the zone has and that are not taken, each with its instant, if that lies after `after`."""
    start = _utc(after)
    # `instant` is the first moment at which the clock reaches a wall time: no date before the local one is still ahead.
    first = local_date(rule.zone, start)
    for day in (first + timedelta(days=offset) for offset in range(_SEARCH_DAYS)):
        if (
            day.weekday() in rule.days
            and day not in taken
            and exists(rule.zone, day)
            and (at := instant(rule, day)) > start
        ):
            yield day, at


def _first_instant(tz: ZoneInfo, wall: datetime) -> datetime:
    """The first UTC instant at which the zone's clock shows `wall` (naive) or, if it never does, has jumped over it."""
    guess = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if _wall(tz, guess) == wall:
        return guess
    # In a gap fold=0 reads the wall time by the offset before it, which gives an instant after the change, and fold=1
    # the other way round. Changes fall on whole seconds, so a search over the seconds in between finds it exactly.
    low = wall.replace(tzinfo=tz, fold=1).astimezone(UTC).replace(microsecond=0)
    seconds = range(int((guess - low).total_seconds()) + 1)
    return low + timedelta(
        seconds=bisect_left(seconds, wall, key=lambda s: _wall(tz, low + timedelta(seconds=s)))
    )


def _wall(tz: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)
