"""Reading dates and days away as people write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.plan.dates import (
    FIRST,
    LAST,
    MOST_AWAY,
    joined,
    read_away,
    read_date,
    within,
    written_away,
)

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


END = date(2027, 1, 20)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("24-26 Dec, 31 Dec", "24-26 Dec, 31 Dec"),
        ("31 december; 24th to 26th of December", "24-26 Dec, 31 Dec"),
        ("Dec 24-26", "24-26 Dec"),
        ("24.12. - 26.12.", "24-26 Dec"),
        ("2026-12-24 until 2026-12-26", "24-26 Dec"),
        ("2026-12-24-2026-12-26", "24-26 Dec"),
        ("30 Dec to 2 Jan", "30 Dec - 2 Jan"),
        ("24, 25 and 31 Dec", "24-25 Dec, 31 Dec"),
        ("24-28 Dec, 26-31 Dec", "24-31 Dec"),
        ("tomorrow, Sunday", "27 Nov, 29 Nov"),
        ("25-27 Nov", "26-27 Nov"),
    ],
)
def test_days_away(text: str, written: str) -> None:
    """They come in order, and those that touch are one time."""
    assert written_away(read_away(text, TODAY, END), TODAY) == written


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("26-24 Dec", "24 December 2026 is before 26 December 2026. Change your days away"),
        ("19-21 Jan", "21 January 2027 is after your interview on 20 January 2027."),
        ("1, 29 Nov", "1 November 2026 is in the past."),
        ("24-26 Foo", 'I don\'t know the date "24-26 Foo".'),
        ("24-40 Dec", 'I don\'t know the date "24-40 Dec".'),
        (", ".join(f"{day} Dec" for day in range(1, 23, 2)), "up to 10 times away."),
    ],
)
def test_refused_days_away(text: str, refusal: str) -> None:
    with pytest.raises(UserError) as error:
        read_away(text, TODAY, END)
    assert refusal in str(error.value)


@pytest.mark.parametrize(
    ("today", "away"),
    [(date(2027, 1, 5), date(2028, 1, 5)), (date(2027, 3, 1), date(2028, 2, 29))],
)
def test_days_that_need_their_year(today: date, away: date) -> None:
    """They are the same day of the next year, and one that this year has not."""
    assert read_away(written_away([(away, away)], today), today, away) == ((away, away),)


@given(st.data(), st.dates(date(2027, 1, 1), date(2029, 1, 1)), st.integers(0, LAST))
def test_written_days_away_are_read_again(data: st.DataObject, today: date, days: int) -> None:
    """Also those of the next year, and what passes is left out."""
    end = today + timedelta(days=days)
    pairs = st.tuples(st.dates(today, end), st.dates(today, end))
    drawn = data.draw(st.lists(pairs, max_size=MOST_AWAY))
    spans = joined((min(pair), max(pair)) for pair in drawn)
    assert read_away(written_away(spans, today), today, end) == spans
    away = {
        first + timedelta(days=n) for first, last in spans for n in range((last - first).days + 1)
    }
    middle = data.draw(st.dates(today, end))
    later = within(spans, middle, end)
    assert {d for d in away if d >= middle} == {
        first + timedelta(days=n) for first, last in later for n in range((last - first).days + 1)
    }
    assert read_away(written_away(later, middle), middle, end) == later
