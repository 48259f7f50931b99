"""Parsing dates, and the dates offered by autocomplete."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.plan.dates import FIRST, LAST, date_options, read_date

TODAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-12", date(2026, 12, 12)),
        (" 12 December 2026 ", date(2026, 12, 12)),
        ("Dec 12", date(2026, 12, 12)),
        ("12th of dec", date(2026, 12, 12)),
        ("1 November", date(2027, 11, 1)),
        ("in 3 weeks", date(2026, 12, 17)),
        ("2026-11-28", date(2026, 11, 28)),
        ("2027-11-26", date(2027, 11, 26)),
    ],
)
def test_date_formats(text: str, day: date) -> None:
    """Without a year it is the next such day, from the day after tomorrow up to a year ahead."""
    assert read_date(text, TODAY) == day


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (
            "2026-11-25",
            "25 November 2026 is in the past. Pick a date from the day after tomorrow on.",
        ),
        (
            "2026-11-26",
            "That's today, so there's nothing left to plan. Go over what is due with </practice>.",
        ),
        ("in 1 day", "That's tomorrow, too soon for a plan. Go over what is due with </practice>."),
        (
            "2027-11-27",
            "27 November 2027 is more than a year away. Pick a date within the next year.",
        ),
        (
            "2036-12-12",
            "12 December 2036 is more than a year away. Pick a date within the next year.",
        ),
        (
            "2026-02-30",
            "February 2026 has no day 30. Pick a date from the list as you type, or write it like",
        ),
        ("2026-13-01", "That date isn't in the calendar. Pick a date from the list"),
        (
            "soon",
            'I don\'t know the date "soon". Pick a date from the list as you type, or write it like 2026-12-12.',
        ),
        ("12.12.2026", 'I don\'t know the date "12.12.2026".'),
        ("  ", "I need a date."),
    ],
)
def test_refused_dates(text: str, refusal: str) -> None:
    """Each refusal tells what is wrong and what to do."""
    with pytest.raises(UserError) as error:
        read_date(text, TODAY)
    assert str(error.value).startswith(refusal)


@settings(max_examples=30)
@given(text=st.text(max_size=40), today=st.dates(date(2024, 1, 1), date(2100, 1, 1)))
def test_any_text(text: str, today: date) -> None:
    """Any text gives a valid day or a refusal, and options within the limits."""
    days = [day for _, day in date_options(text, today)]
    with suppress(UserError):
        days.append(read_date(text, today))
    assert all(today + timedelta(days=FIRST) <= day <= today + timedelta(days=LAST) for day in days)
    assert len(days) <= 26


def test_options() -> None:
    """Without text it offers weeks ahead, else the next days that match."""
    assert date_options("", TODAY)[0] == ("Thursday 3 December 2026 · in 7 days", date(2026, 12, 3))
    assert [day for _, day in date_options("12", TODAY)][:2] == [
        date(2026, 12, 12),
        date(2027, 1, 12),
    ]
    assert [day for _, day in date_options("dec 12", TODAY)] == [date(2026, 12, 12)]
    assert {day.weekday() for _, day in date_options("sat", TODAY)} == {5}
    assert [day.day for _, day in date_options("2026-12", TODAY)] == list(range(1, 26))
    assert date_options("in 3 weeks", TODAY)[0][1] == date(2026, 12, 17)
    assert date_options("2026-11-26", TODAY) == date_options("whenever", TODAY) == []
