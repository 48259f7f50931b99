"""A member's figures in a round, places, and periods of boards."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from bot.points.rules import (
    ALL_TIME,
    PERIODS,
    Tally,
    bucket,
    period_start,
    places,
    previous_start,
    standings,
)
from hypothesis import given
from hypothesis import strategies as st


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
def test_standings_do_not_depend_on_the_order_of_the_tallies(
    members: list[Tally], data: st.DataObject
) -> None:
    """Every member stands there once, by falling points, whatever order the rows came in."""
    table = standings(members)
    assert sorted(tally.user_id for _, tally in table) == sorted(tally.user_id for tally in members)
    assert [place for place, _ in table] == places(
        sorted((tally.points for tally in members), reverse=True)
    )
    assert [place for place, _ in table] == [
        1 + sum(o.points > t.points for o in members) for _, t in table
    ]
    assert standings(data.draw(st.permutations(members))) == table


days = st.dates(date(1971, 1, 1), date(2100, 1, 1))


@pytest.mark.parametrize(
    ("period", "start"),
    [
        ("today", date(2024, 5, 1)),
        ("week", date(2024, 4, 29)),
        ("month", date(2024, 5, 1)),
        ("all", ALL_TIME),
    ],
)
def test_start_of_a_period(period: str, start: date) -> None:
    """On Wednesday, 1 May 2024, the week began on Monday in April and the month that day."""
    assert period_start(period, date(2024, 5, 1)) == start


@pytest.mark.parametrize(
    ("day", "monday"),
    [
        (date(2024, 4, 28), date(2024, 4, 22)),  # a Sunday
        (date(2024, 4, 29), date(2024, 4, 29)),  # a Monday
        (date(2025, 1, 1), date(2024, 12, 30)),
        (date(2024, 3, 3), date(2024, 2, 26)),
    ],
)
def test_weeks_begin_on_monday(day: date, monday: date) -> None:
    """A week runs from Monday to Sunday, also over the ends of months and years."""
    assert period_start("week", day) == monday


@pytest.mark.parametrize(
    ("period", "start", "before"),
    [
        ("today", date(2024, 3, 1), date(2024, 2, 29)),
        ("week", date(2024, 1, 1), date(2023, 12, 25)),
        ("month", date(2024, 1, 1), date(2023, 12, 1)),
        ("month", date(2024, 3, 1), date(2024, 2, 1)),
        ("all", ALL_TIME, None),
    ],
)
def test_start_of_the_period_before(period: str, start: date, before: date | None) -> None:
    """A day, a week and a month have one before them, all time has not."""
    assert previous_start(period, start) == before


def test_unknown_periods_are_errors() -> None:
    """A period that no board has is an error of the program, not a board of something else."""
    with pytest.raises(ValueError, match="year"):
        period_start("year", date(2024, 5, 1))


def test_points_belong_to_every_period_at_once() -> None:
    """Points of a day go into its sums of the day, the week, the month and all time."""
    assert {period: period_start(period, date(2024, 5, 1)) for period in PERIODS} == {
        "today": date(2024, 5, 1),
        "week": date(2024, 4, 29),
        "month": date(2024, 5, 1),
        "all": ALL_TIME,
    }
    assert PERIODS == ("today", "week", "month", "all")


@given(period=st.sampled_from(["today", "week", "month"]), day=days)
def test_periods_follow_each_other_without_gaps(period: str, day: date) -> None:
    """A period holds its day, all its days have one start, and the period before ends on the day before it."""
    start = period_start(period, day)
    assert start <= day
    assert all(
        period_start(period, start + timedelta(days=n)) == start
        for n in range((day - start).days + 1)
    )
    before = previous_start(period, start)
    assert before is not None
    assert before < start
    assert period_start(period, start - timedelta(days=1)) == before
    assert (start - before).days in {"today": {1}, "week": {7}, "month": {28, 29, 30, 31}}[period]


@pytest.mark.parametrize(
    ("points", "low"),
    [
        (0, 0),
        (1, 1),
        (511, 511),
        (512, 512),
        (513, 512),
        (514, 514),
        (1023, 1022),
        (1024, 1024),
        (1027, 1024),
    ],
)
def test_buckets_are_exact_and_then_widen(points: int, low: int) -> None:
    """Up to 511 points have a bucket of their own, then two share one, from 1,024 on four."""
    assert bucket(points) == low


@given(points=st.integers(0, 10**12))
def test_buckets_are_in_order_and_narrow(points: int) -> None:
    """A bucket is known by its lowest points, never goes back, and is no wider than a 256th of them."""
    low = bucket(points)
    assert bucket(low) == low <= points
    assert bucket(points + 1) in {low, points + 1}
    assert points - low <= points // 256
