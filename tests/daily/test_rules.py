"""Which question a day gets, and streaks."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import UserError
from bot.daily.rules import (
    DEFAULT_HOURS,
    MAX_HOURS,
    MIN_HOURS,
    NO_STREAK,
    POINTS,
    asks_openly,
    days_in_words,
    next_count,
    parse_days,
    pick,
    streak,
    streak_news,
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


def lengths(*given: Any) -> tuple[int, int]:
    """The current and the best run."""
    found = streak(*given)
    return found.current, found.best


def test_nobody_answered_anything() -> None:
    """Without dailies or without answers there is no streak."""
    assert lengths([], []) == (0, 0)
    assert lengths(days(1, 2, 3), []) == (0, 0)


def test_every_daily_answered() -> None:
    """Three dailies in a row are a streak of three."""
    assert lengths(days(1, 2, 3), days(1, 2, 3)) == (3, 3)


def test_a_missed_daily_breaks_it() -> None:
    """A closed daily without an answer starts the count again, and the best run is kept."""
    assert lengths(days(1, 2, 3, 4, 5), days(1, 2, 3, 5)) == (1, 3)
    assert lengths(days(1, 2, 3), days(1, 2)) == (0, 2)


def test_days_without_a_daily_break_nothing() -> None:
    """A streak survives dates on which the server had no daily, also across months."""
    assert (
        streak([*days(1, 2, 9), date(2024, 7, 30)], [*days(1, 2, 9), date(2024, 7, 30)]).current
        == 4
    )


def test_the_order_of_the_days_does_not_matter() -> None:
    """Days may come in any order and more than once."""
    assert lengths(days(5, 1, 3, 2, 4, 4), days(4, 5, 2)) == (2, 2)


def test_answers_without_a_daily_are_ignored() -> None:
    """An answer on a date that had no daily does not count."""
    assert lengths(days(1, 2), days(1, 2, 3, 4)) == (2, 2)
    assert lengths([], days(1)) == (0, 0)


def test_an_open_daily_does_not_break_it_yet() -> None:
    """Today's daily, open and unanswered, is passed over; when it closes unanswered the streak is over."""
    assert lengths(days(1, 2, 3), days(1, 2), days(3)) == (2, 2)
    assert lengths(days(1, 2, 3), days(1, 2)) == (0, 2)


def test_an_open_daily_counts_once_it_is_answered() -> None:
    """An answer counts at once and not only at close."""
    assert lengths(days(1, 2, 3), days(1, 2, 3), days(3)) == (3, 3)


def test_two_dailies_open_and_the_newer_answered_first() -> None:
    """With two open, the newer may be answered first; the older joins in later, or breaks the run by closing."""
    assert lengths(days(1, 2, 3), days(1, 3), days(2, 3)) == (2, 2)
    assert lengths(days(1, 2, 3), days(1, 3, 2), days(2, 3)) == (3, 3)
    assert lengths(days(1, 2, 3), days(1, 3), days(3)) == (1, 1)


def test_an_open_day_without_a_daily_is_ignored() -> None:
    """Open dates that are not among the days change nothing."""
    assert lengths(days(1, 2), days(1), days(3)) == (0, 1)


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


@pytest.mark.parametrize(
    "text", ["", " , ", "t", "someday", "mon-tue-wed", "mon tues wedding", "7", "mon--wed"]
)
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


def marks(text: str) -> tuple[list[date], set[date]]:
    """Dates from 1 May on with a daily, and those of them that were answered, by one letter each: a or m(issed)."""
    held = [FIRST + timedelta(days=n) for n in range(len(text))]
    return held, {day for day, mark in zip(held, text, strict=True) if mark == "a"}


@pytest.mark.parametrize(
    ("text", "current", "best", "freezes"),
    [
        ("a" * 6, 6, 6, 0),
        ("a" * 7, 7, 7, 1),
        ("a" * 14, 14, 14, 2),
        ("a" * 30, 30, 30, 2),  # no more than two are kept
        ("a" * 6 + "m", 0, 6, 0),
        ("a" * 7 + "m", 7, 7, 0),
        ("a" * 7 + "ma", 8, 8, 0),
        ("a" * 7 + "mm", 0, 7, 0),
        ("a" * 7 + "mam", 0, 8, 0),
        ("a" * 14 + "mma", 15, 15, 0),
        ("a" * 14 + "mmma", 1, 14, 0),
        ("a" * 7 + "m" + "a" * 6, 13, 13, 0),  # the row began anew at the missed date
        ("a" * 7 + "m" + "a" * 7, 14, 14, 1),
        ("a" * 13 + "m" + "a" * 7, 20, 20, 1),
    ],
)
def test_freezes(text: str, current: int, best: int, freezes: int) -> None:
    """Seven in a row earn one, two are kept, and a missed date uses one up or ends the streak."""
    found = streak(*marks(text))
    assert (found.current, found.best, found.freezes) == (current, best, freezes)


def test_an_open_date_costs_no_freeze() -> None:
    """Only its close does; dates without a daily cost none either."""
    held, answered = marks("a" * 7 + "m")
    assert streak(held, answered, {held[-1]}).freezes == 1
    assert streak([*held[:-1], date(2025, 5, 1)], {*answered, date(2025, 5, 1)}).freezes == 1


def test_the_news_of_an_answer() -> None:
    """The answer that earns a freeze says so; the first after a frozen date says that, and only that one."""

    def news(text: str, untold: str = "") -> tuple[bool, int]:
        held, answered = marks(text)
        days = {day for day, mark in zip(held, untold.rjust(len(text)), strict=True) if mark == "x"}
        found = streak_news(held, answered, (), NO_STREAK, now=held[-1], untold=days)
        return found.earned, found.saved

    assert news("a" * 6) == (False, 0)
    assert news("a" * 7, "x") == (True, 0)
    assert news("a" * 8) == (False, 0)
    assert news("a" * 21) == (False, 0)  # two are kept already
    assert news("a" * 7 + "ma", "xx") == (False, 1)
    assert news("a" * 7 + "maa", "x") == (False, 0)
    assert news("a" * 14 + "mma", "xxx") == (False, 2)
    assert news("a" * 7 + "mma", "xxx") == (
        False,
        0,
    )  # the streak ended: there is nothing to be glad of
    assert news("a" * 7 + "m" + "a" * 7, "x") == (True, 0)


def oracle(held: list[date], answered: set[date], still_open: set[date]) -> tuple[int, int, int]:
    """Write the history down as letters, and let patterns count: sevens become freezes, and freezes eat misses."""
    matter = sorted({day for day in held if day in answered or day not in still_open})
    text = "".join("a" if day in answered else "m" for day in matter)
    runs, freezes = [0], 0
    for row, end in re.findall(r"(a*)(m|$)", text):
        runs[-1] += len(row)
        freezes = min(2, freezes + len(row) // 7)
        if end and freezes:
            freezes -= 1
        elif end:
            runs.append(0)
    return runs[-1], max(runs), freezes


some_days = st.lists(st.integers(0, 20).map(lambda n: FIRST + timedelta(days=n)), max_size=24)
long_days = st.sets(st.integers(0, 40)).map(
    lambda left: [FIRST + timedelta(days=n) for n in range(40) if n not in left]
)


@given(
    held=some_days | long_days,
    answered=(some_days | long_days).map(set),
    still_open=some_days.map(set),
)
def test_agrees_with_the_oracle(
    held: list[date], answered: set[date], still_open: set[date]
) -> None:
    """The single pass gives what the letters give, as a whole and in two parts."""
    found = streak(held, answered, still_open)
    assert (found.current, found.best, found.freezes) == oracle(held, answered, still_open)
    middle = FIRST + timedelta(days=15)
    first, rest = [day for day in held if day < middle], [day for day in held if day >= middle]
    assert streak(rest, answered, still_open, streak(first, answered, still_open)) == found


@given(
    held=some_days | long_days,
    answered=(some_days | long_days).map(set),
    still_open=some_days.map(set),
    extra=some_days,
)
def test_more_answers_never_shorten_a_streak(
    held: list[date], answered: set[date], still_open: set[date], extra: list[date]
) -> None:
    """Answering one more daily never makes the current or the best streak shorter, and costs no freeze."""
    before, after = (
        streak(held, answered, still_open),
        streak(held, answered | set(extra), still_open),
    )
    assert after.current >= before.current
    assert after.best >= before.best >= before.current
    assert after.freezes >= before.freezes


def test_when_answers_are_counted() -> None:
    """A minute after an answer or later, with gaps that grow, some thirty times a day, never in the last minute."""
    opened = datetime(2027, 1, 4, 9, tzinfo=UTC)
    closes, at, seen = opened + timedelta(hours=23), opened, list[datetime]()
    while at < closes:
        at = next_count(opened, closes, at)
        seen.append(at)
    assert [round((at - opened) / timedelta(minutes=1), 1) for at in seen[:6]] == [
        1,
        2,
        3,
        4,
        5,
        6.2,
    ]
    assert len(seen) < 35
    assert seen[-1] == closes
    assert seen[-2] <= closes - timedelta(minutes=1)
    assert next_count(opened, opened + timedelta(seconds=90), opened) == opened + timedelta(
        seconds=90
    )
