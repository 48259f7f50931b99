"""Twelve weeks of activity, by week."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from bot.profile.model import WEEKS, Details, details

MONDAY, SUNDAY = date(2027, 1, 4), date(2027, 1, 10)


def activity(answers: list[tuple[date, bool | None]], today: date) -> Details:
    return details(answers, today, met=0, known=0)


@pytest.mark.parametrize("today", [MONDAY, date(2027, 1, 6), SUNDAY])
def test_twelve_weeks_end_with_this_one(today: date) -> None:
    """They begin on a Monday; answers before and in the future are left out."""
    first = date(2026, 10, 19)
    days = [first - timedelta(days=1), first, MONDAY, today, today + timedelta(days=1)]
    found = activity([(day, True) for day in days], today)
    assert found.days == (1, *(0,) * (WEEKS - 2), 1 if today == MONDAY else 2)
    assert (found.answers, found.right) == (3, 3)


def test_a_day_counts_once() -> None:
    """However many answers it has. One without a verdict counts for its date alone."""
    found = activity([(MONDAY, True), (MONDAY, False), (SUNDAY, None)], SUNDAY)
    assert (found.answers, found.right, found.days[-1]) == (2, 1, 2)
