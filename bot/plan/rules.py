"""A plan's share of a day, the order of new items, and how ready a member is.

Readiness is the share of the bank's items that the member would answer correctly: the recall that
FSRS predicts for items whose last answer was correct, and 0 for others. Only items that the given
bank asks count. `bot.plan.forecast` simulates future practice.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from heapq import heapify, heappop, heapreplace

from fsrs import Rating

from bot.core.calendar import local_date
from bot.memory import rules as memory_rules
from bot.memory.rules import MemoryCard, due_items
from bot.plan.forecast import new_items_per_day
from bot.practice.rules import Answered
from bot.questions.model import Bank, Item, Topic

LEAST_MINUTES, MOST_MINUTES, MINUTES = 5, 120, 15
SECONDS, READING = 45, 15
"""Seconds to answer a question, until a member's own time is known, and to read the explanation."""
MAX_SECONDS = 180
"""Longer times count as this many seconds: the member was probably away."""
WINDOW, MAX_ANSWERS = timedelta(days=28), 400
"""The answers that tell a member's habits: how far back, and how many at most."""
NEAR = 5
"""A forecast may be this many percent below the goal before the member is behind."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan for an interview.

    `goal` is the percent known by then if every day is kept from `set_on`.
    """

    user_id: int
    day: date
    minutes: int
    set_on: date
    goal: int

    def is_over(self, today: date) -> bool:
        return self.day < today

    @property
    def rest(self) -> int:
        """The last days, an eighth of all, which are reserved for repetition."""
        return (self.day - self.set_on).days // 8


@dataclass(frozen=True, slots=True)
class Today:
    """A day's share of a plan: new and due questions left, and questions already done."""

    new: int
    due: int
    done: int

    @property
    def left(self) -> int:
        return self.new + self.due


@dataclass(frozen=True, slots=True)
class Goal:
    """A plan in a reminder: days until the interview, and what is left of today's share."""

    days: int
    share: Today


@dataclass(frozen=True, slots=True)
class Pace:
    """A member's habits according to their latest answers; shares as in `Habit`.

    They practised on `kept` of the last `days` days, which are 0 without a past. `seconds` is the
    time per question.
    """

    seconds: float
    first: float
    fade: float
    slow: float
    days: int
    kept: int
    answers: float
    new_today: int
    others_today: int

    @property
    def done_today(self) -> int:
        return self.new_today + self.others_today


def percent(share: float) -> int:
    return round(100 * share)


def counted_cards(cards: Mapping[str, MemoryCard], bank: Bank) -> dict[str, MemoryCard]:
    """Return the cards of items that the bank asks."""
    return {item_id: card for item_id, card in cards.items() if item_id in bank.asked}


def readiness(bank: Bank, cards: Mapping[str, MemoryCard], at: datetime) -> float:
    """Return the share of the bank that a member would answer correctly at a moment."""
    known = sum(memory_rules.readiness(card, at) for card in counted_cards(cards, bank).values())
    return known / len(bank.asked) if bank.asked else 0.0


def pace(answers: Sequence[Answered], since: date, zone: str, now: datetime) -> Pace:
    """Return a member's habits, given their practice answers in `WINDOW`, oldest first.

    `since` is the day when the plan was set. A few typical answers are added, so that the first
    ones don't weigh too much. Today isn't counted as a day because it isn't over.
    """
    today = local_date(zone, now)
    times = [min(a.elapsed_ms / 1000, MAX_SECONDS) for a in answers if a.elapsed_ms is not None]
    fresh = [a.rating for a in answers if a.fresh]
    right = [a.rating for a in answers if a.rating != Rating.Again]
    recalled = [rating != Rating.Again for rating in _recall_ratings(answers)]
    by_day = Counter(local_date(zone, a.at) for a in answers)
    past = {day: count for day, count in by_day.items() if day < today}
    if len(answers) >= MAX_ANSWERS:
        past.pop(min(by_day), None)  # the limit may have cut it
    first_day = min([since, *past] if len(answers) < MAX_ANSWERS else past, default=today)
    days = min((today - first_day).days, WINDOW.days)
    todays = [a for a in answers if local_date(zone, a.at) == today]
    return Pace(
        seconds=(sum(times) + SECONDS * 10) / (len(times) + 10) + READING,
        first=(sum(r != Rating.Again for r in fresh) + 6) / (len(fresh) + 10),
        fade=math.log((sum(recalled) + 9) / (len(recalled) + 10)) / math.log(0.9),
        slow=(sum(r == Rating.Hard for r in right) + 1) / (len(right) + 10),
        days=max(days, 0),
        kept=len(past),
        answers=sum(past.values()) / len(past) if past else 0.0,
        new_today=sum(a.fresh for a in todays),
        others_today=sum(not a.fresh for a in todays),
    )


def _recall_ratings(answers: Sequence[Answered]) -> Iterator[Rating]:
    """Yield the ratings that show recall: not the first of an item, nor one soon after a miss."""
    missed: set[str] = set()
    for a in answers:
        if not a.fresh and a.item_id not in missed:
            yield a.rating
        if a.rating == Rating.Again:
            missed.add(a.item_id)
        else:
            missed.discard(a.item_id)


def question_limit(minutes: int, seconds: float) -> int:
    """Return how many questions fit into this many minutes."""
    return max(1, int(60 * minutes / seconds))


def share_of_today(plan: Plan, unmet: int, due: int, own: Pace, today: date) -> Today:
    """Return what is left of a day's share. `unmet` and `due` are the numbers of such items.

    Due items come first, as far as the minutes reach, then as many new ones as the plan needs a day
    and still fit.
    """
    left = max(0, question_limit(plan.minutes, own.seconds) - own.done_today)
    wanted = new_items_per_day(unmet + own.new_today, (plan.day - today).days, plan.rest)
    wanted -= own.new_today
    due = min(due, left)
    return Today(max(0, min(wanted, unmet, left - due)), due, own.done_today)


def left_today(
    plan: Plan,
    bank: Bank,
    cards: Mapping[str, MemoryCard],
    own: Pace,
    zone: str,
    now: datetime,
    hidden: Collection[str] = (),
) -> Today:
    """Count the due and new items that are asked and not hidden, and return today's share."""
    cards = counted_cards(cards, bank)
    unmet = sum(item_id not in cards and item_id not in hidden for item_id in bank.asked)
    due = len(due_items(cards, zone, now, (), hidden))
    return share_of_today(plan, unmet, due, own, local_date(zone, now))


def items_in_order(bank: Bank, cards: Mapping[str, MemoryCard], now: datetime) -> Iterator[Item]:
    """Yield the items never asked before, in a plan's order.

    They come from the section with the smallest share known, counting items already drawn as known;
    of equal sections, from the one with more unseen items. Within a section they come from the
    topic with the smallest share seen, easy ones first, because those are remembered at once.
    """
    unseen = [_items_by_topic(section.topics, cards) for section in bank.sections]
    for section in sections_in_order(bank, cards, now):
        yield next(unseen[section])


def sections_in_order(bank: Bank, cards: Mapping[str, MemoryCard], now: datetime) -> Iterator[int]:
    """Yield the index of each item's section, for the items of `items_in_order`."""
    queue: list[tuple[float, int, int]] = []
    known = []
    size = []
    for number, section in enumerate(bank.sections):
        met = [[i.id for i in topic.items if i.id in cards] for topic in section.topics]
        known.append(sum(sum(memory_rules.readiness(cards[i], now) for i in ids) for ids in met))
        size.append(sum(len(topic.items) for topic in section.topics))
        unseen = size[-1] - sum(map(len, met))
        if unseen:
            queue.append((known[-1] / size[-1], -unseen, number))
    heapify(queue)
    while queue:
        _, unseen, number = queue[0]
        yield number
        known[number] += 1
        if unseen < -1:
            heapreplace(queue, (known[number] / size[number], unseen + 1, number))
        else:
            heappop(queue)


def _items_by_topic(topics: Sequence[Topic], cards: Mapping[str, MemoryCard]) -> Iterator[Item]:
    """Yield a section's unseen items: from the topic with the smallest share seen, easy ones first."""
    unseen = [
        sorted(
            (item for item in reversed(topic.items) if item.id not in cards),
            key=lambda item: -item.difficulty,
        )
        for topic in topics
    ]
    queue = [
        (1 - len(items) / len(topic.items), number)
        for number, (topic, items) in enumerate(zip(topics, unseen, strict=True))
        if items
    ]
    heapify(queue)
    while queue:
        _, number = queue[0]
        items = unseen[number]
        yield items.pop()
        if items:
            heapreplace(queue, (1 - len(items) / len(topics[number].items), number))
        else:
            heappop(queue)
