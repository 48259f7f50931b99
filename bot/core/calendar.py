"""Recurring wall times: which local dates they fall on, and which instants they stand for.

Pure: `now` is passed in. Instants are timezone-aware datetimes and are returned in UTC. A naive
one raises ValueError. A zone that the installed data no longer has counts as UTC.

An occurrence belongs to a *local date* of its rule's zone, and that date is its identity: carry
`Due.day` along and never compute it from the instant. At a clock change just before midnight they
differ: in America/Nuuk on 2024-03-30, 23:30 does not exist, so that date's occurrence is the first
instant after the gap, which is already 2024-03-31 there.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

from msgspec import Struct

from bot.core.zones import ScheduleError, quoted, stored_zone

CATCH_UP = timedelta(hours=6)
"""How late an occurrence may still be handled. Later than that, its date is skipped."""

RETRY = timedelta(minutes=2)
"""The longest pause between two attempts at an occurrence that failed, until CATCH_UP is over."""

LOOK_BACK = timedelta(days=8)
"""The limit of the search in `due`, so that a year of downtime costs no more than a week."""

_SEARCH_DAYS = 400
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = "0123456"
"""All days of the week as they are stored: digits in ascending order, 0 for Monday."""


def days_in_words(days: str) -> str:
    """Describe stored days: `every day`, `Monday to Friday`, `Mon, Wed and Fri`."""
    if days == EVERY_DAY:
        return "every day"
    names = [DAYS[int(day)] for day in days]
    if len(names) > 2 and days in EVERY_DAY:
        return f"{names[0]} to {names[-1]}"
    shown = names if len(names) < 3 else [name[:3] for name in names]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


class Rule(Struct, frozen=True):
    """A recurring time: naive wall time `at` in the IANA zone `zone`, on some days of the week.

    `days` are numbers from 0 for Monday to 6 for Sunday, at least one.
    """

    at: time
    zone: str
    days: Collection[int] = range(7)


class Due(Struct, frozen=True):
    """An occurrence whose instant `at` has come. `late`: by more than CATCH_UP."""

    day: date
    at: datetime
    late: bool


def parse_time(text: str) -> time:
    """Read a wall time written as `HH:MM` or `H:MM`; raises ScheduleError for anything else."""
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
    """Return the instant when the clocks of a rule's zone first reach its wall time on a day.

    A time that the clocks jump over gives the first instant after the gap. One that occurs twice
    gives the first. Instants of one rule strictly increase with the date, if the dates exist.
    """
    return _first_instant(stored_zone(rule.zone), datetime.combine(day, rule.at))


def exists(zone: str, day: date) -> bool:
    """Return whether the zone's calendar has a date.

    Pacific/Apia skipped 2011-12-30 when it moved across the date line.
    """
    tz = stored_zone(zone)
    return _first_instant(tz, datetime.combine(day, time.min)).astimezone(tz).date() == day


def local_date(zone: str, now: datetime) -> date:
    """Return the date in the zone at an instant."""
    return _utc(now).astimezone(stored_zone(zone)).date()


def next_occurrence(
    rule: Rule, *, after: datetime, taken: Collection[date] = ()
) -> tuple[date, datetime]:
    """Return a rule's first local date that is not taken and lies after `after`, and its instant.

    `taken` are the dates that were handled or skipped. Raises ScheduleError if every date of a
    year is taken.
    """
    for day, at in _occurrences(rule, after, taken):
        return day, at
    raise ScheduleError(
        "Every date of the coming year already has its question of the day. Check the schedule and set it up again."
    )


def due(rule: Rule, *, now: datetime, since: datetime, taken: Collection[date]) -> list[Due]:
    """Return a rule's untaken dates whose instants lie in (since, now], oldest first, nine at most.

    `since` is when the rule was set up or last changed. `taken`, not `since`, keeps a date from
    being handled twice, so a `since` that is too early or a clock that was set back does no harm.
    Instants more than LOOK_BACK before `now` are left out.
    """
    end = _utc(now)
    found = _occurrences(rule, max(_utc(since), end - LOOK_BACK), taken)
    return [
        Due(day, at, late=end - at > CATCH_UP)
        for day, at in takewhile(lambda occurrence: occurrence[1] <= end, found)
    ]


def _utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"an instant must be timezone-aware, not {moment!r}")
    return moment.astimezone(UTC)


def _occurrences(
    rule: Rule, after: datetime, taken: Collection[date]
) -> Iterator[tuple[date, datetime]]:
    """Yield the rule's existing, untaken dates whose instants lie after `after`, with these."""
    start = _utc(after)
    # `instant` is when the clock first reaches a wall time, so nothing before today's date is left.
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
    """Return the first UTC instant when a zone's clock shows naive `wall`, or has skipped it."""
    guess = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    if _wall(tz, guess) == wall:
        return guess
    # In a gap, fold=0 uses the offset before it and gives an instant after the change; fold=1 does
    # the opposite: https://peps.python.org/pep-0495/#mind-the-gap. Changes fall on whole seconds,
    # so a binary search over the seconds in between finds the change exactly.
    low = wall.replace(tzinfo=tz, fold=1).astimezone(UTC).replace(microsecond=0)
    seconds = range(int((guess - low).total_seconds()) + 1)
    return low + timedelta(
        seconds=bisect_left(seconds, wall, key=lambda s: _wall(tz, low + timedelta(seconds=s)))
    )


def _wall(tz: ZoneInfo, moment: datetime) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)
