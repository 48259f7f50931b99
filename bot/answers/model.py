"""The values of the log of answers."""

from __future__ import annotations

from collections.abc import Sequence
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


class Tenth(Struct, frozen=True):
    """First answers that were expected to be right about as often: in tenth 7, 70 to 80% of them.

    The sums of what was expected are in thousandths: of all, of the right ones, and of its squares.
    """

    tenth: int
    answers: int
    right: int
    expected: int
    expected_of_right: int
    squares: int


class Calibration(Struct, frozen=True):
    """Shares of right first answers in practice: what was expected, and what came.

    An answer that was right counts as right here even if the member said that they guessed, because
    lucky guesses are expected too.
    """

    tenths: Sequence[Tenth]

    @property
    def answers(self) -> int:
        return sum(each.answers for each in self.tenths)

    @property
    def expected(self) -> float:
        return sum(each.expected for each in self.tenths) / 1000 / self.answers

    @property
    def came(self) -> float:
        return sum(each.right for each in self.tenths) / self.answers

    @property
    def error(self) -> float:
        """The mean distance between what was expected and what came, by tenths."""
        return sum(abs(e.expected / 1000 - e.right) for e in self.tenths) / self.answers

    @property
    def brier(self) -> float:
        """The mean squared distance between what was expected of an answer, and 1 if it was right."""
        squares = sum(
            each.squares / 1e6 - 2 * each.expected_of_right / 1e3 + each.right
            for each in self.tenths
        )
        return squares / self.answers


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
