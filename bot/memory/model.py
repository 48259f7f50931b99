"""Memory cards, a member's progress in a topic, their plan, and what their day holds."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from fsrs import State
from msgspec import Struct

from bot.members.model import Streak
from bot.questions.model import Topic

STEP = timedelta(minutes=10)
"""Until a missed item is asked again."""
WEAK_MISSES = 2
READY = 0.8
"""The share of a topic's items that a member who is ready for it knows."""

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


class OpenAnswer(NamedTuple):
    """A member's answer to a topic's open question that made some of its key points, as counted."""

    at: datetime
    made: int
    points: int

    @property
    def missed(self) -> bool:
        """Whether some point was not made."""
        return self.made < self.points

    @property
    def most(self) -> bool:
        """Whether most of the points were made."""
        return 2 * self.made > self.points

    def recalls(self, card: MemoryCard) -> bool:
        """Whether it brings an item of its topic back, because that was not asked since."""
        return self.missed and card.last_review_at < self.at


class Progress(Struct, frozen=True):
    """A member's progress in a topic: how many of its items they have met, and are expected to know now.

    `share` is that of all its items which they know, met or not. `latest` counts their last answers in
    it, up to five, and `misses` the wrong ones among them. `open_answer` is the latest to its open
    question; `lacks_open_answer` and `is_ready` are as in `Knowledge`.
    """

    topic_id: str
    items: int
    met: int = 0
    known: float = 0
    share: float = 0
    latest: int = 0
    misses: int = 0
    open_answer: OpenAnswer | None = None
    lacks_open_answer: bool = False
    is_ready: bool = False

    @property
    def level(self) -> str:
        if self.is_ready:
            return "ready"
        if not self.met:
            return "new"
        if self.share >= READY:
            return "known"
        return "weak" if self.misses >= WEAK_MISSES else "learning"


class Practised(NamedTuple):
    """An answer in practice; `missed` also if the member said that they guessed."""

    at: datetime
    item_id: str
    missed: bool


class Said(NamedTuple):
    """The expectation for a plan's day when the plan was made or changed, in percent."""

    on: date
    low: int
    high: int


class Plan(Struct, frozen=True):
    """A plan for an interview; `goal` is what to be ready for, an area as in `bot.questions.areas`.

    `week` has the minutes of each weekday, from Monday on, and `away` the first and last days of
    each time without practice. `checks` are the ids of the check items, as in
    `bot.plan.checks`.
    """

    user_id: int
    day: date
    week: tuple[int, ...]
    set_on: date
    goal: str
    away: tuple[tuple[date, date], ...] = ()
    checks: tuple[str, ...] = ()
    said: Said | None = None

    def is_over(self, today: date) -> bool:
        return self.day < today

    def minutes_on(self, day: date) -> int:
        """Return the minutes of a day, 0 for a day off."""
        is_away = any(first <= day <= last for first, last in self.away)
        return 0 if is_away else self.week[day.weekday()]

    def is_last_third(self, today: date) -> bool:
        """Whether no more than a third of its days, rounded up, is left on a date."""
        return 3 * (self.day - today).days <= (self.day - self.set_on).days + 2

    def kept_on(self, today: date) -> tuple[str, ...]:
        """Return the ids of the check items that are not to be met in practice yet."""
        return () if self.is_last_third(today) else self.checks


class Today(Struct, frozen=True):
    """A member's day: the one value behind every screen that speaks of it.

    Of the day's questions, `done` were answered and `ahead` can follow; after these, the items in
    `again`, which were missed, are asked once more. `limit` is how many questions fit into the day's
    minutes, none on a day off, and `minutes` about how long what is to do takes. Of the done ones,
    `right` were right at first, and `retried` ones later on that day; of both, `new` ones were never
    met before, and `regained` ones missed on an earlier day. `dailies` and `elsewhere` are as in
    `DayFacts`. `tomorrow` counts
    tomorrow's questions. `more`: something could be asked beyond the day's questions. `may_remind`:
    they never set a reminder. `is_back`: they begin again after a week or more. `open_topic` is the one
    whose open question is the next step, if there is one; the day is done without it.
    """

    day: date
    zone: str
    limit: int
    done: int
    ahead: int
    again: tuple[str, ...]
    minutes: int
    right: int
    new: int
    regained: int
    dailies: tuple[tuple[int, str], ...]
    streak: Streak
    tomorrow: int
    more: bool
    may_remind: bool
    retried: int = 0
    elsewhere: tuple[tuple[str, str], ...] = ()
    is_back: bool = False
    open_topic: Topic | None = None

    @property
    def size(self) -> int:
        """The day's questions, without those that are asked once more."""
        return self.done + self.ahead

    @property
    def is_off(self) -> bool:
        """Whether the plan asks nothing on this day."""
        return not self.limit

    @property
    def open_dailies(self) -> int:
        return len(self.dailies) + len(self.elsewhere)

    @property
    def to_do(self) -> int:
        """The questions to answer now: those ahead, and after them those that are asked once more."""
        return self.ahead or len(self.again)

    @property
    def is_done(self) -> bool:
        """Whether there was practice today, and nothing more of it is to do."""
        return self.done > 0 and not self.to_do
