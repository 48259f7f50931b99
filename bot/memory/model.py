"""Memory cards, and a member's progress in a topic."""

from __future__ import annotations

from datetime import datetime, timedelta

from fsrs import State
from msgspec import Struct

STEP = timedelta(minutes=10)
"""Until a missed item is asked again."""
WEAK_MISSES = 2

FirstStabilities = tuple[float, float, float, float]
"""Days that an item lasts after its first answer, by its rating: Again, Hard, Good, Easy."""
Fits = list[tuple[datetime, FirstStabilities]]
"""A member's fitted first stabilities, the oldest first, each after the time when they begin to hold."""


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
        return self.missed and self.due_at - self.last_review_at <= STEP


class Progress(Struct, frozen=True):
    """A member's progress in a topic: how many of its items they have met and learned and are due.

    `latest` counts their last answers in it, up to five, and `misses` the wrong ones among them.
    """

    topic_id: str
    items: int
    met: int = 0
    learned: int = 0
    due: int = 0
    latest: int = 0
    misses: int = 0

    @property
    def level(self) -> str:
        if not self.met:
            return "new"
        if self.misses >= WEAK_MISSES:
            return "weak"
        return "known" if 2 * self.learned >= self.items else "learning"
