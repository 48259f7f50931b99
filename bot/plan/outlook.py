"""Computes how ready a member is and will be, and which topics their minutes are enough for."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import lru_cache

from msgspec import Struct, field
from msgspec.structs import replace

from bot.memory.ability import Ability, with_guessing
from bot.memory.progress import Knowledge
from bot.memory.rules import MemoryCard, days_away
from bot.plan.cards import Outlook, SectionOutlook, Whole
from bot.plan.dates import LAST
from bot.plan.forecast import NEVER, CardState, Forecast, Habit, NewItem, Span, forecast
from bot.plan.goals import items_in_order, topics_in_order
from bot.plan.rules import (
    HIGHEST_GOAL,
    MOST_MINUTES,
    NEAR,
    Pace,
    Plan,
    covered_topics,
    goal_topics,
    left_today,
    pace,
    percent,
    question_limit,
)
from bot.practice.rules import Answered
from bot.questions.areas import area_title, is_asked
from bot.questions.model import Bank, Item, Topic

_UNLIMITED = 10_000
"""Questions a day, to forecast a day without a time limit."""
_CARD_DAYS, _MIN_CARDS = 5_000, 25
"""Cards times days simulated without a time limit, and the minimum of cards.

Without a limit, all cards of a member who forgets quickly can come back every day.
"""
_RETRY_AFTER = 600
"""Seconds until a missed question is asked again."""
_RESERVE = 0.15
"""The share of the minutes that a new plan leaves free, for days that go less well."""
_NEXT_TOPICS = 3
_STEP = 5
"""Minutes are offered in steps of so many."""
_cached_forecast = lru_cache(maxsize=64)(forecast)
"""Often a member sees /plan, /profile and a reminder without an answer between them."""


class Situation(Struct, frozen=True):
    """A member's knowledge of the items that a bank asks, and their latest answers.

    `shares` has the number of questions that their plan asked for by day.
    """

    known: Knowledge
    answers: Sequence[Answered]
    shares: Mapping[date, int] = field(default_factory=dict)

    @property
    def bank(self) -> Bank:
        return self.known.bank

    def pace(self, plan: Plan) -> Pace:
        known = self.known
        return pace(self.answers, plan.set_on, self.shares, known.zone, known.now, known.model)


class _Forecasts:
    """The forecasts of a plan, for some of its topics."""

    def __init__(
        self, plan: Plan, topics: Collection[Topic], at: Situation, ability: Ability, own: Pace
    ) -> None:
        self.bank = at.bank.only({topic.id for topic in topics})
        cards = {i: card for i, card in at.known.cards.items() if i in self.bank.asked}
        self.own = own
        self._sections = {section.id: n for n, section in enumerate(self.bank.sections)}
        self._answers = tuple(ability.answers.get(section_id, 0) for section_id in self._sections)
        self._known = self._card_states(cards, at.known)
        self.ready, self.unready = topics_in_order(
            self.bank.asked_topics.values(), cards, ability, at.known.now, at.known.model
        )
        order = items_in_order([*self.unready, *self.ready], cards, ability)
        self._unmet = tuple(self._new_item(item, ability) for item in order)
        self.days = max((plan.day - at.known.today).days, 0)
        self._rest = plan.rest
        self._model = at.known.model
        self.habit = Habit(
            kept=1,
            answers=question_limit(plan.minutes, own.seconds),
            fade=own.fade,
            slow=own.slow,
        )

    def _new_item(self, item: Item, ability: Ability) -> NewItem:
        section_id = self.bank.topic_of(item).section_id
        knows = ability.knows(item, section_id)
        return NewItem(self._sections[section_id], with_guessing(knows, item.guessing), knows)

    def simulate(
        self, habit: Habit, max_cards: int | None = None, days: int | None = None
    ) -> Forecast:
        """Forecast the plan's days, or another number of days."""
        span = Span(
            self.days if days is None else days,
            rest=self._rest if days is None else days // 8,
            done=self.own.done_today,
            gap=math.ceil(_RETRY_AFTER / self.own.seconds),
        )
        return _cached_forecast(
            self._known, self._unmet, self._answers, habit, span, max_cards, self._model
        )

    def without_limit(self) -> Forecast:
        """Forecast days that are as long as it takes."""
        max_cards = max(_CARD_DAYS // max(self.days, 1), _MIN_CARDS)
        return self.simulate(replace(self.habit, answers=_UNLIMITED), min(max_cards, 200))

    def questions_a_day(self, found: Forecast) -> tuple[int, int]:
        """Return the mean number of questions on a day with practice, and the minutes they take."""
        questions = math.ceil(found.new + found.due)
        return questions, math.ceil(questions * self.own.seconds / 60)

    def is_enough(self, minutes: int, days: int | None = None) -> bool:
        """Return whether so many minutes a day are enough, with a reserve."""
        answers = question_limit(minutes, self.own.seconds) * (1 - _RESERVE)
        return self.simulate(replace(self.habit, answers=answers), days=days).is_enough

    def _card_states(
        self, cards: Mapping[str, MemoryCard], known: Knowledge
    ) -> tuple[CardState, ...]:
        """Return cards for a forecast, the longest due first; never due if they may not be asked."""
        return tuple(
            CardState(
                section=self._sections[self.bank.topic_of(self.bank.asked[item_id]).section_id],
                stability=card.stability,
                difficulty=card.difficulty,
                seen=max((known.now - card.last_review_at).days, 0),
                due=days_away(card, known.zone, known.now) if known.may_ask(item_id) else NEVER,
                missed=card.last_missed,
            )
            for item_id, card in sorted(cards.items(), key=lambda pair: pair[1].due_at)
        )


def choose_topics(plan: Plan, at: Situation) -> tuple[Plan, Whole | None]:
    """Return the plan with as many topics of its goal as fit into its minutes.

    If not all fit, also return what it would take.
    """
    ability, own = at.known.ability(), at.pace(plan)
    topics = goal_topics(at.bank, plan)
    whole = _Forecasts(plan, topics, at, ability, own)
    if whole.is_enough(plan.minutes):
        return replace(plan, topic_ids=""), None
    ranked = [*whole.ready, *whole.unready]
    too_many = _first(
        range(1, len(ranked) + 1),
        lambda n: not _Forecasts(plan, ranked[:n], at, ability, own).is_enough(plan.minutes),
    )
    fitting = ranked[: max((too_many or len(ranked)) - 1, 1)]
    chosen = replace(plan, topic_ids=" ".join(topic.id for topic in fitting))
    return chosen, _whole(chosen, whole, len(topics))


def _whole(plan: Plan, forecasts: _Forecasts, topics: int) -> Whole:
    """Return what it takes to be ready for all topics of a goal."""
    minutes = _first(
        range(plan.minutes // _STEP * _STEP + _STEP, MOST_MINUTES + 1, _STEP), forecasts.is_enough
    )
    weeks = _first(
        range(forecasts.days // 7 + 1, LAST // 7 + 1),
        lambda weeks: forecasts.is_enough(plan.minutes, 7 * weeks),
    )
    today = plan.day - timedelta(days=forecasts.days)
    return Whole(
        topics=topics,
        minutes=minutes,
        day=None if weeks is None else today + timedelta(weeks=weeks),
    )


def _first(values: range, holds: Callable[[int], bool]) -> int | None:
    """Return the first value that passes a test; None if none does. All later values must pass too."""
    found = bisect_left(values, True, key=holds)
    return values[found] if found < len(values) else None


def build_outlook(plan: Plan, at: Situation) -> Outlook:
    """Return the outlook of a plan, for the topics that fit into its minutes."""
    ability, own = at.known.ability(), at.pace(plan)
    topics = covered_topics(at.bank, plan)
    forecasts = _Forecasts(plan, topics, at, ability, own)
    kept = forecasts.simulate(forecasts.habit)
    current = current_habit(own, forecasts.habit)
    expected = kept if current == forecasts.habit else forecasts.simulate(current)
    fits = kept.is_enough or percent(kept.ready) >= plan.goal - NEAR
    questions, takes = forecasts.questions_a_day(kept if fits else forecasts.without_limit())
    next_topics = [
        t.title for t in forecasts.unready if any(i.id not in at.known.cards for i in t.items)
    ]
    return Outlook(
        plan=plan,
        zone=at.known.zone,
        today=at.known.today,
        goal=area_title(at.bank, plan.goal_of),
        topics=len(topics),
        of_topics=len(goal_topics(at.bank, plan)),
        is_asked=is_asked(at.bank, plan.goal_of),
        next_topics=tuple(next_topics[:_NEXT_TOPICS]),
        curve=expected.curve,
        kept=kept.ready,
        fits=fits,
        sections=_section_outlooks(forecasts.bank, expected),
        questions=questions,
        takes=takes,
        pace_kept=own.kept,
        pace_days=own.days,
        share=left_today(plan, at.known, own),
    )


def set_goal(outlook: Outlook) -> Outlook:
    """Return the outlook of a new plan, with a goal that leaves room for a few bad days."""
    goal = min(percent(outlook.kept), HIGHEST_GOAL)
    return replace(outlook, plan=replace(outlook.plan, goal=goal))


def current_habit(own: Pace, planned: Habit) -> Habit:
    """Return how a member practises now, given one more day as planned to soften the start.

    Without a past they practise as planned. On complete days they might have done as much as the
    plan allows.
    """
    if own.days == 0:
        return planned
    return replace(
        planned,
        kept=min((own.kept + 2) / (own.days + 3), 1),
        answers=(own.answers * (own.kept - own.complete) + planned.answers * (own.complete + 1))
        / (own.kept + 1),
    )


def _section_outlooks(bank: Bank, expected: Forecast) -> tuple[SectionOutlook, ...]:
    """Return the outlook of each section."""
    outlooks = []
    for section, now, then in zip(bank.sections, expected.now, expected.then, strict=True):
        items = sum(len(topic.items) for topic in section.topics)
        found = SectionOutlook(
            title=section.title,
            topics=len(section.topics),
            now=now / items,
            then=then / items,
        )
        outlooks.append(found)
    return tuple(outlooks)
