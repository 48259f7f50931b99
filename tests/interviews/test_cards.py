"""Assessments, replies and point counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.interviews.cards import Assessment, Part, Point, PointCount, Reply

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
ANSWERED = Reply("Why “so”?", "Because. And so.", "I think so.")
COMPARED = replace(
    ANSWERED,
    parts=(Part("Because.", "missing"), Part("And so.", "covered", "I think so.")),
    flags=("terse",),
)


def test_states_have_a_letter_per_point() -> None:
    """The letters are in the bank's order."""
    assert MIXED.states == "cdmm"
    assert [point.text for point in MIXED.in_state("missing")] == ["Third", "Fourth"]


@pytest.mark.parametrize(("percent", "passed"), [(49, False), (50, True), (100, True)])
def test_half_is_a_pass(percent: int, passed: bool) -> None:
    assert Assessment((), percent).passed is passed


def test_only_doubtful_points_can_be_confirmed() -> None:
    """A confirmed point counts in full; a missing point stays missing."""
    confirmed = MIXED.with_confirmed({1: "so", 2: "so"})
    assert confirmed.states == "ccmm"
    assert confirmed.points[1] == Point("Second", "covered", "so", 1.0)
    assert confirmed.percent == 50  # two points of four
    assert MIXED.with_confirmed({}) == MIXED


def test_claims_change_only_the_members_own_percent() -> None:
    """The grader's percent, the states and whether the answer passed stay as they were."""
    claimed = MIXED.with_claims({1, 3})
    assert [point.text for point in claimed.claimed] == ["Second", "Fourth"]
    unclaimed = [claimed.in_state(state) for state in ("covered", "doubtful", "missing")]
    assert [[point.text for point in points] for points in unclaimed] == [["First"], [], ["Third"]]
    assert (claimed.own_percent, MIXED.own_percent) == (75, 31)
    assert (claimed.percent, claimed.states) == (MIXED.percent, MIXED.states)
    assert not claimed.passed
    assert claimed.points[1].quote == MIXED.points[1].quote


def test_claims_replace_earlier_ones() -> None:
    """Covered points, and indexes that don't exist, can't be claimed."""
    assert MIXED.with_claims({1, 3}).with_claims({2}) == MIXED.with_claims({2})
    assert MIXED.with_claims({2}).with_claims(set()) == MIXED
    assert MIXED.with_claims({0, 9}) == MIXED


def test_a_new_grade_takes_over_claims() -> None:
    """A claimed point stays claimed unless the new grade covers it."""
    claimed = MIXED.with_claims({1, 3})
    assert MIXED.with_claims_of(claimed) == claimed
    confirmed = MIXED.with_confirmed({1: "so"})
    assert confirmed.with_claims_of(claimed) == confirmed.with_claims({3})


def test_pending_replies() -> None:
    """Only an answer that has not been compared is pending."""
    shown = replace(ANSWERED, answer=None)
    assert [reply.pending for reply in (shown, ANSWERED, COMPARED)] == [False, True, False]


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        (["covered", "covered"], "covered"),
        (["covered", "doubtful"], "partly covered"),
        (["covered", "missing"], "partly covered"),
        (["doubtful", "missing"], "unclear"),
        (["missing"], "missing"),
    ],
)
def test_outcomes(states: list[str], outcome: str) -> None:
    """The outcome sums up the states of all parts."""
    assert replace(ANSWERED, parts=tuple(Part("x", state) for state in states)).outcome == outcome


@pytest.mark.parametrize(
    ("now", "earlier", "expected"),
    [
        ((3, 5), (2, 5), 1),
        ((2, 5), (2, 5), 0),
        ((2, 6), (2, 5), -1),
        ((3, 6), (2, 4), 0),
        ((0, 3), (0, 4), 0),
    ],
)
def test_point_counts_compare_by_share(
    now: tuple[int, int], earlier: tuple[int, int], expected: int
) -> None:
    """Shares are compared because the bank's key points may have changed in between."""
    assert PointCount(*now).compare(PointCount(*earlier)) == expected
