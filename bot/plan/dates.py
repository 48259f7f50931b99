"""Reading the date of an interview, and days away, as people write them."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import date, timedelta

from bot.core.errors import UserError
from bot.core.zones import quoted

FIRST, LAST = 2, 365
"""Limits of the interview day, in days from today."""
_MONTH_NAMES, _WEEKDAYS = (
    [name.casefold() for name in names] for names in (calendar.month_name, calendar.day_name)
)
_NUMBERS = {"a": 1, "an": 1} | {
    word: n
    for n, word in enumerate(
        [
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
        ],
        start=1,
    )
}
_DAYS = {"day": 1, "week": 7, "month": 30}
_NUMBER = re.compile(r"(\d{1,2})(?:st|nd|rd|th|\.)?", re.ASCII)
MOST_AWAY = 10
"""Times away in a plan."""
Span = tuple[date, date]
"""The first and last of some days."""
_HINT = "Write it like 14 December, 14.12.2026, in two weeks or next Friday, in </plan>."


def read_date(text: str, today: date) -> date:
    """Read an interview date, such as `2026-12-14`, `14.12.`, `Dec 14`, `in two weeks`, `next friday`.

    Without a year it is the next such day. Raises UserError for anything else, and for days too
    near or too far.
    """
    day = _parse(text, today)
    ahead = (day - today).days
    if ahead < 0:
        raise UserError(
            f"{written_date(day)} is in the past. Pick one from the day after tomorrow on, in </plan>."
        )
    if ahead == 0:
        raise UserError(
            "That's today, so there's nothing left to plan. Go over what you know with </practice>."
        )
    if ahead == 1:
        raise UserError(
            "That's tomorrow, too soon for a plan. Go over what you know with </practice>."
        )
    if ahead > LAST:
        raise UserError(
            f"{written_date(day)} is more than a year away. Pick a nearer one in </plan>."
        )
    return day


def written_date(day: date) -> str:
    """Return a date as in `12 December 2026`."""
    return f"{day.day} {day:%B %Y}"


def read_away(text: str, today: date, last: date) -> tuple[Span, ...]:
    """Read days away, such as `24-26 Dec, 31 Dec`, and return the first and last of each time in order.

    Raises UserError for anything else, for days that are not from today to the last one of the plan,
    and for too many times.
    """
    spans: list[Span] = []
    for part in reversed(re.split(r"[,;\n]|\band\b", text, flags=re.IGNORECASE)):
        typed = part.strip()
        if not typed:
            continue
        if spans and (number := _NUMBER.fullmatch(typed)):  # as in 24, 25 and 31 Dec
            first = end = _date(spans[-1][0].year, spans[-1][0].month, int(number[1]))
        else:
            first, end = _span(typed, today)
        if end < first:
            wrong = f"is before {written_date(first)}"
        elif end > last:
            wrong = f"is after your interview on {written_date(last)}"
        elif end < today:
            wrong = "is in the past"
        else:
            spans.append((max(first, today), end))
            continue
        raise UserError(f"{written_date(end)} {wrong}. Change your days away in </plan>.")
    found = joined(spans)
    if len(found) > MOST_AWAY:
        raise UserError(
            f"A plan has up to {MOST_AWAY} times away. Join some of them, as in 24-31 Dec, in </plan>."
        )
    return found


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that touch each other as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span[0] <= found[-1][1] + timedelta(days=1):
            found[-1] = found[-1][0], max(found[-1][1], span[1])
        else:
            found.append(span)
    return tuple(found)


def within(spans: Iterable[Span], first: date, last: date) -> tuple[Span, ...]:
    """Return those parts of spans that are from one day to another."""
    cut = [(max(start, first), min(end, last)) for start, end in spans]
    return tuple((start, end) for start, end in cut if start <= end)


def written_away(spans: Iterable[Span], today: date) -> str:
    """Return words that `read_away` reads as these days, which are from today on."""
    return ", ".join(_written_span(*span, today) for span in spans)


def _written_span(first: date, last: date, today: date) -> str:
    end = _short(last, today)
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}-{end}"
    return f"{_short(first, today)} - {end}"


def _short(day: date, today: date) -> str:
    """Return a short date, with its year where `read_date` would else take it for another one."""
    written = short_date(day)
    needs_year = written in {"29 Feb", short_date(today)} and day != today
    return f"{written} {day.year}" if needs_year else written


def short_date(day: date) -> str:
    """Return a date as in `12 Dec`."""
    return f"{day.day} {day:%b}"


def _span(text: str, today: date) -> Span:
    """Read a day, or two with their month once or twice, such as `24-26 Dec` or `30 Dec to 2 Jan`."""
    with suppress(UserError):
        day = _parse(text, today)
        return day, day
    for found in re.finditer(r" *(?:-|\N{EN DASH}|\b(?:to|until|till)\b) *", text, re.IGNORECASE):
        first, last = text[: found.start()], text[found.end() :]
        with suppress(UserError):
            if number := _NUMBER.fullmatch(first):
                end = _parse(last, today)
                return _date(end.year, end.month, int(number[1])), end
            start = _parse(first, today)
            if number := _NUMBER.fullmatch(last):
                return start, _date(start.year, start.month, int(number[1]))
            return start, _parse(last, today)
    raise _unknown(text)


def _parse(text: str, today: date) -> date:
    typed = " ".join(text.casefold().replace(",", " ").split())
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", typed):
        return _date(*map(int, found.groups()))
    if found := re.fullmatch(r"(?:in )?(\w{1,6}) (day|week|month)s?", typed):
        return today + timedelta(days=_DAYS[found[2]] * _number(found[1], text))
    if typed in {"today", "tomorrow"}:
        return today + timedelta(days=typed == "tomorrow")
    if (found := re.fullmatch(r"(?:(next|this|on) )?([a-z]{3,9})", typed)) and (
        weekday := _position(_WEEKDAYS, found[2])
    ) is not None:
        if found[1] == "next":  # that of the next calendar week
            return today + timedelta(days=7 - today.weekday() + weekday)
        return today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)
    if found := re.fullmatch(r"(\d{1,2})\. ?(\d{1,2})(?:\. ?(\d{4})?)?", typed):
        number, month, year = int(found[1]), int(found[2]), found[3]
    else:
        number, month, year = _with_month(typed, text)
    if year is not None:
        return _date(int(year), month, number)
    day = _date(today.year, month, number)
    return day if day >= today else _date(today.year + 1, month, number)


def _with_month(typed: str, text: str) -> tuple[int, int, str | None]:
    """Return day, month and year of a date with the name of a month."""
    if found := re.fullmatch(
        r"(\d{1,2})(?:st|nd|rd|th|\.)? (?:of )?([a-z]{3,9})\.?(?: (\d{4}))?", typed
    ):
        number, name, year = found.groups()
    elif found := re.fullmatch(r"([a-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?", typed):
        name, number, year = found.groups()
    else:
        raise _unknown(text)
    month = _position(_MONTH_NAMES[1:], name)
    if month is None:
        raise _unknown(text)
    return int(number), month + 1, year


def _position(names: list[str], start: str) -> int | None:
    """Return the position of the first name that begins like this."""
    return next((n for n, name in enumerate(names) if name.startswith(start)), None)


def _number(word: str, text: str) -> int:
    if word.isascii() and word.isdecimal() and len(word) < 4:
        return int(word)
    if word in _NUMBERS:
        return _NUMBERS[word]
    raise _unknown(text)


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
