"""What a plan asks of a member, how ready they are, and how ready they will be.

Readiness is the share of the bank's items that the member would answer right: FSRS' probability
for each that they answered right last, 0 for those missed last or never met. `bot.plan.forecast`
simulates their practice. The items are those that the given bank asks: one that is left out of it
counts nowhere, met or not.

New items come where most is missing: from the section of which the smallest share is known, as if what was drawn before
were known already; of two alike from the one with more to meet. In it they come from the topic of which least was met,
easy ones first, since those stick from first sight.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from fsrs import Rating

from bot.core.calendar import local_date
from bot.memory import rules as memory_rules
from bot.memory.rules import MemoryCard, back_on, due_items
from bot.plan.dates import LAST
from bot.plan.forecast import MOST_CARDS, Forecast, Habit, Known, Span, forecast, new_a_day
from bot.practice.rules import Answered
from bot.questions.model import Bank, Item

LEAST_MINUTES, MOST_MINUTES, MINUTES = 5, 120, 15
SECONDS, READING = 45, 15
"""To answer a question, before a member's own time is known, and to read why; both in seconds."""
LONGEST = 180
"""Seconds: who takes longer over a question has been away."""
WINDOW, LATEST = timedelta(days=28), 400
"""How far back a member's habits are looked at, and at how many answers at most."""
NEAR = 5
"""Percent that a forecast may lie below the goal before somebody is behind."""
_NO_END = 10_000
"""Questions a day for somebody with all the time there is."""
_CARD_DAYS, _FEWEST = 5_000, 25
"""How many days of cards are simulated where a day has no end, and the least cards.

Of a member who forgets at once each card comes back daily.
"""
_AGAIN_AFTER = 600
"""Seconds until what was missed is asked again."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A member's way to an interview. `goal`: percent of the bank known by then if it was kept from `set_on` on."""

    user_id: int
    day: date
    minutes: int
    set_on: date
    goal: int

    def is_over(self, today: date) -> bool:
        return self.day < today

    @property
    def rest(self) -> int:
        """The last days, an eighth of all, which are for repeating."""
        return (self.day - self.set_on).days // 8


@dataclass(frozen=True, slots=True)
class Today:
    """A day's share of a plan: what is left of it, and how much was answered."""

    new: int
    due: int
    done: int

    @property
    def left(self) -> int:
        return self.new + self.due


@dataclass(frozen=True, slots=True)
class Goal:
    """What a reminder says of a plan: days until the interview, and what is left of today's share."""

    days: int
    share: Today


@dataclass(frozen=True, slots=True)
class Pace:
    """What a member's latest answers tell: how they practise, seconds a question, and today's new and other answers.

    `days`: of so many past days `kept` had practice; 0 where there is no past.
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


@dataclass(frozen=True, slots=True)
class SectionOutlook:
    """A section with the share that is known now and on the day."""

    title: str
    now: float
    then: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """How a plan stands; shares are from 0 to 1.

    `curve`: (days from today, share known) at the present pace; `kept`: the share on the day if every day is kept from
    now on. `new` and `due`: questions that a day takes, which take `takes` minutes. Of the last `pace_days` days
    `pace_kept` had practice.
    """

    plan: Plan
    zone: str
    today: date
    ready: float
    curve: tuple[tuple[int, float], ...]
    kept: float
    sections: tuple[SectionOutlook, ...]
    new: int
    due: int
    takes: int
    pace_kept: int
    pace_days: int
    share: Today

    @property
    def days(self) -> int:
        """Days until the interview."""
        return (self.plan.day - self.today).days

    @property
    def expected(self) -> float:
        """The share known on the day at the present pace."""
        return self.curve[-1][1]

    @property
    def fits(self) -> bool:
        return self.takes <= self.plan.minutes

    @property
    def behind(self) -> bool:
        return percent(self.expected) < self.plan.goal - NEAR


def percent(share: float) -> int:
    return round(100 * share)


def met(cards: Mapping[str, MemoryCard], bank: Bank) -> dict[str, MemoryCard]:
    """The cards that a plan counts: those of items that are asked."""
    return {item_id: card for item_id, card in cards.items() if item_id in bank.asked}


def readiness(bank: Bank, cards: Mapping[str, MemoryCard], at: datetime) -> float:
    """The share of the items that are asked that somebody would answer right at a moment."""
    known = sum(memory_rules.readiness(card, at) for card in met(cards, bank).values())
    return known / len(bank.asked) if bank.asked else 0.0


def pace(answers: Sequence[Answered], since: date, zone: str, now: datetime) -> Pace:
    """What somebody's answers in practice tell: those in `WINDOW`, oldest first, of which there are `LATEST` at most.

    `since`: the day on which they set their plan. A few usual answers are added to theirs, so that the first ones tell
    little. Today, which is not over, is no day.
    """
    today = local_date(zone, now)
    times = [min(a.elapsed_ms / 1000, LONGEST) for a in answers if a.elapsed_ms is not None]
    fresh = [a.rating for a in answers if a.fresh]
    right = [a.rating for a in answers if a.rating != Rating.Again]
    recalled = [rating != Rating.Again for rating in _recalls(answers)]
    by_day = Counter(local_date(zone, a.at) for a in answers)
    past = {day: count for day, count in by_day.items() if day < today}
    if len(answers) >= LATEST:
        past.pop(min(by_day), None)  # of which there may be more
    days = min(
        (today - min([since, *past] if len(answers) < LATEST else past, default=today)).days,
        WINDOW.days,
    )
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


def _recalls(answers: Sequence[Answered]) -> Iterator[Rating]:
    """The answers that tell how well somebody remembers: not the first to an item, nor one soon after a miss."""
    missed: set[str] = set()
    for a in answers:
        if not a.fresh and a.item_id not in missed:
            yield a.rating
        (missed.add if a.rating == Rating.Again else missed.discard)(a.item_id)


def room(minutes: int, seconds: float) -> int:
    """How many questions fit into minutes."""
    return max(1, int(60 * minutes / seconds))


def share_of_today(plan: Plan, unmet: int, due: int, own: Pace, today: date) -> Today:
    """What is left of a day's share, given how many items are due and were never met.

    What is due comes first, as far as the minutes reach, then as many new ones as the plan needs a day and still fit.
    """
    left = max(0, room(plan.minutes, own.seconds) - own.done_today)
    wanted = new_a_day(unmet + own.new_today, (plan.day - today).days, plan.rest) - own.new_today
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
    """The same, counted: what is due and what is new of the items that are asked and not hidden."""
    cards = met(cards, bank)
    unmet = sum(item_id not in cards and item_id not in hidden for item_id in bank.asked)
    due = len(due_items(cards, zone, now, (), hidden))
    return share_of_today(plan, unmet, due, own, local_date(zone, now))


def look(
    plan: Plan,
    bank: Bank,
    cards: Mapping[str, MemoryCard],
    answers: Sequence[Answered],
    zone: str,
    now: datetime,
    hidden: Collection[str] = (),
) -> Outlook:
    """How a plan stands now. `cards` are the member's by item id.

    `hidden` items must not be asked now: what is known of them counts, but is not refreshed in the days ahead either.
    """
    cards = met(cards, bank)
    today = local_date(zone, now)
    own = pace(answers, plan.set_on, zone, now)
    habit = Habit(1, room(plan.minutes, own.seconds), own.first, own.fade, own.slow)
    days = max((plan.day - today).days, 0)
    span = Span(days, plan.rest, own.done_today, math.ceil(_AGAIN_AFTER / own.seconds))
    order = {section.id: n for n, section in enumerate(bank.sections)}
    known = _known(bank, cards, order, zone, now, hidden)
    unmet = [order[bank.topic_of(item).section_id] for item in in_order(bank, cards, now)]

    def ahead(habit: Habit, most: int = MOST_CARDS) -> Forecast:
        return forecast(known, unmet, len(order), habit, span, most)

    kept, pace_now = ahead(habit), present(own, habit)
    expected = kept if pace_now == habit else ahead(pace_now)
    few = min(max(_CARD_DAYS // max(days, 1), _FEWEST), MOST_CARDS)
    needed = ahead(replace(habit, answers=_NO_END), few) if kept.short else kept
    new = new_a_day(len(unmet) + own.new_today, days, plan.rest)
    can_be_met = sum(item_id not in cards and item_id not in hidden for item_id in bank.asked)
    due_now = sum(card.due <= 0 for card in known)
    due = round(needed.due)
    return Outlook(
        *(plan, zone, today, readiness(bank, cards, now), expected.curve, kept.ready),
        sections=_sections(bank, cards, expected, now),
        new=new,
        due=due,
        takes=math.ceil((new + due) * own.seconds / 60),
        pace_kept=own.kept,
        pace_days=own.days,
        share=share_of_today(plan, can_be_met, due_now, own, today),
    )


def present(own: Pace, plan: Habit) -> Habit:
    """How somebody practises at present: as the plan has it while there is no past, with one such day added later."""
    if own.days == 0:
        return plan
    kept = min((own.kept + 1) / (own.days + 1), 1)
    answers = (own.answers * own.kept + plan.answers) / (own.kept + 1)
    return Habit(kept, answers, own.first, own.fade, own.slow)


def in_order(bank: Bank, cards: Mapping[str, MemoryCard], now: datetime) -> Iterator[Item]:
    """The items that are asked and were never met, in the order in which a plan brings them; see the module."""
    piles = [[_Pile(topic.items, cards) for topic in section.topics] for section in bank.sections]
    known = [sum(pile.known(cards, now) for pile in section) for section in piles]
    size = [max(sum(pile.size for pile in section), 1) for section in piles]
    left = {n: sum(len(pile.unmet) for pile in section) for n, section in enumerate(piles)}
    while left := {n: count for n, count in left.items() if count}:
        weakest = min(left, key=lambda n: (known[n] / size[n], -left[n], n))
        pile = min((p for p in piles[weakest] if p.unmet), key=lambda p: 1 - len(p.unmet) / p.size)
        yield pile.unmet.pop()
        known[weakest] += 1
        left[weakest] -= 1


class _Pile:
    """A topic's items; those never met are at hand, the hardest at the bottom."""

    def __init__(self, items: Sequence[Item], cards: Mapping[str, MemoryCard]) -> None:
        self._met = [item.id for item in items if item.id in cards]
        self.unmet = sorted(
            (i for i in reversed(items) if i.id not in cards), key=lambda i: -i.difficulty
        )
        self.size = len(items)

    def known(self, cards: Mapping[str, MemoryCard], now: datetime) -> float:
        return sum(memory_rules.readiness(cards[item_id], now) for item_id in self._met)


def _known(
    bank: Bank,
    cards: Mapping[str, MemoryCard],
    order: Mapping[str, int],
    zone: str,
    now: datetime,
    hidden: Collection[str],
) -> list[Known]:
    """Cards as the forecast takes them, the longest due first; a hidden one never comes up."""
    today = local_date(zone, now)
    found = sorted(cards.items(), key=lambda pair: pair[1].due_at)
    return [
        Known(
            order[bank.topic_of(bank.asked[item_id]).section_id],
            card.stability,
            card.difficulty,
            (now - card.last_review_at) / timedelta(days=1),
            (back_on(card, zone, today) - today).days if item_id not in hidden else LAST + 1,
            card.last_missed,
        )
        for item_id, card in found
    ]


def _sections(
    bank: Bank, cards: Mapping[str, MemoryCard], then: Forecast, now: datetime
) -> tuple[SectionOutlook, ...]:
    found = []
    for section, expected in zip(bank.sections, then.sections, strict=True):
        ids = [item.id for topic in section.topics for item in topic.items]
        known = sum(
            memory_rules.readiness(cards[item_id], now) for item_id in ids if item_id in cards
        )
        if ids:
            found.append(SectionOutlook(section.title, known / len(ids), expected / len(ids)))
    return tuple(found)
