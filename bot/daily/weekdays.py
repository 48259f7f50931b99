"""Days of the week of a schedule: parsed, stored and written out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.core.errors import UserError

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = "0123456"
"""All days as they are stored: digits in ascending order, 0 for Monday."""
_GROUPS = {"every day": EVERY_DAY, "weekdays": "01234", "weekends": "56"}
_JOINED = re.compile(r"\s*(?:[,;/&+\s]|\band\b)+\s*")


def pack_days(days: Iterable[int]) -> str:
    """Return days of the week as they are stored."""
    return "".join(map(str, sorted(set(days))))


def parse_days(text: str) -> str:
    """Parse days as a manager writes them: "weekdays", "Mon, Wed and Fri", "tue-thu", "every day".

    Refuses anything else. Returns the days as they are stored.
    """
    plain = " ".join(text.casefold().split())
    if plain in {"daily", "all", "everyday"}:
        return EVERY_DAY
    if plain in _GROUPS:
        return _GROUPS[plain]
    found: set[int] = set()
    for part in filter(None, _JOINED.split(re.sub(r"\s*[-\N{EN DASH}]\s*", "-", plain))):
        first, *rest = part.split("-")
        start = _day_named(first)
        end = _day_named(rest[0]) if len(rest) == 1 else start
        if start is None or end is None or len(rest) > 1:
            raise UserError(
                'I can\'t read those days. Write them like "Mon, Wed, Fri", "weekdays" or "every day".'
            )
        found |= {(start + n) % 7 for n in range((end - start) % 7 + 1)}
    if not found:
        raise UserError("Pick at least one day of the week.")
    return pack_days(found)


def _day_named(word: str) -> int | None:
    """Return the only day that a word (or its singular) begins; None if there isn't exactly one."""
    word = word.rstrip(".")
    word = word[:-1] if word.endswith("days") else word
    found = [n for n, day in enumerate(DAYS) if day.casefold().startswith(word)]
    return found[0] if len(found) == 1 else None


def days_in_words(days: str) -> str:
    """Describe stored days: `every day`, `Monday to Friday`, `Mon, Wed and Fri`."""
    if days == EVERY_DAY:
        return "every day"
    names = [DAYS[int(day)] for day in days]
    if len(names) > 2 and days in EVERY_DAY:
        return f"{names[0]} to {names[-1]}"
    shown = names if len(names) < 3 else [name[:3] for name in names]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def suggest_days(text: str) -> list[str]:
    """Complete what a manager has typed so far, likeliest first."""
    usual = ["every day", "weekdays", "weekends", "Mon, Wed, Fri", "Tue, Thu"]
    if not text.strip():
        return usual
    found = [days for days in usual if days.casefold().startswith(text.strip().casefold())]
    try:
        meant = parse_days(text)
    except UserError:
        return found
    written = next((name for name, days in _GROUPS.items() if days == meant), None)
    return list(dict.fromkeys([*found, written or ", ".join(DAYS[int(day)][:3] for day in meant)]))
