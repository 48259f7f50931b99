"""What is kept of a graded answer."""

from __future__ import annotations

import pytest

from bot.interviews.assessment import Assessment, Point, decode, encode, missed

MIXED = Assessment(
    (
        Point("First", "covered", "I said so.", 1.0),
        Point("Second", "doubtful", "Perhaps \N{EM DASH} “so”.", 0.25),
        Point("Third", "missing"),
        Point("Fourth", "missing"),
    ),
    31,
    ("negated",),
)


def test_it_comes_back_as_it_was_stored() -> None:
    """Every part survives, in whatever letters."""
    assert decode(encode(MIXED)) == MIXED


def test_the_states_in_short() -> None:
    """A letter a point, in the bank's order."""
    assert MIXED.states == "cdmm"
    assert [point.text for point in MIXED.of("missing")] == ["Third", "Fourth"]


@pytest.mark.parametrize(("percent", "passed"), [(49, False), (50, True), (100, True)])
def test_at_least_half_counts_as_right(percent: int, passed: bool) -> None:
    assert Assessment((), percent).passed is passed


def test_confirming_raises_doubtful_points_only() -> None:
    """A confirmed point counts in full; one that was missing stays missing, whatever is said of it."""
    better = MIXED.confirm({1: "so", 2: "so"})
    assert better.states == "ccmm"
    assert better.points[1] == Point("Second", "covered", "so", 1.0)
    assert better.percent == 50  # two points of four
    assert MIXED.confirm({}) == MIXED


def test_the_most_missed_points() -> None:
    """Counted over all answers, doubtful ones not; answers to another set of key points do not count."""
    states = ["cdm", "mdm", "cmm", "mmmm", ""]
    assert missed(states, ["A", "B", "C"], 2) == [("C", 3), ("A", 1)]
    assert missed([], ["A"], 3) == []
