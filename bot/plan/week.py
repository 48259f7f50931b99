"""Reading and writing the minutes of each weekday, such as `10, weekends 30`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from bot.core.calendar import DAYS
from bot.core.errors import UserError
from bot.core.zones import quoted

LEAST, MOST, MINUTES = 5, 120, "15"
"""Limits of a day's minutes, and those of a new plan."""
Week = tuple[int, ...]
"""Minutes from Monday on, 0 for a day off."""
_DAYS = range(7)
_WORKDAYS, _WEEKEND = [*range(5)], [5, 6]
_HINT = 'Write them like "15", "10, weekends 30" or "Mon-Fri 10, Sat 30", in </plan>.'
_OFF = {"off", "no", "none", "not", "never", "except", "without"}
_FILLER = re.compile(
    "an?|and|at|but|daily|days?|each|else|every|for|m|mins?|minutes?|of|on|others?|otherwise|per|"
    "rest|the|[.:=&]"
)
_TOKEN = re.compile(r"[0-9]+|[a-z]+|\S")
_SPAN = re.compile(r"([a-z]+)\.?\s*(?:-|\N{EN DASH}|\bto\b)\s*([a-z]+)")


def read_week(text: str) -> Week:
    """Read minutes by weekday, such as `15`, `10, weekends 30` or `Mon-Fri 10, Sat 30`.

    A number without days is for all that are not named; without one, these are days off. Raises
    UserError for anything else, and for too few or too many minutes.
    """
    groups = _groups(text)
    if not groups or sum(not days for _, days in groups) > 1:
        raise _unknown(text)
    week = [0] * 7
    for minutes, days in sorted(groups, key=lambda group: -len(group[1] or _DAYS)):
        if minutes and not LEAST <= minutes <= MOST:
            raise UserError(
                f"Minutes a day are from {LEAST} to {MOST}, or 0 for a day off. Use </plan> again."
            )
        for day in days or _DAYS:
            week[day] = minutes
    if not any(week):
        raise UserError("A plan needs minutes on at least one day of the week. Use </plan> again.")
    return tuple(week)


def _groups(text: str) -> list[tuple[int, list[int]]]:
    """Return each number with its days, which come before it, or after it: `Sat 30`, `30 on Sat`."""
    groups: list[tuple[int, list[int]]] = []
    before: list[int] = []
    takes_days = False
    for part in re.split("[,;\n]", _SPAN.sub(_spelled_out, text.casefold())):
        for token in _TOKEN.findall(part):
            if token.isdecimal() or token in _OFF:
                groups.append((0 if token in _OFF else int(token), before))
                before, takes_days = [], not before
            elif days := _days(token):
                (groups[-1][1] if takes_days else before).extend(days)
            elif not _FILLER.fullmatch(token):
                raise _unknown(text)
        takes_days = takes_days and bool(groups[-1][1])
    if before:
        raise _unknown(text)
    return groups


def _spelled_out(span: re.Match[str]) -> str:
    """Return the names of all days from one to another, if these are days."""
    first, last = _days(span[1]), _days(span[2])
    if len(first) != 1 or len(last) != 1:
        return span[0]
    length = (last[0] - first[0]) % 7 + 1
    return " ".join(DAYS[(first[0] + n) % 7].casefold() for n in range(length))


def _days(word: str) -> list[int]:
    """Return the days that a word names, if it does."""
    if word in {"weekend", "weekends"}:
        return _WEEKEND
    if word in {"weekday", "weekdays", "workday", "workdays"}:
        return _WORKDAYS
    return [n for n in _DAYS if len(word) > 1 and f"{DAYS[n]}s".casefold().startswith(word)]


def written_week(week: Week) -> str:
    """Return short words that `read_week` reads as these minutes."""
    usual = max(week, key=week.count)
    return min(_written(week, usual), _written(week, 0), key=lambda text: text.count(","))


def _written(week: Week, usual: int) -> str:
    """Return words for these minutes, with the `usual` ones without their days."""
    parts = [str(usual)] if usual else []
    for minutes in dict.fromkeys(week):
        if minutes != usual:
            names = ", ".join(_names([day for day in _DAYS if week[day] == minutes]))
            parts.append(f"{names} {minutes}")
    return ", ".join(parts)


def _names(days: list[int]) -> Iterator[str]:
    for _, run in groupby(days, lambda day: day - days.index(day)):
        first, *_, last = [*run] * 2
        between = "-".join(DAYS[day][:3] for day in dict.fromkeys((first, last)))
        yield "weekends" if first == _WEEKEND[0] and last == _WEEKEND[1] else between


def _unknown(text: str) -> UserError:
    shown = quoted(text)
    if not shown:
        return UserError(f"I need minutes a day. {_HINT}")
    return UserError(f'I don\'t understand the minutes "{shown}". {_HINT}')
