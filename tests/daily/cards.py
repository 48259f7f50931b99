"""The values that tests of views show on the cards of dailies."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from bot.chat.messages import Message
from bot.daily import views
from bot.daily.model import (
    DEFAULT_NAME,
    Daily,
    DailyQuestion,
    DailyResult,
    DailyState,
    DailyVerdict,
)
from bot.members.model import Streak
from bot.memory.model import Today
from bot.questions.answers import Answered, Outcome
from bot.questions.model import Item, Topic
from tests.shipped import bank

AT = datetime(2024, 5, 1, 12, 0, tzinfo=UTC)
ROW = 10**18 - 1


def daily_row(**changes: Any) -> Daily:
    """A daily that is open until AT."""
    made = Daily(
        id=ROW,
        guild_id=ROW,
        schedule_id=ROW,
        local_date=AT.date(),
        state=DailyState.OPEN,
        name=DEFAULT_NAME,
        item_id="an-item",
        topic_id=None,
        choice_order="",
        answer_hours=23,
        thread=False,
        channel_id=ROW,
        role_id=None,
        message_id=ROW,
        thread_id=None,
        scheduled_at=AT,
        tried_at=None,
        opened_at=AT,
        closes_at=AT,
        due_at=AT,
        counted=0,
        problem=None,
    )
    return replace(made, **changes)


def asks(one: Item, order: tuple[int, ...]) -> DailyQuestion:
    return DailyQuestion(bank().topic_of(one), one, order)


def open_card(question: DailyQuestion) -> Message:
    return views.card(daily_row(), question, bank())


def closed_card(
    question: DailyQuestion, outcome: Outcome, streaks: tuple[tuple[str | None, int], ...] = ()
) -> Message:
    return views.result(daily_row(), question, DailyResult(outcome, streaks), bank())


def closed_openly(topic: Topic, ticked: int, *missed: str) -> Message:
    """The card of a closed open question. No member ticked these points."""
    counts = tuple((text, ticked) for text in missed)
    streaks = (("*" * 32, 900),) * 3
    found = DailyResult(Outcome(ticked, 0, {}), streaks, counts, ticked)
    return views.result(daily_row(), DailyQuestion(topic), found, bank())


def verdict_on(review: Answered, **changes: Any) -> DailyVerdict:
    return replace(DailyVerdict(daily_row(), review), **changes)


def a_day(**changes: Any) -> Today:
    """A day with six questions to do, and a streak."""
    made = Today(
        day=AT.date(),
        zone="UTC",
        limit=10,
        done=0,
        ahead=6,
        again=(),
        minutes=4,
        right=0,
        new=0,
        regained=0,
        dailies=(),
        streak=Streak(3, 5),
        tomorrow=7,
        more=False,
        may_remind=False,
    )
    return replace(made, **changes)


def done_day(**changes: Any) -> Today:
    """A day whose practice is done."""
    return replace(a_day(done=10, ahead=0, right=8, retried=2, new=4, regained=2), **changes)
