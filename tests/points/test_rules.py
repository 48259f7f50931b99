"""Points for an answer, a member's figures in a round, and places."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.points.rules import Tally, places, points, standings

limits = st.integers(5_000, 300_000)


@pytest.mark.parametrize(
    ("elapsed_ms", "expected"),
    [(0, 100), (1, 100), (99, 100), (101, 99), (2_000, 90), (5_000, 75), (10_000, 50), (9_999, 50), (6_667, 67)],
)
def test_points_of_a_right_answer_in_ten_seconds(elapsed_ms: int, expected: int) -> None:
    """A right answer earns 100 at once, falling evenly to 50 at the deadline, rounded to whole points."""
    assert points(True, elapsed_ms, 10_000) == expected


def test_a_wrong_answer_earns_nothing() -> None:
    """However fast, a wrong answer has no points."""
    assert points(False, 0, 20_000) == 0
    assert points(False, 20_000, 20_000) == 0


def test_a_late_answer_earns_nothing() -> None:
    """One millisecond after the deadline a right answer has no points."""
    assert points(True, 20_000, 20_000) == 50
    assert points(True, 20_001, 20_000) == 0


def test_an_answer_before_its_question_counts_as_at_once() -> None:
    """Snowflakes of different machines may be out of order by a few milliseconds: that is worth 100, not more."""
    assert points(True, -7, 20_000) == 100


@given(limit=limits, share=st.fractions(0, 1))
def test_points_are_the_formula_of_the_specification(limit: int, share: Fraction) -> None:
    """Points are the whole number nearest to 100 * (1 - t / (2 * T)), counted in exact fractions."""
    elapsed = int(share * limit)
    exact = 100 * (1 - Fraction(elapsed, 2 * limit))
    assert abs(points(True, elapsed, limit) - exact) <= Fraction(1, 2)


@given(limit=limits, elapsed=st.integers(-1_000, 400_000), right=st.booleans())
def test_points_stay_within_bounds(limit: int, elapsed: int, right: bool) -> None:
    """An answer has no points, or from 50 to 100, and it has some exactly when it is right and in time."""
    won = points(right, elapsed, limit)
    assert won == 0 or 50 <= won <= 100
    assert (won > 0) == (right and elapsed <= limit)


@given(limit=limits, first=st.integers(-1_000, 400_000), second=st.integers(-1_000, 400_000))
def test_a_faster_answer_never_earns_less(limit: int, first: int, second: int) -> None:
    """Points never rise with time."""
    assert points(True, min(first, second), limit) >= points(True, max(first, second), limit)


@given(limit=limits)
def test_the_deadline_halves_the_points(limit: int) -> None:
    """At the deadline exactly half of the full points are left, whatever the time limit is."""
    assert 2 * points(True, limit, limit) == points(True, 0, limit) == 100


def test_places_are_shared_and_the_next_is_skipped() -> None:
    """Equal scores share a place, and as many places after it stay empty."""
    assert places([90, 90, 80]) == [1, 1, 3]
    assert places([100, 70, 70, 70, 5]) == [1, 2, 2, 2, 5]
    assert places([3, 2, 1]) == [1, 2, 3]
    assert places([0, 0]) == [1, 1]
    assert places([]) == []


@given(st.lists(st.integers(0, 6), max_size=12).map(lambda scores: sorted(scores, reverse=True)))
def test_a_place_is_one_more_than_the_number_of_better_scores(scores: list[int]) -> None:
    """Ties share and the next place is skipped: a place counts those who have more."""
    assert places(scores) == [1 + sum(other > score for other in scores) for score in scores]


def test_the_average_time() -> None:
    """The average runs over all answered questions."""
    tally = Tally(user_id=1, points=150, right=3, answered=4, total_ms=10_001)
    assert tally.average_ms == 2_500


def test_figures_of_a_member_without_answers() -> None:
    """Nobody is divided by zero."""
    tally = Tally(user_id=1, points=0, right=0, answered=0, total_ms=0)
    assert tally.average_ms == 0


def test_standings_put_the_most_points_first() -> None:
    """Standings go by points; the faster of two equals is named first but shares the place."""
    slow, fast = Tally(1, 180, 2, 2, 9_000), Tally(2, 180, 2, 2, 5_000)
    best, last = Tally(3, 190, 2, 2, 19_000), Tally(4, 10, 1, 2, 100)
    assert standings([slow, last, fast, best]) == [(1, best), (2, fast), (2, slow), (4, last)]


tallies = st.lists(
    st.builds(
        Tally,
        user_id=st.integers(1, 30),
        points=st.integers(0, 3),
        right=st.integers(0, 3),
        answered=st.integers(3, 5),
        total_ms=st.integers(0, 20_000),
    ),
    max_size=8,
    unique_by=lambda tally: tally.user_id,
)


@given(members=tallies, data=st.data())
def test_standings_do_not_depend_on_the_order_of_the_tallies(members: list[Tally], data: st.DataObject) -> None:
    """Every member stands there once, by falling points, whatever order the rows came in."""
    table = standings(members)
    assert sorted(tally.user_id for _, tally in table) == sorted(tally.user_id for tally in members)
    assert [place for place, _ in table] == places(sorted((tally.points for tally in members), reverse=True))
    assert [place for place, _ in table] == [1 + sum(o.points > t.points for o in members) for _, t in table]
    assert standings(data.draw(st.permutations(members))) == table
