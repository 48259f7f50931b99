"""Computes how ready a member is and will be, from their cards and latest answers."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from bot.core.calendar import local_date
from bot.memory import rules as memory_rules
from bot.memory.rules import MemoryCard, back_on
from bot.plan.cards import Outlook, SectionOutlook
from bot.plan.dates import LAST
from bot.plan.forecast import (
    MAX_CARDS,
    CardState,
    Forecast,
    Habit,
    Span,
    forecast,
    new_items_per_day,
)
from bot.plan.rules import (
    Pace,
    Plan,
    counted_cards,
    left_today,
    pace,
    question_limit,
    readiness,
    sections_in_order,
)
from bot.practice.rules import Answered
from bot.questions.model import Bank

_UNLIMITED = 10_000
"""Questions a day, to forecast a day without a time limit."""
_CARD_DAYS, _MIN_CARDS = 5_000, 25
"""Cards times days simulated without a time limit, and the minimum of cards.

Without a limit, all cards of a member who forgets quickly can come back every day.
"""
_RETRY_AFTER = 600
"""Seconds until a missed question is asked again."""
_cached_forecast = lru_cache(maxsize=64)(forecast)
"""Often a member sees /plan, /stats and a reminder without an answer between them."""


def build_outlook(
    plan: Plan,
    bank: Bank,
    cards: Mapping[str, MemoryCard],
    answers: Sequence[Answered],
    zone: str,
    now: datetime,
    hidden: Collection[str] = (),
) -> Outlook:
    """Return the outlook of a plan. `cards` are the member's, by item id.

    `hidden` items must not be asked now. Their recall counts, but the forecast doesn't repeat them.
    """
    cards = counted_cards(cards, bank)
    today = local_date(zone, now)
    own = pace(answers, plan.set_on, zone, now)
    habit = Habit(
        kept=1,
        answers=question_limit(plan.minutes, own.seconds),
        first=own.first,
        fade=own.fade,
        slow=own.slow,
    )
    days = max((plan.day - today).days, 0)
    span = Span(
        days, rest=plan.rest, done=own.done_today, gap=math.ceil(_RETRY_AFTER / own.seconds)
    )
    section_index = {section.id: n for n, section in enumerate(bank.sections)}
    known = _card_states(bank, cards, section_index, zone, now, hidden)
    unmet = tuple(sections_in_order(bank, cards, now))

    def simulate(habit: Habit, max_cards: int = MAX_CARDS) -> Forecast:
        return _cached_forecast(known, unmet, len(section_index), habit, span, max_cards)

    kept = simulate(habit)
    current = current_habit(own, habit)
    expected = kept if current == habit else simulate(current)
    max_cards = min(max(_CARD_DAYS // max(days, 1), _MIN_CARDS), MAX_CARDS)
    needed = simulate(replace(habit, answers=_UNLIMITED), max_cards) if kept.short else kept
    new = new_items_per_day(len(unmet) + own.new_today, days, plan.rest)
    due = round(needed.due)
    return Outlook(
        plan=plan,
        zone=zone,
        today=today,
        ready=readiness(bank, cards, now),
        curve=expected.curve,
        kept=kept.ready,
        sections=_section_outlooks(bank, cards, expected, now),
        new=new,
        due=due,
        takes=math.ceil((new + due) * own.seconds / 60),
        pace_kept=own.kept,
        pace_days=own.days,
        share=left_today(plan, bank, cards, own, zone, now, hidden),
    )


def current_habit(own: Pace, planned: Habit) -> Habit:
    """Return how a member practises now, given one more day as planned to soften the start.

    Without a past they practise as planned.
    """
    if own.days == 0:
        return planned
    return replace(
        planned,
        kept=min((own.kept + 1) / (own.days + 1), 1),
        answers=(own.answers * own.kept + planned.answers) / (own.kept + 1),
    )


def _card_states(
    bank: Bank,
    cards: Mapping[str, MemoryCard],
    section_index: Mapping[str, int],
    zone: str,
    now: datetime,
    hidden: Collection[str],
) -> tuple[CardState, ...]:
    """Return the cards for the forecast, the longest due first. Hidden ones are never due."""
    today = local_date(zone, now)
    return tuple(
        CardState(
            section=section_index[bank.topic_of(bank.asked[item_id]).section_id],
            stability=card.stability,
            difficulty=card.difficulty,
            seen=max((now - card.last_review_at).days, 0),
            due=LAST + 1 if item_id in hidden else (back_on(card, zone, today) - today).days,
            missed=card.last_missed,
        )
        for item_id, card in sorted(cards.items(), key=lambda pair: pair[1].due_at)
    )


def _section_outlooks(
    bank: Bank, cards: Mapping[str, MemoryCard], expected: Forecast, now: datetime
) -> tuple[SectionOutlook, ...]:
    """Return the outlook of each section that has items."""
    outlooks = []
    for section, then in zip(bank.sections, expected.sections, strict=True):
        ids = [item.id for topic in section.topics for item in topic.items]
        known = sum(
            memory_rules.readiness(cards[item_id], now) for item_id in ids if item_id in cards
        )
        if ids:
            outlooks.append(SectionOutlook(section.title, known / len(ids), then / len(ids)))
    return tuple(outlooks)
