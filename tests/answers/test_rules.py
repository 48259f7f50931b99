"""Tallies, places, ratings, payment, and the periods of boards."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.answers.model import Tally
from bot.answers.rules import (
    PERIODS,
    days_before,
    days_of,
    paid,
    places,
    rate,
    slow_in_game,
    slow_in_practice,
    standings,
)
from bot.questions.model import Choice, Item
from tests.answers.entries import start_of
from tests.shipped import in_order


@given(st.lists(st.integers(0, 6), max_size=12).map(lambda scores: sorted(scores, reverse=True)))
def test_a_place_is_one_more_than_the_number_of_better_scores(scores: list[int]) -> None:
    """Ties share and the next place is skipped: a place counts those who have more."""
    assert places(scores) == [1 + sum(other > score for other in scores) for score in scores]


def test_the_average_time() -> None:
    """The average runs over all answered questions; without any it is 0."""
    times = [Tally(1, 150, 3, answered, ms).average_ms for answered, ms in ((4, 10_001), (0, 0))]
    assert times == [2_500, 0]


def test_standings_put_the_most_points_first() -> None:
    """Standings are ordered by points; the faster of two equals comes first and shares the place."""
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
def test_standings_do_not_depend_on_the_order_of_the_tallies(
    members: list[Tally], data: st.DataObject
) -> None:
    """Every member is listed once, by falling points, whatever the order of the rows."""
    table = standings(members)
    assert sorted(tally.user_id for _, tally in table) == sorted(tally.user_id for tally in members)
    assert [place for place, _ in table] == [
        1 + sum(o.points > t.points for o in members) for _, t in table
    ]
    assert standings(data.draw(st.permutations(members))) == table


days = st.dates(date(1971, 1, 1), date(2100, 1, 1))


def test_other_periods() -> None:
    """All time has neither a first day nor a period before it. A period that no board has is an error
    of the program, not a board of something else."""
    assert PERIODS == ("today", "week", "month", "all")
    assert days_of("all", date(2024, 5, 1)) is None
    assert days_before("all", date(2024, 5, 1)) is None
    with pytest.raises(ValueError, match="year"):
        days_of("year", date(2024, 5, 1))


@given(period=st.sampled_from(["today", "week", "month"]), day=days)
def test_periods_follow_each_other_without_gaps(period: str, day: date) -> None:
    """The next period begins the day after one ends, and the one before ends the day before."""
    dates = days_of(period, day)
    assert dates is not None
    first, last = dates
    assert first == start_of(period, day)
    assert days_of(period, last) == dates
    assert start_of(period, last + timedelta(days=1)) == last + timedelta(days=1)
    assert days_before(period, day) == days_of(period, first - timedelta(days=1))


@pytest.mark.parametrize(
    ("alone", "days", "points"),
    [(False, None, 90), (True, None, 0), (False, 29, 0), (False, 30, 90)],
)
def test_payment(alone: bool, days: int | None, points: int) -> None:
    """A game with one player pays nothing, nor does an item within thirty days of its last pay."""
    now = datetime(2027, 1, 4, tzinfo=UTC)
    last_paid = None if days is None else now - timedelta(days=days)
    assert paid(90, now, alone=alone, last_paid=last_paid) == points


@pytest.mark.parametrize(
    ("right", "elapsed_ms", "slow_after_ms", "rating"),
    [
        (True, 10_000, 10_000, Rating.Good),
        (True, 10_001, 10_000, Rating.Hard),
        (False, 1, 10_000, Rating.Again),
        (False, None, None, Rating.Again),
        (True, None, None, Rating.Good),
        (True, 10**9, None, Rating.Good),
    ],
)
def test_ratings(
    right: bool, elapsed_ms: int | None, slow_after_ms: int | None, rating: Rating
) -> None:
    """Right and fast is Good, right and slow Hard, wrong Again; without a clock right is Good."""
    assert rate(right, elapsed_ms, slow_after_ms) is rating


def test_slow_answers() -> None:
    """In a game: after half of the time. In practice: after reading, thinking, and typing or placing."""
    assert slow_in_game(20) == 10_000
    assert slow_in_game(None) is None
    choices = (Choice("x" * 60, True, "w"), Choice("x" * 60, False, "w"))
    item = Item("i", "t", "choice", 3, "x" * 180, "e", choices)
    assert slow_in_practice(item) == 20_000 + 50_000
    typed = Item("i", "t", "typed", 1, "x" * 30, "e", accept=("a",))
    assert slow_in_practice(typed) == 2_000 + 30_000 + 15_000
    code = replace(in_order(), prompt="x" * (150 - sum(map(len, in_order().pieces))))
    assert slow_in_practice(code) == 10_000 + 50_000 + 6 * 4_000
