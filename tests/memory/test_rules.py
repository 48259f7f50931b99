"""Cards move as FSRS says, and come back on the member's days."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import fsrs
import pytest
from fsrs import Rating, State
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import local_date
from bot.memory.model import FirstStabilities, MemoryCard
from bot.memory.rules import (
    FIRST_STEP,
    USUAL,
    comes_within,
    days_away,
    recall,
    review,
)

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
MINUTES, DAYS = timedelta(minutes=1), timedelta(days=1)
AGAIN, HARD, GOOD = Rating.Again, Rating.Hard, Rating.Good


STEPS = st.lists(
    st.tuples(st.sampled_from([AGAIN, HARD, GOOD]), st.integers(1, 10**10)),
    min_size=1,
    max_size=30,
)
"""Ratings, each with the milliseconds since the one before."""
FIRST = st.sampled_from([USUAL, (0.1, 0.8, 4.0, 9.0)])


@given(STEPS, FIRST)
def test_the_same_as_the_package(steps: list[tuple[Rating, int]], first: FirstStabilities) -> None:
    """For any answers at any times, a card is what `fsrs` itself makes of them with such parameters."""
    ours, at = None, NOON
    theirs = fsrs.Card(card_id=7, step=FIRST_STEP)
    scheduler = fsrs.Scheduler(
        (*first, *fsrs.Scheduler().parameters[4:]),
        learning_steps=[timedelta(minutes=10)],
        relearning_steps=[timedelta(minutes=10)],
        enable_fuzzing=False,
    )
    for rating, pause_ms in steps:
        at += timedelta(milliseconds=pause_ms)
        ours = review(ours, rating, at, first)
        theirs, _ = scheduler.review_card(theirs, rating, at)
        assert theirs.stability is not None
        assert theirs.difficulty is not None
        assert ours == MemoryCard(
            theirs.state,
            theirs.step,
            theirs.stability,
            theirs.difficulty,
            theirs.due,
            at,
            steps[0][0] != AGAIN,
        )
        assert ours.missed is (theirs.state is not State.Review)
        later = at + timedelta(days=5, hours=3)
        assert recall(ours, later) == scheduler.get_card_retrievability(theirs, later)


@pytest.mark.parametrize(
    ("now", "zone", "day", "due"),
    [
        (NOON, "UTC", "2027-01-06", False),
        (NOON + 1.4 * DAYS, "UTC", "2027-01-06", False),
        (
            NOON + 1.5 * DAYS,
            "UTC",
            "2027-01-06",
            True,
        ),  # from the first minute of the day when it is due
        (NOON + 9 * DAYS, "UTC", "2027-01-13", True),
        (NOON, "Pacific/Auckland", "2027-01-07", False),  # it is already the fifth there
    ],
)
def test_days_of_what_is_known(now: datetime, zone: str, day: str, due: bool) -> None:
    """A card in review is due on a date, not at an hour."""
    card = review(None, GOOD, NOON)
    assert str(local_date(zone, now) + days_away(card, zone, now) * DAYS) == day
    assert comes_within(0, card, zone, now) is due


@given(
    st.sampled_from(["UTC", "Pacific/Kiritimati", "Pacific/Apia", "America/New_York"]),
    st.integers(-80, 80),
    st.integers(0, 2),
)
def test_what_comes_back_within_some_days(zone: str, hours: int, days: int) -> None:
    """However far away it is, and where clocks are changed by an hour or by a whole day."""
    now = datetime(2011, 12, 30, 9, tzinfo=UTC)  # a date that Apia skips
    card = MemoryCard(
        State.Review, None, 3.0, 5.0, now + hours * timedelta(hours=1), now - 9 * DAYS, True
    )
    assert comes_within(days, card, zone, now) is (days_away(card, zone, now) <= days)


@given(st.sampled_from([AGAIN, HARD, GOOD]), st.integers(0, 24 * 60 - 1))
def test_what_was_answered_today_comes_back_on_another_day(rating: Rating, minute: int) -> None:
    """Never on the same date, whenever it was answered; a miss comes back on the next one."""
    at = NOON.replace(hour=0) + minute * MINUTES
    card = review(None, rating, at)
    assert not comes_within(0, card, "UTC", at.replace(hour=23, minute=59))
    assert comes_within(1, card, "UTC", at) or rating is not AGAIN
    if rating is AGAIN:
        assert days_away(review(card, AGAIN, at), "UTC", at) == 1


def test_what_was_answered_well_never_comes_back_the_same_day() -> None:
    """Also on the day when clocks go back: it has 25 hours, so a day later is the same date."""
    at = datetime(2027, 10, 30, 22, 10, tzinfo=UTC)  # ten past midnight in Berlin, on the 31st
    card = review(None, HARD, at)
    assert card.due_at == at + DAYS
    assert not comes_within(0, card, "Europe/Berlin", at + 23.9 * timedelta(hours=1))
    assert days_away(card, "Europe/Berlin", at) == 1
    assert comes_within(0, card, "Europe/Berlin", at + 25 * timedelta(hours=1))


def test_the_optimizer_stays_away() -> None:
    """The memory imports neither torch nor pandas, which only fitting parameters needs."""
    code = "import sys, bot.memory.rules; print(sorted({'torch', 'pandas', 'fsrs.optimizer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
