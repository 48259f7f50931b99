"""When a round shows its count and goes on, and the race of a round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rounds.model import Race
from bot.rounds.rules import (
    HOSTED_LIMIT,
    LONGEST_PAUSE,
    SHORTEST_PAUSE,
    next_count,
    pause_for,
    race,
    streak,
)
from tests.shipped import item, packs

START = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)


def after(seconds: float) -> datetime:
    """Return the instant this long after the question was posted."""
    return START + timedelta(seconds=seconds)


def test_every_reveal_is_read_before_the_next_card() -> None:
    """A pause is long enough for 200 words a minute, or as long as a pause may be."""
    items = list(packs().asked.values())
    for one in items:
        pause = pause_for(one)
        assert SHORTEST_PAUSE <= pause <= LONGEST_PAUSE
        right = [choice.text for choice in one.choices if choice.correct]
        needed = timedelta(minutes=len(" ".join([one.gist, *right]).split()) / 200)
        assert pause >= needed or pause == LONGEST_PAUSE, one.id
    assert len({pause_for(one) for one in items}) > 10
    assert pause_for(None) == SHORTEST_PAUSE
    assert pause_for(item(), hosted=True) == pause_for(None, hosted=True) == HOSTED_LIMIT


def edit(
    edited: float | None, *, answered: float, limit: float | None = 20, free: float = 0
) -> datetime | None:
    return next_count(
        answered_at=after(answered),
        edited_at=None if edited is None else after(edited),
        opened=START,
        deadline=None if limit is None else after(limit),
        free_at=after(free),
    )


def test_an_answer_shows_soon() -> None:
    """Two seconds later, so that a friend sees it and others are shown with it."""
    assert edit(None, answered=3) == after(5)
    assert edit(None, answered=-0.5) == after(2)
    assert edit(3, answered=12) == after(14)


def test_gaps_between_counts_grow() -> None:
    """From four seconds, which it takes to read one, to half a minute."""
    assert edit(2, answered=2.5) == after(6)
    assert edit(6, answered=6.5, limit=40) == after(18)
    assert edit(6, answered=6.5, limit=None) == after(18)
    assert edit(100, answered=101, limit=None) == after(130)


def test_a_busy_process_counts_later_or_not_at_all() -> None:
    """Counts take no request that another message needs."""
    assert edit(None, answered=3, free=9) == after(9)
    assert edit(None, answered=3, free=17) is None


@given(
    limit=st.integers(5, 300),
    clicks=st.lists(st.floats(0, 300, allow_nan=False), min_size=1, max_size=40).map(sorted),
)
def test_every_count_can_be_read(limit: int, clicks: list[float]) -> None:
    """It stands for four seconds, also the last one before the reveal; few come in a minute."""
    edits: list[datetime] = []
    waiting: float | None = None
    for click in [*(c for c in clicks if c <= limit), float(limit)]:
        if waiting is not None:
            last = (edits[-1] - START).total_seconds() if edits else None
            at = edit(last, answered=waiting, limit=limit)
            if at is not None and at <= after(click):
                edits.append(at)
                waiting = None
        waiting = click if waiting is None else waiting
    stands = [*edits, after(limit)]
    assert all(later - earlier >= timedelta(seconds=4) for earlier, later in pairwise(stands))
    assert sum(at <= after(48) for at in edits) <= 4


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
