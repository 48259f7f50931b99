"""Reading dates as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.plan.dates import FIRST, LAST, read_date

TODAY = date(2026, 11, 26)  # a Thursday


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-12", "2026-12-12"),
        ("12.12.2026", "2026-12-12"),
        ("12. 12. 2026", "2026-12-12"),
        ("12.12.", "2026-12-12"),
        ("1.11", "2027-11-01"),
        (" 12 December 2026 ", "2026-12-12"),
        ("12. December", "2026-12-12"),
        ("Dec 12", "2026-12-12"),
        ("12th of dec", "2026-12-12"),
        ("1 November", "2027-11-01"),
        ("in 3 weeks", "2026-12-17"),
        ("in two weeks", "2026-12-10"),
        ("a month", "2026-12-26"),
        ("2026-11-28", "2026-11-28"),
        ("2027-11-26", "2027-11-26"),
        ("Saturday", "2026-11-28"),
        ("this sun", "2026-11-29"),
        ("thursday", "2026-12-03"),
        ("next friday", "2026-12-04"),
        ("next Monday", "2026-11-30"),
    ],
)
def test_date_formats(text: str, day: str) -> None:
    """Without a year it is the next such day, from the day after tomorrow up to a year ahead."""
    assert str(read_date(text, TODAY)) == day


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        (
            "2026-11-25",
            "25 November 2026 is in the past. Pick one from the day after tomorrow on, in </plan>.",
        ),
        (
            "26.11.2026",
            "That's today, so there's nothing left to plan. Go over what you know with </practice>.",
        ),
        (
            "tomorrow",
            "That's tomorrow, too soon for a plan. Go over what you know with </practice>.",
        ),
        ("friday", "That's tomorrow, too soon for a plan."),
        (
            "2027-11-27",
            "27 November 2027 is more than a year away. Pick a nearer one in </plan>.",
        ),
        ("in 999 months", "more than a year away"),
        ("2026-02-30", "February 2026 has no day 30. Write it like 14 December, 14.12.2026,"),
        ("2026-13-01", "That date isn't in the calendar. Write it like 14 December"),
        ("soon", 'I don\'t know the date "soon". Write it like 14 December'),
        ("in some weeks", 'I don\'t know the date "in some weeks".'),
        ("12 decimal", 'I don\'t know the date "12 decimal".'),
        ("  ", "I need a date."),
    ],
)
def test_refused_dates(text: str, refusal: str) -> None:
    """Each refusal tells what is wrong and what to do."""
    with pytest.raises(UserError) as error:
        read_date(text, TODAY)
    assert refusal in str(error.value)


@settings(max_examples=30)
@given(text=st.text(max_size=40), today=st.dates(date(2024, 1, 1), date(2100, 1, 1)))
def test_any_text(text: str, today: date) -> None:
    """Any text gives a valid day or a refusal."""
    with suppress(UserError):
        day = read_date(text, today)
        assert today + timedelta(days=FIRST) <= day <= today + timedelta(days=LAST)
