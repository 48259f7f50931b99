"""Reading and writing the minutes of each weekday."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.plan.week import LEAST, MOST, read_week, written_week

WEEKS = st.tuples(*[st.just(0) | st.integers(LEAST, MOST) | st.sampled_from([10, 30])] * 7)


@pytest.mark.parametrize(
    ("text", "week", "written"),
    [
        ("15", (15,) * 7, "15"),
        ("15 minutes a day", (15,) * 7, "15"),
        ("10, weekends 30", (10, 10, 10, 10, 10, 30, 30), "10, weekends 30"),
        ("weekdays: 10; weekend: 30 min", (10, 10, 10, 10, 10, 30, 30), "10, weekends 30"),
        ("10 on weekdays and 30 at weekends", (10, 10, 10, 10, 10, 30, 30), "10, weekends 30"),
        ("Mon-Fri 10, Sat 30, Sun 0", (10, 10, 10, 10, 10, 30, 0), "Mon-Fri 10, Sat 30"),
        ("mon to fri 10, Sat. 30, Sunday off", (10, 10, 10, 10, 10, 30, 0), "Mon-Fri 10, Sat 30"),
        ("20 Mon, Wed, 30 Sat", (20, 0, 20, 0, 0, 30, 0), "Mon, Wed 20, Sat 30"),
        ("Mondays, Wednesdays 20, Sat 30", (20, 0, 20, 0, 0, 30, 0), "Mon, Wed 20, Sat 30"),
        ("10, Sat, Sun 30", (10, 10, 10, 10, 10, 30, 30), "10, weekends 30"),
        ("10 except Sundays", (10, 10, 10, 10, 10, 10, 0), "Mon-Sat 10"),
        ("Fri-Mon 20", (20, 0, 0, 0, 20, 20, 20), "20, Tue-Thu 0"),
        ("Tue 5, weekdays 10", (10, 5, 10, 10, 10, 0, 0), "10, Tue 5, weekends 0"),
        ("Sat 30", (0, 0, 0, 0, 0, 30, 0), "Sat 30"),
        ("Wed 30, otherwise 10", (10, 10, 30, 10, 10, 10, 10), "10, Wed 30"),
    ],
)
def test_minutes_as_people_write_them(text: str, week: tuple[int, ...], written: str) -> None:
    """A number without days is for all that are not named, and fewer days go before more."""
    assert read_week(text) == week
    assert written_week(week) == written


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("4", "Minutes a day are from 5 to 120, or 0 for a day off. Use </plan> again."),
        ("10, Sun 121", "Minutes a day are from 5 to 120"),
        ("0", "A plan needs minutes on at least one day of the week."),
        ("Sat off", "A plan needs minutes on at least one day of the week."),
        (
            "10-15",
            'I don\'t understand the minutes "10-15". Write them like "15", "10, weekends 30"',
        ),
        ("10 20", "I don't understand"),
        ("7.5", "I don't understand"),
        ("10, Sat", "I don't understand"),
        ("soon", "I don't understand"),
        ("10 s", "I don't understand"),
        ("soon-Sat 10", "I don't understand"),
        (" ", 'I need minutes a day. Write them like "15"'),
    ],
)
def test_refused_minutes(text: str, refusal: str) -> None:
    """Each refusal tells what is wrong and what to do."""
    with pytest.raises(UserError) as error:
        read_week(text)
    assert refusal in str(error.value)


@given(week=WEEKS.filter(any))
def test_written_minutes_are_read_again(week: tuple[int, ...]) -> None:
    """They fit into the field of the form."""
    assert read_week(written_week(week)) == week
    assert len(written_week(week)) <= 80


@settings(max_examples=50)
@given(text=st.text(st.sampled_from("0159 ,-.aMonSutwekds\n"), max_size=40) | st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Any text gives seven valid days or a refusal."""
    with suppress(UserError):
        week = read_week(text)
        assert len(week) == 7
        assert any(week)
        assert all(minutes == 0 or LEAST <= minutes <= MOST for minutes in week)
