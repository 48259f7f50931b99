"""Practices and their questions, and what the messages of a practice show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from fsrs import Rating
from msgspec import Struct

from bot.members.model import NO_NEWS, Streak, StreakNews
from bot.questions.answers import Answered
from bot.questions.model import Item


class Practice(Struct, frozen=True):
    """A member's practice, a row of `practices`."""

    id: int
    user_id: int
    topic_id: str | None
    item_ids: str | None
    started_at: datetime
    ended_at: datetime | None

    @property
    def items(self) -> Sequence[str]:
        """The only items it asks, by id; empty for a practice of due and new items."""
        return (self.item_ids or "").split()


class PracticeQuestion(Struct, frozen=True):
    """A row of `practice_questions` with its answer from the log, if there is one."""

    id: int
    practice_id: int
    number: int
    item_id: str
    item_mark: int
    choice_order: str
    is_new: bool
    asked_at: datetime
    left_out_at: datetime | None = None
    answer: str | None = None
    correct: bool | None = None
    answered_at: datetime | None = None
    rating: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.answer is None and self.left_out_at is None

    @property
    def guessed(self) -> bool:
        """Whether the answer was right, but the member said that it was a guess."""
        return bool(self.correct) and self.rating == Rating.Again


class Unjudged(StrEnum):
    """Why an answer was not judged, and a question was asked instead."""

    IN_PLAY = "in play"
    GONE = "gone"
    CHANGED = "changed"
    LEFT_OUT = "left out"


class Asking(Struct, frozen=True):
    """An open question, the `number`-th of its practice; up to `due` and `new` items can follow it.

    `unjudged` tells why the member is asked this although they have just answered something.
    """

    question: PracticeQuestion
    item: Item
    order: tuple[int, ...]
    number: int
    due: int
    new: int
    unjudged: Unjudged | None

    @property
    def total(self) -> int:
        """The expected number of questions; grows if a missed item is asked again."""
        return self.number + self.due + self.new


class PracticeVerdict(Struct, frozen=True):
    """The verdict on an answer, the `number`-th of its practice.

    `back_in` is the number of days until the item comes back, None if it is set aside. `again`:
    the question had been answered before. `answered` is about the item as it is now.
    """

    question: PracticeQuestion
    answered: Answered
    number: int
    back_in: int | None
    again: bool = False

    @property
    def rekeyed(self) -> bool:
        """Whether something else counts as right since it was answered."""
        return self.question.correct is not self.answered.right


class Summary(Struct, frozen=True):
    """The results of a practice.

    `back` has pairs of (days, number of items that come back then). `left` items can still be
    asked today; the next one is due in `next_in` days. `streak` is None unless it has just ended.
    """

    topic_id: str | None
    answered: int
    right: int
    back: tuple[tuple[int, int], ...]
    left: int
    next_in: int | None
    streak: Streak | None = None
    news: StreakNews = NO_NEWS


class Nothing(Struct, frozen=True):
    """Nothing can be asked now; the next item is due in `next_in` days.

    `more_tomorrow`: there are new items, but today's are done. `planned`: a plan limits the new
    items of a day.
    """

    topic_id: str | None
    next_in: int | None
    more_tomorrow: bool
    planned: bool = False


Screen = Asking | PracticeVerdict | Summary | Nothing
