"""The values that the cards of the question of the day show."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from bot.daily.rules import DEFAULT_NAME, Daily, Schedule
from bot.daily.streaks import NO_NEWS, Streak, StreakNews
from bot.interviews.model import Assessment
from bot.questions.answers import Shown
from bot.questions.cards import Outcome, Review
from bot.questions.model import FollowUp, Item, Topic


class Announcement(Struct, frozen=True):
    """The question in plain words, for the notification of the role that is pinged."""

    daily_id: int
    question: str
    role_id: int
    name: str = DEFAULT_NAME


class DailyCard(Struct, frozen=True):
    """An open daily with an item. `answered` is the number of answers that the card shows."""

    daily_id: int
    item: Item
    order: tuple[int, ...]
    closes_at: datetime
    answered: int = 0
    name: str = DEFAULT_NAME


class DailyResult(Struct, frozen=True):
    """A closed daily with an item. `streaks` are the longest of its members, as (name, days)."""

    daily_id: int
    item: Item
    order: tuple[int, ...]
    outcome: Outcome
    streaks: tuple[tuple[str | None, int], ...]
    name: str = DEFAULT_NAME


class OpenDailyCard(Struct, frozen=True):
    """An open daily with a topic's open question."""

    daily_id: int
    topic: Topic
    closes_at: datetime
    answered: int = 0
    name: str = DEFAULT_NAME


class OpenDailyResult(Struct, frozen=True):
    """A closed daily with a topic's open question.

    `lacking` are key points as (text, number of answers without it), the largest number first.
    `streaks` are the longest, as (name, days).
    """

    daily_id: int
    topic: Topic
    answered: int
    lacking: tuple[tuple[str, int], ...]
    streaks: tuple[tuple[str | None, int], ...]
    name: str = DEFAULT_NAME


class DailyStatus(Struct, frozen=True):
    """A schedule with its next post.

    `last` is its newest daily that was posted or missed, `posting` the one being posted. `others`
    are the server's other schedules. `is_new`: it was added just now.
    """

    schedule: Schedule
    next_at: datetime | None
    last: Daily | None
    posting: Daily | None
    others: tuple[Schedule, ...] = ()
    is_new: bool = False


class DailyVerdict(Struct, frozen=True):
    """A stored answer to a daily with an item.

    `back_in` is the number of days until the item comes back in practice, None if it doesn't.
    """

    review: Review
    closes_at: datetime
    streak: Streak
    back_in: int | None
    thread_id: int | None = None
    news: StreakNews = NO_NEWS


class OpenReview(Struct, frozen=True):
    """A member's feedback on a daily with an open question; `text` is None if they didn't answer.

    `problem` says why an answer can't be graded and has no assessment.
    """

    daily: Daily
    topic: Topic
    text: str | None
    points: int
    streak: Streak
    assessment: Assessment | None = None
    follow_up: FollowUp | None = None
    news: StreakNews = NO_NEWS
    problem: str = ""


class TodaysDaily(Struct, frozen=True):
    """A daily as `/today` shows it to a member.

    `asks` is its item with the order of its choices, or its topic; None if the bank no longer has
    it. `given` is the member's own answer.
    """

    daily: Daily
    asks: Shown | Topic | None
    given: DailyVerdict | OpenReview | None


class Today(Struct, frozen=True):
    """What `/today` shows: all dailies that are open, or else the one that was posted last.

    `coming` are the next posts of the schedules that aren't paused, as (name, time).
    """

    dailies: tuple[TodaysDaily, ...]
    coming: tuple[tuple[str, datetime], ...]
    paused: bool
    streak: Streak


def link(daily: Daily) -> str:
    """Return the link to a daily's message."""
    return f"https://discord.com/channels/{daily.guild_id}/{daily.channel_id}/{daily.message_id}"
