"""The values of the log of answers."""

from __future__ import annotations

from datetime import date, datetime

from fsrs import Rating
from msgspec import Struct


class Answer(Struct, frozen=True):
    """A row of `answers`."""

    source: str
    question_id: int
    user_id: int
    guild_id: int | None
    item_id: str
    topic_id: str
    answer: str | None
    typed: bool
    correct: bool
    points: int
    elapsed_ms: int | None
    answered_at: datetime
    team_id: int | None = None
    local_date: date | None = None
    paid: int | None = None
    rating: int | None = None
    streak: int | None = None
    expected: int | None = None

    @property
    def guessed(self) -> bool:
        """Return whether the member said that a right answer in practice was a guess."""
        return self.correct and self.rating == Rating.Again


class Review(Struct, frozen=True):
    """One answer as FSRS needs it."""

    user_id: int
    rating: Rating
    at: datetime
    elapsed_ms: int | None = None


class Result(Struct, frozen=True):
    """The verdict and points of one answer."""

    question_id: int
    user_id: int
    correct: bool
    points: int


class Tally(Struct, frozen=True):
    """A member's result in a game: right answers, and the total time of all answers."""

    user_id: int
    points: int
    right: int
    answered: int
    total_ms: int

    @property
    def average_ms(self) -> int:
        return self.total_ms // self.answered if self.answered else 0
