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
    marked = MIXED.claim({1, 3})
    assert marked != MIXED
    assert decode(encode(marked)) == marked


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


def test_claimed_points_count_for_the_member_alone() -> None:
    """The member's own per cent has them in full; the grader's, the states and what they earn elsewhere stay."""
    marked = MIXED.claim({1, 3})
    assert [point.text for point in marked.claimed] == ["Second", "Fourth"]
    assert [[p.text for p in marked.of(state)] for state in ("covered", "doubtful", "missing")] == [
        ["First"],
        [],
        ["Third"],
    ]
    assert (marked.own_percent, MIXED.own_percent) == (75, 31)
    assert (marked.percent, marked.states, marked.passed) == (MIXED.percent, MIXED.states, False)
    assert marked.points[1].quote == MIXED.points[1].quote


def test_a_claim_replaces_the_last_one() -> None:
    """What is not claimed this time is not claimed any more; a covered point and one that is not there can't be."""
    assert MIXED.claim({1, 3}).claim({2}) == MIXED.claim({2})
    assert MIXED.claim({2}).claim(set()) == MIXED
    assert MIXED.claim({0, 9}) == MIXED


def test_a_new_grade_keeps_claims() -> None:
    """A claimed point stays claimed, unless the new grade has it as covered."""
    marked = MIXED.claim({1, 3})
    assert MIXED.keep_claims(marked) == marked
    better = MIXED.confirm({1: "so"})
    assert better.keep_claims(marked) == better.claim({3})


def test_the_most_missed_points() -> None:
    """Counted over all answers, doubtful ones not; answers to another set of key points do not count."""
    states = ["cdm", "mdm", "cmm", "mmmm", ""]
    assert missed(states, ["A", "B", "C"], 2) == [("C", 3), ("A", 1)]
    assert missed([], ["A"], 3) == []
