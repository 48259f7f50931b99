"""The topics of a plan's goal, a member's pace, and what is recorded of a day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

from bot.core.calendar import local_date
from bot.memory.model import Plan
from bot.memory.progress import Knowledge
from bot.memory.today import WINDOW
from bot.plan.model import Pace, PlannedDay
from bot.questions.areas import ALL, is_asked, topics_of
from bot.questions.model import Bank, Topic


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


def has_most_points(known: Knowledge, topic: Topic) -> bool:
    """Return whether the latest open answer on a topic had most of its points."""
    answer = known.open_answers.get(topic.id)
    return answer is not None and answer.most


def planned_day(plan: Plan, known: Knowledge) -> PlannedDay | None:
    """Return what to record of the day; None where nothing of the goal is asked."""
    if not is_asked(known.bank, plan.goal):
        return None
    return PlannedDay(known.today, round(1000 * known.unseen(goal_topics(known.bank, plan))))
