"""When a round reveals, refreshes its count and goes on, and the race of a round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rounds.rules import (
    HOSTED_LIMIT,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    Counter,
    Race,
    next_refresh,
    pause_for,
    race,
    reveal_at,
    streak,
)
from tests.shipped import item, packs

START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """Return the instant this long after the question was posted."""
    return START + timedelta(seconds=seconds)


def test_every_explanation_is_read_before_the_next_card() -> None:
    """A pause is long enough for 200 words a minute, or as long as a pause may be."""
    items = list(packs().asked.values())
    for one in items:
        pause = pause_for(one)
        assert SHORTEST_PAUSE <= pause <= LONGEST_PAUSE
        needed = timedelta(minutes=len(one.explanation.split()) / 200)
        assert pause >= needed or pause == LONGEST_PAUSE, one.id
    assert len({pause_for(one) for one in items}) > 10
    assert pause_for(None) == SHORTEST_PAUSE
    assert pause_for(item(), hosted=True) == pause_for(None, hosted=True) == HOSTED_LIMIT


@pytest.mark.parametrize(
    ("number", "players", "answered", "expected"),
    [
        (1, {7}, {7: 3}, 20),  # the first question: others may still be reading
        (4, set(), {7: 3}, 20),  # nobody to wait for
        (2, {7, 8, 9}, {7: 3, 8: 4}, 20),  # 9 has not answered
        (2, {7, 8, 9}, {7: 3, 8: 4.5, 9: 1}, 6.5),  # two seconds after the last of them
        (2, {7}, {7: 3, 8: 9}, 5),  # 8 is new, so 8 neither delays the reveal
        (2, {6}, {7: 3, 8: 9}, 20),  # nor causes it
        (2, {7}, {7: 19.2}, 20),  # never after the deadline
    ],
)
def test_the_time_of_the_reveal(
    number: int, players: set[int], answered: dict[int, float], expected: float
) -> None:
    """The reveal comes early if all players have answered, except to the first question."""
    times = {user_id: after(seconds) for user_id, seconds in answered.items()}
    found = reveal_at(number=number, deadline=after(20), players=players, answered_at=times)
    assert found == after(expected)


def refresh(counter: Counter, *, now: float, count: int, limit: float = 20) -> datetime | None:
    return next_refresh(counter, now=after(now), count=count, opened=START, deadline=after(limit))


def test_the_counter_waits_for_news() -> None:
    """A card that shows the right count is not edited."""
    assert refresh(Counter(0), now=3, count=0) is None
    assert refresh(Counter(4, after(2)), now=3, count=4) is None


def test_the_first_refresh_collects_for_two_seconds() -> None:
    """The first edit is two seconds after the first answer, or after the post."""
    assert refresh(Counter(0), now=3, count=1) == after(5)
    assert refresh(Counter(0), now=-0.5, count=1) == after(2)


def test_later_refreshes_wait_for_half_of_the_time() -> None:
    """The next edit is half of the time limit later, and at least two seconds."""
    assert refresh(Counter(1, after(2)), now=3, count=2) == after(12)
    assert refresh(Counter(1, after(2)), now=3, count=2, limit=300) == after(152)
    assert refresh(Counter(1, after(0)), now=0.1, count=2, limit=3.5) == after(2)
    assert refresh(Counter(1, after(2)), now=14, count=2) == after(14)


def test_without_a_clock_refreshes_become_rare() -> None:
    """There are two in the first half minute; then each doubles the time."""
    counter, now, edits = Counter(0), 0.0, list[float]()
    for count in range(1, 4_000):
        at = next_refresh(counter, now=after(now), count=count, opened=START, deadline=None)
        assert at is not None
        if at <= after(now):
            edits.append(now)
            counter = Counter(count, at)
        elif counter.at is None:
            edits.append(now + 2)
            counter = Counter(count, at)
        now += 1
    assert edits[:2] == [2.0, 22.0]
    assert all(later >= 2 * earlier for earlier, later in pairwise(edits[1:]))
    assert len(edits) < 12


def test_no_refresh_just_before_the_reveal() -> None:
    """In the last second there is no edit, because the reveal shows the count."""
    assert refresh(Counter(0), now=17, count=1) == after(19)
    assert refresh(Counter(0), now=17.001, count=1) is None
    assert refresh(Counter(1, after(10)), now=12, count=2) is None


@given(
    limit=st.integers(5, 300),
    clicks=st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=40).map(sorted),
)
def test_edits_are_merged(limit: int, clicks: list[float]) -> None:
    """There are at most two edits, two seconds apart, none in the last second."""
    counter, edits = Counter(0), list[datetime]()
    planned: datetime | None = None
    for count, click in enumerate((c for c in clicks if c <= limit), start=1):
        if planned is not None and planned <= after(click):
            counter = Counter(count - 1, planned)
            edits.append(planned)
            planned = None
        if planned is None:
            planned = refresh(counter, now=click, count=count, limit=limit)
    if planned is not None:
        edits.append(planned)
    assert all(later - earlier >= timedelta(seconds=2) for earlier, later in pairwise(edits))
    assert all(after(2) <= edit <= after(limit - 1) for edit in edits)
    assert len(edits) <= 2


def test_streaks() -> None:
    """A wrong answer ends a streak, and so does a missing one."""
    correct = {1: True, 2: True, 4: True, 5: True, 6: True, 7: False}
    assert [streak(correct, number) for number in range(1, 9)] == [1, 2, 0, 1, 2, 3, 0, 0]


A, B, C, D = 1, 2, 3, 4


def test_a_race() -> None:
    """The winner came from behind in the second half; the first three members are drawn."""
    points = [{B: 90, A: 60}, {B: 80}, {A: 70, C: 60}, {A: 90, D: 50}, {A: 80, B: 60}]
    assert race(points, [A, B, C, D]) == Race(
        4, ((60, 60, 130, 220, 300), (90, 170, 170, 170, 230), (0, 0, 60, 60, 60))
    )


def test_the_lead_for_good_counts() -> None:
    """A lead that was lost doesn't count, and neither does a tie."""
    points = [{A: 90}, {B: 100}, {A: 80, B: 10}, {B: 60}, {A: 10}, {A: 70}]
    found = race(points, [A, B])
    assert found is not None
    assert found.lead_at == 5


def test_members_without_points_are_not_drawn() -> None:
    found = race([{B: 50}, {B: 50}, {B: 50}, {A: 90}, {A: 90}], [A, B, C])
    assert found is not None
    assert found.totals == ((0, 0, 0, 90, 180), (50, 100, 150, 150, 150))


@pytest.mark.parametrize(
    ("points", "order"),
    [
        ([], []),
        ([{}] * 5, [A, B]),
        ([{A: 90}, {A: 90}, {A: 90, B: 50}, {B: 50}, {}], [A, B]),  # led all along
        ([{B: 90}, {A: 95}, {A: 10}, {}, {}, {B: 5}], [A, B]),  # led since the second of six
        ([{B: 90}, {}, {}, {A: 95}], [A, B]),  # too short
        ([{}, {}, {}, {}, {A: 95}], [A, B]),  # alone
        ([{B: 90}, {}, {}, {}, {A: 90}], [A, B]),  # nobody alone in front
    ],
)
def test_no_race(points: list[dict[int, int]], order: list[int]) -> None:
    """There is no race without a late change, rivals and a single winner."""
    assert race(points, order) is None
