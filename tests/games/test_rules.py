"""Which items fit, their time limits, and points."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.games.model import GameOptions
from bot.games.rules import LEAST_TIME, MOST_TIME, grace, points, reading_time, seconds_for
from bot.rounds.model import RoundOptions
from tests.shipped import in_order, item, packs, typed


def test_every_item_leaves_time_to_think() -> None:
    """Limits are 15 to 90 seconds in steps of five, at least four more than reading takes; to place
    lines of code, there are up to 135."""
    items = list(packs().asked.values())
    for one in items:
        limit = seconds_for(one)
        assert limit in range(15, 136 if one.lines else 91, 5)
        assert limit >= 10 * len(one.lines)
        read = reading_time(" ".join([one.prompt, *(choice.text for choice in one.choices)]))
        assert limit - read >= 4, one.id
    assert len({seconds_for(one) for one in items}) > 5


def test_what_makes_an_item_take_longer() -> None:
    """Words, difficulty, several right choices, numbers to work out and typing add time."""
    plain = replace(item(difficulty=3), prompt="word " * 30)
    for longer in (
        replace(plain, prompt="word " * 60),
        replace(plain, difficulty=5),
        replace(plain, kind="multiple"),
        replace(plain, spoken="x squared " * 9),
    ):
        assert seconds_for(plain) < seconds_for(longer)
    numbers = tuple(replace(choice, text="about 4") for choice in plain.choices)
    plain = replace(plain, choices=numbers)
    worked_out = replace(plain, prompt="word " * 29 + "16")
    assert seconds_for(plain) < seconds_for(worked_out)
    assert seconds_for(replace(worked_out, difficulty=1)) < seconds_for(worked_out)
    short, long = (
        replace(typed(answer), prompt="word " * 20) for answer in ("bias", "reinforcement learning")
    )
    assert seconds_for(short) < seconds_for(long)
    assert seconds_for(replace(plain, code="x = 1\ny = 2\nz = 3")) > seconds_for(plain)
    estimate = typed("40")
    assert seconds_for(replace(estimate, tolerance=10)) > seconds_for(estimate)
    assert seconds_for(replace(plain, prompt="word " * 999)) == MOST_TIME
    assert seconds_for(replace(typed("bias"), prompt="Why?", difficulty=1)) == LEAST_TIME


@pytest.mark.parametrize(
    ("difficulty", "asked"),
    [("easy", {1, 2}), ("medium", {3}), ("hard", {4, 5}), (None, {1, 2, 3, 4, 5})],
)
def test_difficulties(difficulty: str | None, asked: set[int]) -> None:
    """Easy asks levels 1 and 2, medium 3, hard 4 and 5; without one, all are asked."""
    options = GameOptions(5, difficulty=difficulty)
    assert {n for n in range(1, 6) if options.allows(item(difficulty=n))} == asked


def test_code_in_order_is_for_challenges() -> None:
    """A round, where others wait, never asks it."""
    asked = [options(5).allows(in_order()) for options in (GameOptions, RoundOptions)]
    assert asked == [True, False]
    assert RoundOptions(5).allows(item())


def test_one_topic() -> None:
    """With a topic only its own items fit, and the difficulty counts as well."""
    one = item(topic="lora")
    assert GameOptions(5, "lora", "medium").allows(one)
    assert not GameOptions(5, "qlora", "medium").allows(one)
    assert not GameOptions(5, "lora", "hard").allows(one)


def test_grace() -> None:
    """A reveal waits as long as events take, from a quarter of a second to one and a half."""
    found = [grace(timedelta(seconds=s)).total_seconds() for s in (0, 0.1, 0.7, 9)]
    assert found == [0.25, 0.25, 0.7, 1.5]


@pytest.mark.parametrize(
    ("elapsed_ms", "expected"),
    [
        (-7, 100),  # ids made by different machines of Discord may be out of order
        (0, 100),
        (99, 100),
        (101, 99),
        (5_000, 75),
        (6_667, 67),
        (9_999, 50),
        (10_000, 50),
        (10_001, 0),
    ],
)
def test_points_fall_with_time(elapsed_ms: int, expected: int) -> None:
    """A right answer is worth 100 at once and 50 at the deadline; a wrong one nothing."""
    assert points(True, elapsed_ms, 10_000) == expected
    assert points(False, elapsed_ms, 10_000) == 0


def test_points_without_a_limit() -> None:
    """A right answer is worth 100 at any time."""
    assert [points(right, 9_999_999, None) for right in (True, False)] == [100, 0]


@given(limit=st.integers(5_000, 300_000), share=st.fractions(0, 1))
def test_points_are_exact(limit: int, share: Fraction) -> None:
    """Points are the whole number nearest to 100 * (1 - t / (2 * T)), so never fewer if faster."""
    elapsed = int(share * limit)
    exact = 100 * (1 - Fraction(elapsed, 2 * limit))
    assert abs(points(True, elapsed, limit) - exact) <= Fraction(1, 2)
