"""Cards move as FSRS says."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import fsrs
import pytest
from fsrs import Rating, State
from hypothesis import given
from hypothesis import strategies as st

from bot.memory.model import FirstStabilities, MemoryCard
from bot.memory.rules import (
    FIRST_STEP,
    USUAL,
    recall,
    review,
    stability_after,
)

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
LEAST_STABILITY = 0.001
"""Of the package."""
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


@given(STEPS, FIRST, st.floats(1, 400), st.booleans())
def test_what_an_answer_will_make_of_a_card(
    steps: list[tuple[Rating, int]], first: FirstStabilities, days: float, right: bool
) -> None:
    """The short formula gives the package's own stability, for any card on a later date."""
    card, at = None, NOON
    for rating, pause_ms in steps:
        at += timedelta(milliseconds=pause_ms)
        card = review(card, rating, at, first)
    assert card is not None
    later = at + timedelta(days=days)
    expected = review(card, GOOD if right else AGAIN, later).stability
    found = stability_after(card, recall(card, later), right=right)
    assert found == pytest.approx(expected, abs=LEAST_STABILITY)


def test_the_optimizer_stays_away() -> None:
    """The memory imports neither torch nor pandas, which only fitting parameters needs."""
    code = "import sys, bot.memory.rules; print(sorted({'torch', 'pandas', 'fsrs.optimizer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
