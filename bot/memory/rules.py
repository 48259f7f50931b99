"""A member's memory of an item: one FSRS card, and when the item comes back.

The package `fsrs` schedules with its default parameters and without randomness, so a card can be
computed again from the log of answers. Two settings are ours:

- There is one learning and one relearning step of ten minutes: a missed item is asked again on the
  same day.
- A new card starts after its learning step (`FIRST_STEP`). An item that a member knows at first
  sight, even slowly, comes back after a day or more; only a miss leads to the step.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import fsrs
from fsrs import Rating, State

from bot.core.calendar import local_date

STEPS = (timedelta(minutes=10),)
FIRST_STEP = len(STEPS)
SCHEDULER = fsrs.Scheduler(learning_steps=STEPS, relearning_steps=STEPS, enable_fuzzing=False)
DECAY = -float(SCHEDULER.parameters[20])
FACTOR = 0.9 ** (1 / DECAY) - 1

_NOT_TODAY = timedelta(days=2)
"""Anything due this far ahead can't be today in any time zone."""


@dataclass(frozen=True, slots=True)
class MemoryCard:
    """The FSRS state of one member's memory of one item; times are UTC, to the millisecond.

    `first_right` tells whether their very first answer to it was right, and not a guess.
    """

    state: State
    step: int | None
    stability: float
    difficulty: float
    due_at: datetime
    last_review_at: datetime
    first_right: bool

    @property
    def missed(self) -> bool:
        """Whether it was missed, and not answered right and quickly since."""
        return self.state != State.Review

    @property
    def last_missed(self) -> bool:
        """Whether the last answer was a miss.

        A miss waits for one step. A slow right answer leaves a missed card in its state, and waits
        for one and a half:
        https://github.com/open-spaced-repetition/py-fsrs/blob/main/fsrs/scheduler.py
        """
        return self.missed and self.due_at - self.last_review_at <= STEPS[0]


def review(card: MemoryCard | None, rating: Rating, at: datetime) -> MemoryCard:
    """Return the card after an answer; `card` is None if the item was new to the member.

    `at` must not be before the card's last review. Equal arguments give equal cards.
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
    after, _ = SCHEDULER.review_card(before, rating, at)
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


def recall(card: MemoryCard, at: datetime) -> float:
    """Return the probability of a right answer at a moment; it only changes by whole days."""
    return recall_after(max((at - card.last_review_at).days, 0), card.stability)


def recall_after(days: int, stability: float) -> float:
    """Return the probability of a right answer a number of whole days after the last one."""
    return math.pow(1 + FACTOR * days / stability, DECAY)


def readiness(card: MemoryCard, at: datetime) -> float:
    """Return the probability that a member knows an item: 0 if they missed it last, else recall."""
    return 0.0 if card.last_missed else recall(card, at)


def back_on(card: MemoryCard, zone: str, today: date) -> date:
    """Return the local date of an item's next review; `today` if it is due.

    A missed item comes back today. Any other comes back on the date of its due time, from the
    first minute of that day, but never on the date of its last answer.
    """
    if card.missed:
        return today
    day_after = local_date(zone, card.last_review_at) + timedelta(days=1)
    return max(today, day_after, local_date(zone, card.due_at))


def days_away(card: MemoryCard, zone: str, now: datetime) -> int:
    """Return in how many of the member's days an item comes back; 0 if it is due today."""
    today = local_date(zone, now)
    return (back_on(card, zone, today) - today).days


def is_due(card: MemoryCard, zone: str, now: datetime) -> bool:
    """Return whether an item comes back today."""
    # Members have hundreds of cards that are due later: skip the zone lookup for them.
    if not card.missed and card.due_at - now >= _NOT_TODAY:
        return False
    return days_away(card, zone, now) == 0


LEARNED_DAYS = 7


def is_learned(card: MemoryCard) -> bool:
    """Return whether a member should still know an item in a week.

    A card's stability is the number of days until FSRS expects only nine of ten answers to be right.
    """
    return card.state == State.Review and card.stability >= LEARNED_DAYS


def due_items(
    cards: Mapping[str, MemoryCard],
    zone: str,
    now: datetime,
    asked: Collection[str] = (),
    hidden: Collection[str] = (),
) -> list[str]:
    """Return the ids of the items to ask again today: missed ones first, then the longest due.

    A missed item in `asked`, which this practice has asked before, waits for its ten minutes.
    `hidden` items must not be asked now.
    """
    found = [
        (not card.missed, card.due_at, item_id)
        for item_id, card in cards.items()
        if item_id not in hidden
        and is_due(card, zone, now)
        and not (item_id in asked and card.due_at > now)
    ]
    return [item_id for _, _, item_id in sorted(found)]
