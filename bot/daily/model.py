"""The values of the question of the day: rows as stored, and what its cards show."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from bot.core.calendar import EVERY_DAY
from bot.interviews.model import Assessment
from bot.members.model import NO_NEWS, StreakNews
from bot.questions.answers import Answered, Outcome
from bot.questions.areas import ALL
from bot.questions.model import Item, Topic

DEFAULT_HOURS = 23
DEFAULT_NAME = "Question of the day"


class DailyState(StrEnum):
    """The states of a daily; `bot.daily.rules` has the table of its steps.

    A posting daily is retried for six hours. A showing one was announced in plain words to a role,
    and its message is to become the card. A threading one is posted, and its thread is to be
    opened. While it is open, members answer. A closing one is to show the right answer. A manager
    skipped a skipped one; a missed one could not be posted, and its `problem` says why.
    """

    POSTING = "posting"
    SHOWING = "showing"
    THREADING = "threading"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    SKIPPED = "skipped"
    MISSED = "missed"

    @property
    def hides_answer(self) -> bool:
        """Whether the daily is in play: members can answer it now or soon."""
        return self not in {DailyState.CLOSED, DailyState.SKIPPED, DailyState.MISSED}


class DailyKind(StrEnum):
    """The kinds of dailies: with items, with open questions, or with an open one now and then."""

    CHOICE = "choice"
    OPEN = "open"
    MIXED = "mixed"


ANSWERABLE = (DailyState.POSTING, DailyState.SHOWING, DailyState.THREADING, DailyState.OPEN)
POSTED = (
    DailyState.SHOWING,
    DailyState.THREADING,
    DailyState.OPEN,
    DailyState.CLOSING,
    DailyState.CLOSED,
)


class Schedule(Struct, frozen=True):
    """A row of `daily_schedules`, with the server's time zone. A new one has the usual settings."""

    guild_id: int
    channel_id: int
    at: str
    zone: str
    settled_until: datetime
    next_at: datetime | None = None
    asks: str = ALL
    kind: DailyKind = DailyKind.CHOICE
    answer_hours: int = DEFAULT_HOURS
    role_id: int | None = None
    thread: bool = False
    paused: bool = False
    weekdays: str = EVERY_DAY
    name: str = DEFAULT_NAME
    id: int = 0


class Daily(Struct, frozen=True):
    """A row of `dailies`."""

    id: int
    guild_id: int
    schedule_id: int
    local_date: date
    state: DailyState
    name: str
    item_id: str | None
    topic_id: str | None
    choice_order: str
    answer_hours: int
    thread: bool
    channel_id: int | None
    role_id: int | None
    message_id: int | None
    thread_id: int | None
    scheduled_at: datetime
    tried_at: datetime | None
    opened_at: datetime | None
    closes_at: datetime | None
    due_at: datetime | None
    counted: int
    problem: str | None
    of_week: bool = False

    @property
    def posted(self) -> bool:
        return self.state in POSTED

    @property
    def revealed(self) -> bool:
        """Whether the answer is public, or about to be."""
        return self.state in {DailyState.CLOSING, DailyState.CLOSED}


class DailyQuestion(Struct, frozen=True):
    """The question of a daily: an item with the order of its choices, or its topic's open question.

    `of_week`: it was drawn from the topic of the week.
    """

    topic: Topic
    item: Item | None = None
    order: tuple[int, ...] = ()
    of_week: bool = False

    @property
    def id(self) -> str:
        """The item's id; of an open question, the topic's."""
        return self.item.id if self.item else self.topic.id

    @property
    def words(self) -> str:
        return self.item.prompt if self.item else self.topic.question


class DailyResult(Struct, frozen=True):
    """How members answered a closed daily.

    `streaks` are the longest of them, as (name, days). `missed` are key points of an open question
    as (text, number of members who didn't tick it), the largest number first; `ticked` is the number
    of members who ticked theirs.
    """

    outcome: Outcome
    streaks: tuple[tuple[str | None, int], ...]
    missed: tuple[tuple[str, int], ...] = ()
    ticked: int = 0


class DailyStatus(Struct, frozen=True):
    """A schedule with its next post.

    `last` is its newest daily that was posted or missed, `posting` the one being posted.
    """

    schedule: Schedule
    next_at: datetime | None
    last: Daily | None
    posting: Daily | None


class DailyVerdict(Struct, frozen=True):
    """A stored answer to a daily with an item."""

    daily: Daily
    answered: Answered
    news: StreakNews = NO_NEWS


class DailyFeedback(Struct, frozen=True):
    """A member's answer to a daily with an open question.

    `text` and `assessment` are None if they didn't answer. The assessment has the key points with
    the sentences of the answer that are nearest to them, and what the member ticked. `brought_back`
    is as in `Step`.
    """

    daily: Daily
    topic: Topic
    text: str | None
    assessment: Assessment | None = None
    brought_back: tuple[int, int] = (0, 0)
    news: StreakNews = NO_NEWS


class OtherDailies(Struct, frozen=True):
    """A server's dailies, without those that a member has still to answer.

    `answered` are ids and names of open ones. `next_at` is when the next one is posted. `scheduled`:
    the server has set one up, which may be paused.
    """

    answered: tuple[tuple[int, str], ...] = ()
    next_at: datetime | None = None
    scheduled: bool = False
