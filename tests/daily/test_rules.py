"""Which question a day gets."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.daily.rules import DEFAULT_HOURS, MAX_HOURS, MIN_HOURS, POINTS, asks_openly, pick
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
