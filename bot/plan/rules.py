"""A plan, a member's pace, and a plan's share of a day. `bot.plan.forecast` simulates the future."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise, takewhile
from statistics import median

from fsrs import Rating
from msgspec import Struct

from bot.core.calendar import local_date
from bot.memory.progress import Knowledge
from bot.memory.rules import DEFAULT, RETENTION, MemoryModel, retention_for
from bot.plan.forecast import formulas, new_items_per_day
from bot.plan.goals import item_readiness
from bot.practice.rules import Answered
from bot.questions.areas import ALL, topics_of
from bot.questions.model import Bank, Topic

LEAST_MINUTES, MOST_MINUTES, MINUTES = 5, 120, 15
SECONDS, FEWEST_TIMES = 30, 10
"""Seconds from one answer to the next, until this many of a member's own times are known."""
_LEAST_SECONDS, MAX_SECONDS = 5, 180
"""Nobody reads faster; a member who takes longer was away in between."""
WINDOW, MAX_ANSWERS = timedelta(days=28), 400
"""The answers that tell a member's habits: how far back, and how many at most."""
_COMPLETE = 0.9
"""A day counts as complete from this part of its share: a miss comes back and adds to it."""
_USUAL_RECALL, _USUAL_REVIEWS = 0.9, 10
"""Recall when an item is due, and how many such reviews are added to a member's own: one misses."""
_FASTEST_FORGETTING, _HALVINGS = 8.0, 12
HIGHEST_GOAL = 90
"""In percent. FSRS lets about one item in ten be forgotten before it comes back."""
NEAR = 5
"""A forecast may be this many percent below the goal before the member is behind."""


class Plan(Struct, frozen=True):
    """A plan for an interview.

    `goal_of` is what to be ready for, an area as in `bot.questions.areas`. `topic_ids` are the ids
    of its topics that fit into the minutes, separated by spaces; empty if all of them fit. `goal` is
    the percent of these that the member will know if every day is kept from `set_on`.
    """

    user_id: int
    day: date
    minutes: int
    set_on: date
    goal: int
    goal_of: str
    topic_ids: str

    def is_over(self, today: date) -> bool:
        return self.day < today

    @property
    def rest(self) -> int:
        """The last days, an eighth of all, which are reserved for repetition."""
        return (self.day - self.set_on).days // 8


class Today(Struct, frozen=True):
    """A day's share of a plan: new and due questions left, and questions already done."""

    new: int
    due: int
    done: int

    @property
    def left(self) -> int:
        return self.new + self.due

    @property
    def whole(self) -> int:
        return self.done + self.left


class Goal(Struct, frozen=True):
    """A plan in a reminder: days until the interview, and what is left of today's share."""

    days: int
    share: Today


class Tempo(Struct, frozen=True):
    """A member's time per question, with reading the explanation, and their answers of today."""

    seconds: float
    new_today: int
    others_today: int

    @property
    def done_today(self) -> int:
        return self.new_today + self.others_today


class Pace(Tempo, frozen=True):
    """A member's habits according to their latest answers; shares as in `Habit`.

    They practised on `kept` of the last `days` days, which are 0 without a past. On `complete` of
    these they did all that the plan asked for; on the others they gave `answers` a day.
    """

    fade: float
    slow: float
    days: int
    kept: int
    complete: int
    answers: float


def percent(share: float) -> int:
    return round(100 * share)


def goal_topics(bank: Bank, plan: Plan) -> list[Topic]:
    """Return the topics that a plan is for; all, if its own ones have left the bank."""
    return topics_of(bank, plan.goal_of) or topics_of(bank, ALL)


def covered_topics(bank: Bank, plan: Plan) -> list[Topic]:
    """Return the topics of a plan that fit into its minutes."""
    topics = goal_topics(bank, plan)
    chosen = set(plan.topic_ids.split())
    return [topic for topic in topics if topic.id in chosen] or topics


def readiness(known: Knowledge, topics: Sequence[Topic]) -> float:
    """Return the share of the items of topics that a member knows now."""
    ability = known.ability()
    shares = [
        item_readiness(
            item, topic.section_id, known.cards.get(item.id), ability, known.now, known.model
        )
        for topic in topics
        for item in topic.items
    ]
    return sum(shares) / len(shares) if shares else 0.0


def pace(
    answers: Sequence[Answered],
    since: date,
    shares: Mapping[date, int],
    zone: str,
    now: datetime,
    model: MemoryModel = DEFAULT,
) -> Pace:
    """Return a member's habits, given their practice answers in `WINDOW`, oldest first.

    `since` is the day when the plan was set. `shares` has the number of questions that the plan
    asked for by day, as far as that was recorded. A few typical answers are added, so that the first
    ones don't weigh too much. Today isn't counted as a day because it isn't over.
    """
    today = local_date(zone, now)
    right = [a.rating for a in answers if a.rating != Rating.Again]
    by_day = Counter(local_date(zone, a.at) for a in answers)
    past = {day: count for day, count in by_day.items() if day < today}
    if len(answers) >= MAX_ANSWERS:
        past.pop(min(by_day), None)  # the limit may have cut it
    first_day = min([since, *past] if len(answers) < MAX_ANSWERS else past, default=today)
    days = min((today - first_day).days, WINDOW.days)
    partly = [
        number for day, number in past.items() if number < _COMPLETE * shares.get(day, math.inf)
    ]
    speed = tempo(answers, zone, now)
    return Pace(
        seconds=speed.seconds,
        new_today=speed.new_today,
        others_today=speed.others_today,
        fade=_forgetting(answers, model),
        slow=(sum(r == Rating.Hard for r in right) + 1) / (len(right) + 10),
        days=max(days, 0),
        kept=len(past),
        complete=len(past) - len(partly),
        answers=sum(partly) / len(partly) if partly else 0.0,
    )


def tempo(answers: Sequence[Answered], zone: str, now: datetime) -> Tempo:
    """Return a member's time per question and answers of today, given answers as for `pace`."""
    today = local_date(zone, now)
    todays = list(takewhile(lambda a: local_date(zone, a.at) == today, reversed(answers)))
    return Tempo(
        seconds=_seconds_a_question(answers),
        new_today=sum(a.fresh for a in todays),
        others_today=sum(not a.fresh for a in todays),
    )


def _seconds_a_question(answers: Sequence[Answered]) -> float:
    """Return the median time from one answer to the next, which includes reading why."""
    between = ((after.at - before.at).total_seconds() for before, after in pairwise(answers))
    times = [seconds for seconds in between if 0 < seconds <= MAX_SECONDS]
    return max(median(times), _LEAST_SECONDS) if len(times) >= FEWEST_TIMES else SECONDS


def _forgetting(answers: Sequence[Answered], model: MemoryModel) -> float:
    """Return how much faster a member forgets than FSRS predicts: 1 is as predicted, 2 twice.

    Predicted recall to this power adds up to the number of items that they remembered.
    """
    reviews = [*_recalls(answers, model), *[(_USUAL_RECALL, n > 0) for n in range(_USUAL_REVIEWS)]]
    remembered = sum(right for _, right in reviews)
    slowest, fastest = 0.0, _FASTEST_FORGETTING
    for _ in range(_HALVINGS):
        middle = (slowest + fastest) / 2
        if sum(recall**middle for recall, _ in reviews) > remembered:
            slowest = middle
        else:
            fastest = middle
    return (slowest + fastest) / 2


def _recalls(answers: Sequence[Answered], model: MemoryModel) -> Iterator[tuple[float, bool]]:
    """Yield predicted recall, and whether the answer was right, of answers that show recall.

    That isn't the first answer to an item, nor one soon after a miss. Of items met before these
    answers, the first is taken to be given when it was due.
    """
    fsrs = formulas(model)
    states: dict[str, tuple[float, float, datetime]] = {}
    missed: set[str] = set()
    for a in answers:
        before = states.get(a.item_id)
        rating, right = int(a.rating), a.rating != Rating.Again
        if a.fresh:
            states[a.item_id] = (*fsrs.first_states[rating], a.at)
        elif before is None:
            if a.item_id not in missed:
                yield _USUAL_RECALL, right
        else:
            stability, difficulty, last = before
            days = (a.at - last).days
            recall = model.recall_after(days, stability)
            if a.item_id not in missed and days > 0:
                yield recall, right
            state = fsrs.next_state(stability, difficulty, days, recall, rating)
            states[a.item_id] = (*state, a.at)
        if right:
            missed.discard(a.item_id)
        else:
            missed.add(a.item_id)


def question_limit(minutes: int, seconds: float) -> int:
    """Return how many questions fit into this many minutes."""
    return max(1, int(60 * minutes / seconds))


def share_of_today(
    plan: Plan, new: int, due: int, own: Tempo, today: date, early: int = 0
) -> Today:
    """Return what is left of a day's share.

    `new` and `due` are the numbers of such items, and `early` of those that are nearly due. Due
    items come first, as far as the minutes reach, then as many new ones as the plan needs a day and
    still fit, then early ones.
    """
    left = max(0, question_limit(plan.minutes, own.seconds) - own.done_today)
    wanted = new_items_per_day(new + own.new_today, (plan.day - today).days, plan.rest)
    wanted -= own.new_today
    due = min(due, left)
    new = max(0, min(wanted, new, left - due))
    return Today(new, due + min(early, left - due - new), own.done_today)


def left_today(plan: Plan, known: Knowledge, own: Tempo) -> Today:
    """Return today's share of a plan.

    Once all items of its topics are met, it goes on with the rest of its goal.
    """
    for topics in (covered_topics(known.bank, plan), goal_topics(known.bank, plan)):
        items = {item.id for topic in topics for item in topic.items}
        new = sum(i not in known.cards and known.may_ask(i) for i in items)
        if new:
            break
    due = known.due()
    early = early_items(plan, known, due, items)
    of_plan = len(items.intersection(due))
    return share_of_today(plan, new, of_plan, own, known.today, len(early))


def early_items(
    plan: Plan,
    known: Knowledge,
    due: Sequence[str],
    items: Collection[str],
    asked: Collection[str] = (),
) -> list[str]:
    """Return which of some items are nearly due; only in a plan's last days there are such."""
    retention = retention_for((plan.day - known.today).days)
    if retention == RETENTION:
        return []
    others = {*due, *asked}
    return [i for i in known.due(retention, asked) if i in items and i not in others]
