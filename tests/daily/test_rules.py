"""The steps of a daily, which question a day gets, and streaks."""

from __future__ import annotations

import random
import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import days_in_words
from bot.daily.model import POSTED, DailyState
from bot.daily.rules import (
    MOVES,
    asks_openly,
    decode_ticks,
    encode_ticks,
    most_missed,
    next_count,
    pick,
)
from bot.daily.streaks import NO_STREAK, streak, streak_news
from tests.shipped import item

FIRST = date(2024, 5, 1)


def test_what_counts_as_posted() -> None:
    """Posted is what has its message; no other daily of its schedule is posted on that date."""
    assert set(DailyState) - set(POSTED) == {"posting", "skipped", "missed"}


def test_every_step_leads_on() -> None:
    """Done or given up, a daily is in a later state; one that members can answer never ends early."""
    order = [*MOVES, DailyState.CLOSED, DailyState.MISSED]
    for state, move in MOVES.items():
        for after in (move.done, move.given_up):
            assert order.index(after) > order.index(state) or state is after is DailyState.OPEN
        if state in (DailyState.SHOWING, DailyState.THREADING, DailyState.OPEN):
            assert move.given_up is DailyState.OPEN


def test_ticks() -> None:
    """Ticks are read as they were stored; the points that most members left out come first."""
    assert encode_ticks({0, 2}, 4) == "smsm"
    assert decode_ticks("smsm") == {0, 2}
    assert most_missed(["smm", "ssm", "m", "smm"], ["A", "B", "C"]) == (("C", 3), ("B", 2))
    assert most_missed([], ["A"]) == ()


def test_chance_decides_among_new_ones() -> None:
    """Each new item can be the first, and the same seed picks the same."""
    pool = [item("a"), item("b"), item("c")]
    assert {pick(pool, {}, random.Random(seed)).id for seed in range(60)} == {"a", "b", "c"}
    assert pick(pool, {}, random.Random(5)) == pick(pool, {}, random.Random(5))


@given(size=st.integers(1, 8), cycles=st.integers(1, 3), seed=st.integers(0, 999))
def test_no_repeat_until_the_pool_is_used_up(size: int, cycles: int, seed: int) -> None:
    """Day after day each item comes once a cycle, and in the second cycle in the order of the first."""
    pool = [item(f"i-{n}") for n in range(size)]
    used = {"retired": FIRST}
    rng = random.Random(seed)
    picked = list[str]()
    for day in range(size * cycles):
        chosen = pick(pool, used, rng).id
        used[chosen] = FIRST + timedelta(days=day)
        picked.append(chosen)
    first = picked[:size]
    assert sorted(first) == sorted(i.id for i in pool)
    assert picked == first * cycles


def test_which_days_ask_openly() -> None:
    """Never for choice, always for open, every third date for mixed."""
    days = [FIRST + timedelta(days=n) for n in range(9)]
    assert not any(asks_openly("choice", day) for day in days)
    assert all(asks_openly("open", day) for day in days)
    mixed = [n for n, day in enumerate(days) if asks_openly("mixed", day)]
    assert [after - before for before, after in pairwise(mixed)] == [3, 3]


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ("0123456", "every day"),
        ("01234", "Monday to Friday"),
        ("56", "Saturday and Sunday"),
        ("024", "Mon, Wed and Fri"),
        ("6", "Sunday"),
    ],
)
def test_days_of_the_week(days: str, words: str) -> None:
    assert days_in_words(days) == words


def history(text: str) -> tuple[list[date], set[date], set[date]]:
    """Return dates from 1 May with a daily, the answered ones and those that are still open.

    One letter per date: a(nswered), m(issed), o(pen), A(nswered and open), - for no daily.
    """
    dates = [(FIRST + timedelta(days=n), mark) for n, mark in enumerate(text)]
    return (
        [day for day, mark in dates if mark != "-"],
        {day for day, mark in dates if mark in "aA"},
        {day for day, mark in dates if mark in "oA"},
    )


@pytest.mark.parametrize(
    ("text", "current", "best", "freezes"),
    [
        ("", 0, 0, 0),
        ("mmm", 0, 0, 0),
        ("aaa", 3, 3, 0),
        ("aaama", 1, 3, 0),
        ("aam", 0, 2, 0),
        ("aa-----a" + "-" * 60 + "a", 4, 4, 0),
        ("aao", 2, 2, 0),
        ("aaA", 3, 3, 0),
        ("aoA", 2, 2, 0),
        ("aAA", 3, 3, 0),
        ("amA", 1, 1, 0),
        ("a" * 6, 6, 6, 0),
        ("a" * 7, 7, 7, 1),
        ("a" * 7 + "o", 7, 7, 1),
        ("a" * 7 + "-----a", 8, 8, 1),
        ("a" * 14, 14, 14, 2),
        ("a" * 30, 30, 30, 2),  # no more than two freezes are kept
        ("a" * 6 + "m", 0, 6, 0),
        ("a" * 7 + "m", 7, 7, 0),
        ("a" * 7 + "ma", 8, 8, 0),
        ("a" * 7 + "mm", 0, 7, 0),
        ("a" * 7 + "mam", 0, 8, 0),
        ("a" * 14 + "mma", 15, 15, 0),
        ("a" * 14 + "mmma", 1, 14, 0),
        ("a" * 7 + "m" + "a" * 6, 13, 13, 0),  # the missed date restarted the week
        ("a" * 7 + "m" + "a" * 7, 14, 14, 1),
        ("a" * 13 + "m" + "a" * 7, 20, 20, 1),
    ],
)
def test_streaks(text: str, current: int, best: int, freezes: int) -> None:
    """Missed dates end a streak or use up a freeze; open ones and dates without a daily don't."""
    found = streak(*history(text))
    assert (found.current, found.best, found.freezes) == (current, best, freezes)


def test_the_news_of_an_answer() -> None:
    """The answer that earns a freeze says so; the first after a frozen date says that, and only that one."""

    def news(text: str, untold: str = "") -> tuple[bool, int]:
        held, answered, _ = history(text)
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
