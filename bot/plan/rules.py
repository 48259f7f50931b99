"""How ready a member is for a plan's goal, their pace, a day's share, and the order of new items."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from bot.core.calendar import local_date
from bot.memory.model import Plan
from bot.memory.progress import Knowledge
from bot.memory.today import WINDOW
from bot.plan.model import Pace, PlannedDay
from bot.questions.areas import ALL, is_asked, topics_of
from bot.questions.model import Bank, Item, Topic

READY = 0.8
"""A topic is ready from this share of its items that the member knows."""
_STARTED = 1 / 3
"""A topic with this share of its items met is finished before others are begun."""
_TOPICS_AT_ONCE = 3


def goal_topics(bank: Bank, plan: Plan) -> list[Topic]:
    """Return the topics that a plan is for; all, if its own ones have left the bank."""
    return topics_of(bank, plan.goal) or topics_of(bank, ALL)


def topics_in_order(topics: Iterable[Topic], known: Knowledge) -> list[Topic]:
    """Return topics as a member is to meet them; those that are ready come last.

    Topics that interviews ask most come first; of equal ones those that are well begun, then those
    that the member knows least.
    """

    def rank(topic: Topic) -> tuple[bool, int, bool, float]:
        share = known.readiness([topic])
        met = sum(item.id in known.cards for item in topic.items)
        begun = met >= _STARTED * len(topic.items)
        return share >= READY, -topic.weight, not begun, round(share, 1)

    return sorted(topics, key=rank)


def items_in_order(topics: Iterable[Topic], known: Knowledge) -> Iterator[Item]:
    """Yield the items that a member has never met of topics in their order, a few topics at a time.

    Of these topics, the items come first that suit the member's ability best.
    """
    new = [[item for item in topic.items if item.id not in known.cards] for topic in topics]
    new = [items for items in new if items]

    def rank(item: Item) -> tuple[float, str]:
        section_id = known.bank.topic_of(item).section_id
        return known.ability.distance_from_best(item, section_id), item.id

    for start in range(0, len(new), _TOPICS_AT_ONCE):
        some = [item for items in new[start : start + _TOPICS_AT_ONCE] for item in items]
        yield from sorted(some, key=rank)


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


def expected_answers(own: Pace, planned: int) -> float:
    """Return how many questions a member will answer a day, if they go on as they did.

    One more day as planned is added to the past, so that the first ones don't weigh too much.
    """
    return min((own.answers + planned) / (own.days + 1), planned)


def split_due(plan: Plan, known: Knowledge, due: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return missed items and the plan's own due ones, then those that can wait."""
    items = {i.id for t in goal_topics(known.bank, plan) for i in t.items}
    first = [i for i in due if i in items or known.cards[i].missed]
    return first, [i for i in due if i not in items and not known.cards[i].missed]


def new_items(plan: Plan, known: Knowledge) -> Iterator[Item]:
    """Yield the new items of the goal, then all others."""
    goal = goal_topics(known.bank, plan)
    chosen = {topic.id for topic in goal}
    others = [topic for topic in known.bank.asked_topics.values() if topic.id not in chosen]
    for topics in (goal, others):
        yield from items_in_order(topics_in_order(topics, known), known)


def planned_day(plan: Plan, known: Knowledge) -> PlannedDay | None:
    """Return what to record of the day; None where nothing of the goal is asked."""
    if not is_asked(known.bank, plan.goal):
        return None
    return PlannedDay(known.today, round(1000 * known.readiness(goal_topics(known.bank, plan))))
