"""A member's memory of an item: one FSRS card.

The package `fsrs` schedules without randomness, so a card can be computed again from the log of
answers. Its parameters are the default ones, except for the four first stabilities of members
who have fitted ones from `bot.memory.fitting`. Two settings are ours:

- There is one learning and one relearning step of ten minutes, so a missed item is due on that day.
- A new card starts after its learning step (`FIRST_STEP`). An item that a member knows at first
  sight, even slowly, comes back after a day or more; only a miss leads to the step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

import fsrs
from fsrs import Rating, State

from bot.memory.model import STEP, FirstStabilities, Fits, MemoryCard

FIRST_STEP = 1
"""The number of learning steps."""
RETENTION = 0.9
"""FSRS's own times to come back are those when recall has fallen to it. Practice doesn't ask for them."""
_PARAMETERS = tuple(map(float, fsrs.Scheduler().parameters))
_AGAIN, _HARD, _GOOD, _EASY, *_OTHERS = _PARAMETERS
USUAL: FirstStabilities = _AGAIN, _HARD, _GOOD, _EASY
_DECAY = -_PARAMETERS[20]
_FACTOR = 0.9 ** (1 / _DECAY) - 1
FORGOTTEN = 0.95
"""An item is worth asking again once recall has fallen to it."""
_FORGOTTEN_AFTER: float = (FORGOTTEN ** (1 / _DECAY) - 1) / _FACTOR
"""Recall falls to it after this part of the stability."""


@lru_cache(maxsize=256)
def _scheduler(first: FirstStabilities) -> fsrs.Scheduler:
    return fsrs.Scheduler(
        (*first, *_OTHERS),
        desired_retention=RETENTION,
        learning_steps=(STEP,),
        relearning_steps=(STEP,),
        enable_fuzzing=False,
    )


def review(
    card: MemoryCard | None, rating: Rating, at: datetime, first: FirstStabilities = USUAL
) -> MemoryCard:
    """Return the card after an answer; `card` is None if the item was new to the member.

    Only then `first` counts. `at` must not be before the card's last review. Equal arguments give
    equal cards.
    """
    if card is None:
        before = fsrs.Card(card_id=1, state=State.Learning, step=FIRST_STEP, due=at)
    else:
        before = fsrs.Card(
            card_id=1,  # without an id, fsrs makes one from the clock and waits a millisecond
            state=card.state,
            step=card.step,
            stability=card.stability,
            difficulty=card.difficulty,
            due=card.due_at,
            last_review=card.last_review_at,
        )
    after, _ = _scheduler(first if card is None else USUAL).review_card(before, rating, at)
    assert after.stability is not None
    assert after.difficulty is not None
    return MemoryCard(
        state=after.state,
        step=after.step,
        stability=after.stability,
        difficulty=after.difficulty,
        due_at=after.due,
        last_review_at=at,
        first_right=rating != Rating.Again if card is None else card.first_right,
    )


def replay(reviews: Iterable[tuple[Rating, datetime]], fits: Fits) -> MemoryCard | None:
    """Return the card that all reviews of an item make, the oldest first."""
    card = None
    for rating, at in reviews:
        card = review(card, rating, at, first_stabilities(fits, at))
    return card


def first_stabilities(fits: Fits, at: datetime) -> FirstStabilities:
    """Return those that hold for an item that a member meets at a moment."""
    return next((first for since, first in reversed(fits) if since <= at), USUAL)


def recall(card: MemoryCard, at: datetime) -> float:
    """Return the probability of a right answer at a moment; it only changes by whole days."""
    return recall_after(max((at - card.last_review_at).days, 0), card.stability)


def recall_after(days: float, stability: float) -> float:
    """Return the probability of a right answer a number of days after the last one."""
    return math.pow(1 + _FACTOR * days / stability, _DECAY)


def stability_after(card: MemoryCard, recalled: float, *, right: bool) -> float:
    """Return the stability after an answer on a later date, by FSRS's formulas.

    `recalled` is the recall at that time. https://github.com/open-spaced-repetition/fsrs4anki/wiki/The-Algorithm
    """
    w, stability, difficulty = _PARAMETERS, card.stability, card.difficulty
    if right:
        gain = math.exp(w[8]) * (11 - difficulty) * math.pow(stability, -w[9])
        return stability * (1 + gain * (math.exp((1 - recalled) * w[10]) - 1))
    after = w[11] * math.pow(difficulty, -w[12]) * (math.pow(stability + 1, w[13]) - 1)
    return min(after * math.exp((1 - recalled) * w[14]), stability / math.exp(w[17] * w[18]))


def may_be_forgotten(card: MemoryCard, days: int) -> bool:
    """Return whether an item is worth asking again a number of days after the last answer to it."""
    return days >= _FORGOTTEN_AFTER * card.stability
