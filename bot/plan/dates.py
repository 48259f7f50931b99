"""Parsing the date of an interview, and the dates that autocomplete offers."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date, timedelta

from bot.core.errors import UserError
from bot.core.zones import quoted

FIRST, LAST = 2, 365
"""Limits of the interview day, in days from today."""
_WEEKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 26, 39, 52)
_MAX_OPTIONS = 25
_MONTH_NAMES, _WEEKDAYS = (
    [name.casefold() for name in names] for names in (calendar.month_name, calendar.day_name)
)
_HINT = "Pick a date from the list as you type, or write it like 2026-12-12."


def read_date(text: str, today: date) -> date:
    """Parse an interview date, such as `2026-12-12`, `12 December 2026`, `Dec 12` or `in 3 weeks`.

    Without a year it is the next such day. Raises UserError for anything else, and for days too
    near or too far.
    """
    day = _parse(text, today)
    ahead = (day - today).days
    if ahead < 0:
        raise UserError(
            f"{written_date(day)} is in the past. Pick a date from the day after tomorrow on."
        )
    if ahead == 0:
        raise UserError(
            "That's today, so there's nothing left to plan. Go over what is due with </practice>."
        )
    if ahead == 1:
        raise UserError(
            "That's tomorrow, too soon for a plan. Go over what is due with </practice>."
        )
    if ahead > LAST:
        raise UserError(
            f"{written_date(day)} is more than a year away. Pick a date within the next year."
        )
    return day


def written_date(day: date) -> str:
    """Return a date as in `12 December 2026`."""
    return f"{day.day} {day:%B %Y}"


def date_options(text: str, today: date) -> list[tuple[str, date]]:
    """Return (label, date) pairs that match what was typed so far."""
    found = list(dict.fromkeys(_matching_days(text, today)))
    return [
        (f"{day:%A} {written_date(day)} · in {(day - today).days} days", day)
        for day in found[:_MAX_OPTIONS]
    ]


def _matching_days(text: str, today: date) -> Iterator[date]:
    days = [today + timedelta(days=n) for n in range(FIRST, LAST + 1)]
    typed = " ".join(text.casefold().split())
    if not typed:
        yield from (today + timedelta(weeks=weeks) for weeks in _WEEKS)
        return
    try:
        day = _parse(typed, today)
    except UserError:
        pass
    else:
        if day in days:
            yield day
    if re.search(r"\d{3}", typed):
        yield from (day for day in days if day.isoformat().startswith(typed))
        return
    number, words = re.search(r"\b\d{1,2}\b", typed), re.findall(r"[a-z]+", typed)
    for day in days if number or words else ():
        names = _WEEKDAYS[day.weekday()], _MONTH_NAMES[day.month]
        if (number is None or day.day == int(number[0])) and all(
            any(name.startswith(word) for name in names) for word in words
        ):
            yield day


def _parse(text: str, today: date) -> date:
    typed = " ".join(text.casefold().replace(",", " ").split())
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", typed):
        return _date(*map(int, found.groups()))
    if found := re.fullmatch(r"(?:in )?(\d{1,3}) (day|week|month)s?", typed):
        days = {"day": 1, "week": 7, "month": 30}[found[2]]
        return today + timedelta(days=days * int(found[1]))
    if found := re.fullmatch(
        r"(\d{1,2})(?:st|nd|rd|th)? (?:of )?([a-z]{3,9})\.?(?: (\d{4}))?", typed
    ):
        day_of_month, month, year = found.groups()
    elif found := re.fullmatch(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?", typed):
        month, day_of_month, year = found.groups()
    else:
        raise _unknown(text)
    numbered = [n for n, name in enumerate(_MONTH_NAMES) if name.startswith(month)]
    if not numbered:
        raise _unknown(text)
    if year is not None:
        return _date(int(year), numbered[0], int(day_of_month))
    day = _date(today.year, numbered[0], int(day_of_month))
    return day if day >= today else _date(today.year + 1, numbered[0], int(day_of_month))


def _date(year: int, month: int, number: int) -> date:
    try:
        return date(year, month, number)
    except ValueError:
        if 1 <= month <= 12 and year > 0:
            raise UserError(
                f"{calendar.month_name[month]} {year} has no day {number}. {_HINT}"
            ) from None
        raise UserError(f"That date isn't in the calendar. {_HINT}") from None


def _unknown(text: str) -> UserError:
    shown = quoted(text)
    return UserError(
        f'I don\'t know the date "{shown}". {_HINT}' if shown else f"I need a date. {_HINT}"
    )
