"""The recap of a week: as stored, and what it shows."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from msgspec import Struct

from bot.bank.model import TopicResult
from bot.boards.model import MemberRow


class RecapState(StrEnum):
    """The states of a recap; the table `recaps` describes them."""

    POSTING = "posting"
    POSTED = "posted"
    QUIET = "quiet"
    MISSED = "missed"


class RecapSchedule(Struct, frozen=True):
    """A row of `recap_schedules`."""

    guild_id: int
    channel_id: int | None
    weekday: int
    first_week: date
    next_at: datetime | None


class Recap(Struct, frozen=True):
    """A row of `recaps`; the table describes its columns."""

    id: int
    guild_id: int
    week: date
    state: RecapState
    channel_id: int
    message_id: int | None
    scheduled_at: datetime
    tried_at: datetime | None
    problem: str | None
    item_id: str | None = None
    opened: bool = False


class RecapStatus(Struct, frozen=True):
    """A server's recap settings, the time of the next recap, and the last decided one."""

    channel_id: int | None
    weekday: int
    next_at: datetime | None
    last: Recap | None


class Climber(Struct, frozen=True):
    """The member who climbed the most places since the week before."""

    name: str | None
    place: int
    before: int


class Hardest(Struct, frozen=True):
    """The question with the smallest share of right answers."""

    prompt: str
    answers: int
    right: int


class Week(Struct, frozen=True):
    """The figures of a week; `streak` is the longest, as name and days.

    `topic` was the topic of the week, and `proposed` is where the members were weakest.
    """

    recap_id: int
    monday: date
    first: tuple[MemberRow, ...]
    members: int
    answers: int
    right: int
    climber: Climber | None = None
    hardest: Hardest | None = None
    streak: tuple[str | None, int] | None = None
    topic: TopicResult | None = None
    proposed: TopicResult | None = None
