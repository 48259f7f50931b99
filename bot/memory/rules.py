"""A member's memory of an item: one FSRS card, and when the item comes back.

The package `fsrs` schedules without randomness, so a card can be computed again from the log of
answers. A member has the package's default parameters until `bot.memory.own_models` has found
better ones in their reviews. Two settings are ours:

- There is one learning and one relearning step of ten minutes: a missed item is asked again on the
  same day.
- A new card starts after its learning step (`FIRST_STEP`). An item that a member knows at first
  sight, even slowly, comes back after a day or more; only a miss leads to the step.

Stored cards have the same desired retention for everybody. A plan asks for more near its date
(`retention_for`). Then the review date is computed when the card is read.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from functools import cached_property

import fsrs
from fsrs import Rating, State
from msgspec import Struct

from bot.core.calendar import local_date

STEPS = (timedelta(minutes=10),)
FIRST_STEP = len(STEPS)
RETENTION = 0.9
"""The desired retention of all stored cards: an item comes back when recall has fallen to it."""
PLAN_RETENTION = 0.95
"""The desired retention on the date of a plan. More would ask about everything every few days."""
PLAN_DAYS = 7
"""Retention rises in the last days before a plan's date: what is repeated earlier has faded by
then, and costs as much time."""


class MemoryModel(Struct, frozen=True, dict=True):
    """The 21 parameters of FSRS for one member, with the forgetting curve that follows from them."""

    parameters: tuple[float, ...]

    def __post_init__(self) -> None:
        """Raise ValueError for parameters that FSRS refuses."""
        self.scheduler  # noqa: B018 - it is made here

    @cached_property
    def scheduler(self) -> fsrs.Scheduler:
        return fsrs.Scheduler(
            self.parameters,
            desired_retention=RETENTION,
            learning_steps=STEPS,
            relearning_steps=STEPS,
            enable_fuzzing=False,
        )

    @cached_property
    def decay(self) -> float:
        return -self.parameters[20]

    @cached_property
    def factor(self) -> float:
        return float(0.9 ** (1 / self.decay) - 1)

    def recall_after(self, days: int, stability: float) -> float:
        """Return the probability of a right answer a number of whole days after the last one."""
        return math.pow(1 + self.factor * days / stability, self.decay)

    def interval(self, stability: float, retention: float = RETENTION) -> int:
        """Return how many days, at least one, it takes until recall has fallen to `retention`.

        This is the interval of `fsrs.Scheduler`, which has only one retention.
        """
        days = round(stability / self.factor * (math.pow(retention, 1 / self.decay) - 1))
        return min(max(days, 1), int(self.scheduler.maximum_interval))


DEFAULT = MemoryModel(tuple(map(float, fsrs.Scheduler().parameters)))

_LONGEST_DAY = timedelta(hours=26)
"""Anything due later than this after the last answer is due on another date."""
_NOT_TODAY = timedelta(days=2)
"""Anything due this far ahead can't be today in any time zone."""


class MemoryCard(Struct, frozen=True):
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


def review(
    card: MemoryCard | None, rating: Rating, at: datetime, model: MemoryModel = DEFAULT
) -> MemoryCard:
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
    after, _ = model.scheduler.review_card(before, rating, at)
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


def recall(card: MemoryCard, at: datetime, model: MemoryModel = DEFAULT) -> float:
    """Return the probability of a right answer at a moment; it only changes by whole days."""
    return model.recall_after(max((at - card.last_review_at).days, 0), card.stability)


def readiness(card: MemoryCard, at: datetime, model: MemoryModel = DEFAULT) -> float:
    """Return the probability that a member knows an item: 0 if they missed it last, else recall."""
    return 0.0 if card.last_missed else recall(card, at, model)


def retention_for(days_left: int | None) -> float:
    """Return the desired retention this many days before the date of a plan; None without a plan.

    A plan whose date is over changes nothing.
    """
    if days_left is None or not 0 <= days_left < PLAN_DAYS:
        return RETENTION
    return PLAN_RETENTION - (PLAN_RETENTION - RETENTION) * days_left / PLAN_DAYS


def due_at(
    card: MemoryCard, *, retention: float = RETENTION, model: MemoryModel = DEFAULT
) -> datetime:
    """Return when a card is due for a desired retention: a missed one after its step in any case."""
    if card.missed or retention == RETENTION:
        return card.due_at
    return card.last_review_at + timedelta(days=model.interval(card.stability, retention))


def days_away(card: MemoryCard, zone: str, now: datetime, due: datetime | None = None) -> int:
    """Return in how many of the member's days an item comes back; 0 if it is due today.

    A missed item comes back today. Any other comes back on the date of its due time, from the
    first minute of that day, but never on the date of its last answer. `due` is another due time
    than the stored one.
    """
    if card.missed:
        return 0
    today = local_date(zone, now)
    due = due or card.due_at
    day = max(today, local_date(zone, due))
    if due - card.last_review_at <= _LONGEST_DAY:
        day = max(day, local_date(zone, card.last_review_at) + timedelta(days=1))
    return (day - today).days


def is_due(card: MemoryCard, zone: str, now: datetime, due: datetime | None = None) -> bool:
    """Return whether an item comes back today, as `days_away` says."""
    # Members have hundreds of cards that are due later: skip the zone lookup for them.
    if not card.missed and (due or card.due_at) - now >= _NOT_TODAY:
        return False
    return days_away(card, zone, now, due) == 0


LEARNED_DAYS = 7


def is_learned(card: MemoryCard) -> bool:
    """Return whether a member should still know an item in a week.

    A card's stability is the number of days until FSRS expects only nine of ten answers to be right.
    """
    return card.state == State.Review and card.stability >= LEARNED_DAYS
