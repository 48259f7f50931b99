"""Which question a day gets, and streaks."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.daily.rules import (
    DEFAULT_HOURS,
    MAX_HOURS,
    MIN_HOURS,
    POINTS,
    Streak,
    asks_openly,
    days_in_words,
    parse_days,
    pick,
    streak,
    suggest_days,
)
from tests.shipped import item

FIRST = date(2024, 5, 1)


def test_the_numbers_of_the_specification() -> None:
    """A daily is open for 1 to 48 hours, 23 if nothing is said, and worth 100 points."""
    assert (MIN_HOURS, MAX_HOURS, DEFAULT_HOURS, POINTS) == (1, 48, 23, 100)


def test_what_was_no_daily_yet_comes_first() -> None:
    """While something new is left, nothing is repeated."""
    pool = [item("a"), item("b"), item("c")]
    used = {"a": FIRST, "c": FIRST + timedelta(days=1)}
    assert {pick(pool, used, random.Random(seed)).id for seed in range(20)} == {"b"}


def test_a_used_up_pool_gives_the_one_that_waited_longest() -> None:
    """When all were used, the one whose turn is longest ago comes again."""
    pool = [item("a"), item("b"), item("c")]
    used = {"a": FIRST, "b": FIRST - timedelta(days=9), "c": FIRST + timedelta(days=1)}
    assert {pick(pool, used, random.Random(seed)).id for seed in range(20)} == {"b"}


def test_chance_decides_among_new_ones() -> None:
    """Each new item can be the first, and the same seed picks the same."""
    pool = [item("a"), item("b"), item("c")]
    assert {pick(pool, {}, random.Random(seed)).id for seed in range(60)} == {"a", "b", "c"}
    assert pick(pool, {}, random.Random(5)) == pick(pool, {}, random.Random(5))


def test_other_servers_questions_do_not_matter() -> None:
    """Dates of items that are not in the pool, such as retired ones, change nothing."""
    assert pick([item("a")], {"gone": FIRST}, random.Random(1)).id == "a"


@given(size=st.integers(1, 8), cycles=st.integers(1, 3), seed=st.integers(0, 999))
def test_no_repeat_until_the_pool_is_used_up(size: int, cycles: int, seed: int) -> None:
    """Day after day each item comes once a cycle, and in the second cycle in the order of the first."""
    pool, used, rng = [item(f"i-{n}") for n in range(size)], dict[str, date](), random.Random(seed)
    history = list[str]()
    for day in range(size * cycles):
        chosen = pick(pool, used, rng).id
        used[chosen] = FIRST + timedelta(days=day)
        history.append(chosen)
    first = history[:size]
    assert sorted(first) == sorted(i.id for i in pool)
    assert history == first * cycles


def test_which_days_ask_openly() -> None:
    """Never for choice, always for open, every third date for mixed."""
    days = [FIRST + timedelta(days=n) for n in range(9)]
    assert not any(asks_openly("choice", day) for day in days)
    assert all(asks_openly("open", day) for day in days)
    mixed = [n for n, day in enumerate(days) if asks_openly("mixed", day)]
    assert [after - before for before, after in pairwise(mixed)] == [3, 3]


FIRST = date(2024, 5, 1)


def days(*numbers: int) -> list[date]:
    """Dates of May 2024 by their day number."""
    return [date(2024, 5, number) for number in numbers]


def test_nobody_answered_anything() -> None:
    """Without dailies or without answers there is no streak."""
    assert streak([], []) == Streak(0, 0)
    assert streak(days(1, 2, 3), []) == Streak(0, 0)


def test_every_daily_answered() -> None:
    """Three dailies in a row are a streak of three."""
    assert streak(days(1, 2, 3), days(1, 2, 3)) == Streak(3, 3)


def test_a_missed_daily_breaks_it() -> None:
    """A closed daily without an answer starts the count again, and the best run is kept."""
    assert streak(days(1, 2, 3, 4, 5), days(1, 2, 3, 5)) == Streak(1, 3)
    assert streak(days(1, 2, 3), days(1, 2)) == Streak(0, 2)


def test_days_without_a_daily_break_nothing() -> None:
    """A streak survives dates on which the server had no daily, also across months."""
    assert streak([*days(1, 2, 9), date(2024, 7, 30)], [*days(1, 2, 9), date(2024, 7, 30)]).current == 4


def test_the_order_of_the_days_does_not_matter() -> None:
    """Days may come in any order and more than once."""
    assert streak(days(5, 1, 3, 2, 4, 4), days(4, 5, 2)) == Streak(2, 2)


def test_answers_without_a_daily_are_ignored() -> None:
    """An answer on a date that had no daily does not count."""
    assert streak(days(1, 2), days(1, 2, 3, 4)) == Streak(2, 2)
    assert streak([], days(1)) == Streak(0, 0)


def test_an_open_daily_does_not_break_it_yet() -> None:
    """Today's daily, open and unanswered, is passed over; when it closes unanswered the streak is over."""
    assert streak(days(1, 2, 3), days(1, 2), days(3)) == Streak(2, 2)
    assert streak(days(1, 2, 3), days(1, 2)) == Streak(0, 2)


def test_an_open_daily_counts_once_it_is_answered() -> None:
    """An answer counts at once and not only at close."""
    assert streak(days(1, 2, 3), days(1, 2, 3), days(3)) == Streak(3, 3)


def test_two_dailies_open_and_the_newer_answered_first() -> None:
    """With two open, the newer may be answered first; the older joins in later, or breaks the run by closing."""
    assert streak(days(1, 2, 3), days(1, 3), days(2, 3)) == Streak(2, 2)
    assert streak(days(1, 2, 3), days(1, 3, 2), days(2, 3)) == Streak(3, 3)
    assert streak(days(1, 2, 3), days(1, 3), days(3)) == Streak(1, 1)


def test_an_open_day_without_a_daily_is_ignored() -> None:
    """Open dates that are not among the days change nothing."""
    assert streak(days(1, 2), days(1), days(3)) == Streak(0, 1)


@pytest.mark.parametrize(
    ("text", "days", "words"),
    [
        ("every day", "0123456", "every day"),
        ("Weekdays", "01234", "Monday to Friday"),
        ("weekends", "56", "Saturday and Sunday"),
        ("Mon, Wed and Fri", "024", "Mon, Wed and Fri"),
        ("tuesdays & thu.", "13", "Tuesday and Thursday"),
        ("fri-mo", "0456", "Mon, Fri, Sat and Sun"),
        ("Tue \N{EN DASH} Thu", "123", "Tuesday to Thursday"),
        ("su", "6", "Sunday"),
    ],
)
def test_days_of_the_week(text: str, days: str, words: str) -> None:
    """Names, beginnings of names and ranges are understood, and shown so that they can be read back."""
    assert parse_days(text) == days
    assert days_in_words(days) == words
    assert parse_days(words.replace(" to ", "-")) == days


@pytest.mark.parametrize("text", ["", " , ", "t", "someday", "mon-tue-wed", "mon tues wedding", "7", "mon--wed"])
def test_days_that_are_not(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(UserError, match="day"):
        parse_days(text)


def test_days_while_somebody_types() -> None:
    """Widely used ones first; what can be read is offered as it will be understood."""
    assert suggest_days("")[:2] == ["every day", "weekdays"]
    assert suggest_days("week") == ["weekdays", "weekends"]
    assert suggest_days("mo tu") == ["Mon, Tue"]
    assert suggest_days("sat sun") == ["weekends"]
    assert suggest_days("never") == []


def oracle(held: list[date], answered: set[date], still_open: set[date]) -> Streak:
    """Drop what does not matter, then look at every stretch of the calendar there is."""
    matter = sorted({day for day in held if day in answered or day not in still_open})
    runs = [0]
    runs += [
        end - start
        for start in range(len(matter))
        for end in range(start + 1, len(matter) + 1)
        if all(day in answered for day in matter[start:end])
    ]
    tails = [n for n in range(len(matter) + 1) if all(day in answered for day in matter[len(matter) - n :])]
    return Streak(max(tails), max(runs))


some_days = st.lists(st.integers(0, 20).map(lambda n: FIRST + timedelta(days=n)), max_size=24)


@given(held=some_days, answered=some_days.map(set), still_open=some_days.map(set))
def test_agrees_with_the_oracle(held: list[date], answered: set[date], still_open: set[date]) -> None:
    """The single pass gives what a look at every stretch gives."""
    assert streak(held, answered, still_open) == oracle(held, answered, still_open)


@given(held=some_days, answered=some_days.map(set), still_open=some_days.map(set), extra=some_days)
def test_more_answers_never_shorten_a_streak(
    held: list[date], answered: set[date], still_open: set[date], extra: list[date]
) -> None:
    """Answering one more daily never makes the current or the best streak shorter."""
    before, after = streak(held, answered, still_open), streak(held, answered | set(extra), still_open)
    assert after.current >= before.current
    assert after.best >= before.best >= before.current
