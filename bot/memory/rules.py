"""A member's memory of an item: one FSRS card, and when the item comes back.

The package `fsrs` schedules without randomness, so a card can be computed again from the log of
answers. Its parameters are the default ones, except for the four first stabilities of members
who have fitted ones from `bot.memory.fitting`. Two settings are ours:

- There is one learning and one relearning step of ten minutes, so a missed item is due the next day.
- A new card starts after its learning step (`FIRST_STEP`). An item that a member knows at first
  sight, even slowly, comes back after a day or more; only a miss leads to the step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

import fsrs
from fsrs import Rating, State

from bot.core.calendar import local_date
from bot.memory.model import STEP, FirstStabilities, Fits, MemoryCard, OpenAnswer

FIRST_STEP = 1
"""The number of learning steps."""
RETENTION = 0.9
"""An item comes back when recall has fallen to it."""
_PARAMETERS = tuple(map(float, fsrs.Scheduler().parameters))
_AGAIN, _HARD, _GOOD, _EASY, *_OTHERS = _PARAMETERS
USUAL: FirstStabilities = _AGAIN, _HARD, _GOOD, _EASY
_DECAY = -_PARAMETERS[20]
_FACTOR = 0.9 ** (1 / _DECAY) - 1
_DAY = timedelta(days=1)
_LONGEST_DAY = timedelta(hours=26)
"""Anything due later than this after the last answer is due on another date."""
_NOT_TODAY = timedelta(days=2)
"""Anything due this far ahead can't be today in any time zone."""


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


def days_away(
    card: MemoryCard, zone: str, now: datetime, open_answer: OpenAnswer | None = None
) -> int:
    """Return in how many of the member's days an item comes back; 0 if it is due today.

    It comes back on the date of its due time, from the first minute of that day, but never on the
    date of its last answer. So a missed item comes back tomorrow. So does one that the latest
    `open_answer` on its topic recalls.
    """
    day = local_date(zone, card.due_at)
    if card.due_at - card.last_review_at <= _LONGEST_DAY:
        day = max(day, local_date(zone, card.last_review_at) + _DAY)
    if open_answer is not None and open_answer.recalls(card):
        day = min(day, local_date(zone, open_answer.at) + _DAY)
    return max((day - local_date(zone, now)).days, 0)


def comes_within(days: int, card: MemoryCard, zone: str, now: datetime) -> bool:
    """Return whether an item that no open answer recalls comes back in so many days at the latest."""
    # Members have hundreds of cards that are due later: skip the zone lookup for them.
    if card.due_at - now >= timedelta(days=days) + _NOT_TODAY:
        return False
    return days_away(card, zone, now) <= days
