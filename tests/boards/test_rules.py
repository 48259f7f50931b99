"""Twelve weeks of activity, by day."""

from __future__ import annotations

from datetime import date

import pytest

from bot.boards.cards import recent_activity
from bot.boards.rules import first_day, level, trend

MONDAY, SUNDAY = date(2027, 1, 4), date(2027, 1, 10)


@pytest.mark.parametrize(
    ("today", "first", "days"),
    [
        (MONDAY, date(2026, 10, 19), 78),
        (date(2027, 1, 6), date(2026, 10, 19), 80),
        (SUNDAY, date(2026, 10, 19), 84),
    ],
)
def test_twelve_weeks_end_with_this_one(today: date, first: date, days: int) -> None:
    """They begin on a Monday and end today, so that the present week is the twelfth."""
    assert first_day(today) == first
    found = recent_activity({}, today)
    assert (found.start, len(found.counts)) == (first, days)


def test_days_outside_are_left_out() -> None:
    """Days before the first Monday and days in the future are left out."""
    by_day = {
        date(2026, 10, 18): 9,
        date(2026, 10, 19): 2,
        date(2026, 12, 31): 5,
        MONDAY: 5,
        date(2027, 1, 5): 7,
    }
    found = recent_activity(by_day, MONDAY)
    assert (found.answers, found.days, found.busiest) == (12, 3, (MONDAY, 5))


def test_cells() -> None:
    """Each day is in its week, from Monday to Sunday."""
    cells = list(recent_activity({SUNDAY: 4}, SUNDAY).cells())
    assert cells[0] == (0, 0, date(2026, 10, 19), 0)
    assert cells[-1] == (11, 6, SUNDAY, 4)
    assert all(day.weekday() == weekday for _, weekday, day, _ in cells)


def test_no_activity() -> None:
    found = recent_activity({}, MONDAY)
    assert (found.answers, found.days, found.busiest) == (0, 0, (MONDAY, 0))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, 0), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (11, 3), (12, 4), (900, 4)],
)
def test_levels_of_activity(count: int, expected: int) -> None:
    assert level(count) == expected


def test_trends() -> None:
    """An arrow points up for a better place than before, and there is none for who was not on the board."""
    assert trend(2, 5) == "▲"
    assert trend(5, 2) == "▼"
    assert trend(2, 2) == "▬"
    assert trend(2, None) == ""
