"""The topics of a plan's goal, a member's pace, and what is recorded of a day."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from bot.core.calendar import local_date
from bot.memory.model import Plan
from bot.memory.progress import Knowledge
from bot.memory.today import WINDOW
from bot.plan.checks import checks_of
from bot.plan.model import Checks, Pace, PlannedDay, Range
from bot.questions.areas import ALL, is_asked, topics_of
from bot.questions.model import Bank, Topic

ODDS = 1.28
"""Standard errors to each side of a range: the truth is within four times in five."""
_MODEL_ERROR = 0.25
"""The standard error of an ability that the model itself makes, however many answers there are."""


def goal_topics(bank: Bank, plan: Plan) -> list[Topic]:
    """Return the topics that a plan is for; all, if its own ones have left the bank."""
    return topics_of(bank, plan.goal) or topics_of(bank, ALL)


def pace(times: Sequence[datetime], since: date, zone: str, now: datetime) -> Pace:
    """Return a member's pace, given the times of their answers in practice in `WINDOW`, in order.

    `since` is the day when the plan was set. Today isn't counted as a day because it isn't over.
    """
    today = local_date(zone, now)
    past = Counter(local_date(zone, at) for at in times)
    del past[today]
    days = (today - min([since, *past])).days
    return Pace(
        practised=len(past),
        days=min(max(days, 0), WINDOW.days),
        answers=past.total(),
    )


def error_of(known: Knowledge) -> float:
    """Return the ability to each side of what is estimated that a range takes in."""
    return ODDS * math.hypot(known.ability.error, _MODEL_ERROR)


def shift_of(topics: Sequence[Topic], known: Knowledge, checks: Checks | None) -> float:
    """Return the ability to add so that what is known agrees with the check questions, as far as
    these are certain.
    """
    if checks is None:
        return 0.0
    said = known.unseen(topics)
    slope = max(said * (1 - said), 0.05)
    of_checks = math.sqrt(slope / checks.answered) / (1 - checks.guessing) / slope
    certainty = _MODEL_ERROR**2 / (_MODEL_ERROR**2 + of_checks**2)
    return certainty * (checks.known - said) / slope


def planned_day(plan: Plan, known: Knowledge) -> PlannedDay | None:
    """Return what to record of the day; None where nothing of the goal is asked, and before the first
    answer to it, because that would be said of everybody.
    """
    topics, error = goal_topics(known.bank, plan), error_of(known)
    is_met = any(item.id in known.cards for topic in topics for item in topic.items)
    if not is_met or not is_asked(known.bank, plan.goal):
        return None
    shift = shift_of(topics, known, checks_of(plan, known))
    now = Range(known.unseen(topics, shift - error), known.unseen(topics, shift + error))
    return PlannedDay(known.today, round(1000 * now.middle))
