"""Practices and their questions, and what the messages of a practice show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from fsrs import Rating
from msgspec import Struct

from bot.members.model import NO_NEWS, Streak, StreakNews
from bot.memory.model import Today
from bot.questions.answers import Answered
from bot.questions.model import Item


class Kind(StrEnum):
    """The purpose of a practice, which decides on its questions."""

    DAY = "day"
    """The questions of the day."""
    MORE = "more"
    """As many questions once more, after those of the day."""
    TOPIC = "topic"
    """As many questions of one topic."""
    MISSES = "misses"
    """Questions that were missed in a round or challenge."""
    TRIAL = "trial"
    """Three easy ones, for a newcomer."""


class Practice(Struct, frozen=True):
    """A member's practice, a row of `practices`."""

    id: int
    user_id: int
    kind: str
    topic_id: str | None
    item_ids: str | None
    started_at: datetime
    ended_at: datetime | None

    @property
    def items(self) -> Sequence[str]:
        """The only items it asks, by id; empty if it may ask any."""
        return (self.item_ids or "").split()


class PracticeQuestion(Struct, frozen=True):
    """A row of `practice_questions` with its answer from the log, if there is one.

    `once_more`: it was missed before in this practice or on this day. `ends_day`: a right answer
    leaves nothing more of the day to do, and any answer if it is asked once more. `expected`: so
    many of a thousand such answers would be right; None if the member had met the item.
    """

    id: int
    practice_id: int
    number: int
    item_id: str
    item_mark: int
    choice_order: str
    expected: int | None
    once_more: bool
    ends_day: bool
    asked_at: datetime
    left_out_at: datetime | None = None
    answer: str | None = None
    correct: bool | None = None
    answered_at: datetime | None = None
    rating: int | None = None

    @property
    def is_new(self) -> bool:
        """Whether the member had never met the item."""
        return self.expected is not None

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.answer is None and self.left_out_at is None

    @property
    def missed(self) -> bool:
        """Whether it was answered, and counts as a miss."""
        return self.rating == Rating.Again

    @property
    def guessed(self) -> bool:
        """Whether the answer was right, but the member said that it was a guess."""
        return bool(self.correct) and self.missed

    @property
    def ended_day(self) -> bool:
        """Whether its answer left nothing more of the day to do."""
        return self.ends_day and self.answer is not None and (self.once_more or not self.missed)


class Unjudged(StrEnum):
    """Why an answer was not judged, and a question was asked instead."""

    IN_PLAY = "in play"
    GONE = "gone"
    CHANGED = "changed"
    LEFT_OUT = "left out"


class Asking(Struct, frozen=True):
    """An open question, the `number`-th of `total`, or one of `total` that are asked once more.

    `unjudged` tells why the member is asked this although they have just answered something. `check`
    is its place among so many check questions. `missed`: they missed it on an earlier day.
    """

    practice: Practice
    question: PracticeQuestion
    item: Item
    order: tuple[int, ...]
    number: int
    total: int
    unjudged: Unjudged | None
    check: tuple[int, int] | None = None
    missed: bool = False


class PracticeVerdict(Struct, frozen=True):
    """The verdict on an answer.

    `is_aside`: the member has set the item aside. `again`: the question had been answered before.
    `answered` is about the item as it is now. `streak` is the member's if this answer finished their
    day, and `news` what that changed; `ends`: the practice is over, too.
    """

    question: PracticeQuestion
    answered: Answered
    is_aside: bool
    again: bool = False
    streak: Streak | None = None
    news: StreakNews = NO_NEWS
    ends: bool = False

    @property
    def rekeyed(self) -> bool:
        """Whether something else counts as right since it was answered."""
        return self.question.correct is not self.answered.right


class Finished(Struct, frozen=True):
    """A practice that is over, and what the day holds now.

    Of `answered` items `right` were right at first; None if there was nothing to ask.
    """

    today: Today
    kind: str
    topic_id: str | None
    answered: int | None = None
    right: int = 0


Screen = Asking | PracticeVerdict | Finished
