"""Forecasts how much of a plan's goal a member will know: from expected recall, day by day.

Nothing is random, and nobody's answers are simulated: a question takes as many answers as it takes on
average, and afterwards has the stability that it has on average. Days are counted from now.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from fsrs import Rating, State
from msgspec import Struct
from msgspec.structs import replace

from bot.memory.model import MemoryCard, Plan
from bot.memory.progress import Knowledge
from bot.memory.rules import days_away, recall_after, review
from bot.memory.today import FIRST_QUESTIONS, DayFacts, today
from bot.plan.checks import checks_of
from bot.plan.model import Outlook, Range, SectionOutlook
from bot.plan.rules import (
    expected_answers,
    goal_topics,
    items_in_order,
    pace,
    topics_in_order,
)
from bot.questions.areas import area_title, is_asked

_CURVE_POINTS = 12
"""Points of a curve after the first."""
_TYPICAL_DIFFICULTY = 5.0
"""The middle of FSRS's scale from 1 to 10."""
_STEPS = 5
"""Stabilities are rounded to this fraction of a factor of e, so that a review is computed once."""
_AT = datetime(2000, 1, 1, tzinfo=UTC)


class Met(NamedTuple):
    """An item met before: its section's index, stability, and days since the last answer.

    It is asked again in `due` days; None if it must not be asked. `missed`: the last answer was a
    miss, so it isn't known until it is asked again.
    """

    section: int
    stability: float
    seen: int
    due: int | None
    missed: bool


class Unmet(NamedTuple):
    """An item never met: its section's index, and how probable it is that the member knows it, and
    that their first answer is right.
    """

    section: int
    known: float
    right: float


class Forecast(Struct, frozen=True):
    """Points of (day, share known), and the number of items known by section, now and at the end."""

    curve: tuple[tuple[int, float], ...]
    now: tuple[float, ...]
    then: tuple[float, ...]


def forecast(
    met: Sequence[Met],
    unmet: Sequence[Unmet],
    sections: int,
    answers: float,
    days: int,
    done: int = 0,
) -> Forecast:
    """Forecast days with so many answers each: due items first, then unmet ones in their order.

    `done` questions were answered today already.
    """
    state = list(met)
    new = deque(unmet)
    due: dict[int, list[int]] = {}
    for n, item in enumerate(met):
        if item.due is not None:
            due.setdefault(max(item.due, 0), []).append(n)
    waiting: deque[int] = deque()
    room = -float(done)
    shown = {round(days * n / _CURVE_POINTS) for n in range(1, _CURVE_POINTS + 1)} - {0}
    now = then = _known(state, new, sections, 0)
    curve = [(0, sum(now))]
    for day in range(days):
        waiting.extend(due.pop(day, ()))
        room = min(room, 0.0) + answers
        while room > 0 and (waiting or new):
            if waiting:
                n = waiting.popleft()
                rounded = round(_STEPS * math.log(state[n].stability))
                recall, stability = _after_review(rounded, day + state[n].seen)
            else:
                n = len(state)
                first = new.popleft()
                recall, stability = first.right, _after_first(first.right)
                state.append(Met(first.section, stability, -day, None, missed=False))
            room -= 2 - recall  # a miss is asked again on the same day
            state[n] = Met(state[n].section, stability, -day, None, missed=False)
            due.setdefault(day + max(round(stability), 1), []).append(n)
        if day + 1 in shown:
            then = _known(state, new, sections, day + 1)
            curve.append((day + 1, sum(then)))
    items = max(len(met) + len(unmet), 1)
    return Forecast(tuple((day, known / items) for day, known in curve), tuple(now), tuple(then))


def _known(met: Sequence[Met], unmet: Iterable[Unmet], sections: int, day: int) -> list[float]:
    """Return how many items of each section are known on a day."""
    found = [0.0] * sections
    for item in met:
        if not item.missed:
            found[item.section] += recall_after(day + item.seen, item.stability)
    for new in unmet:
        found[new.section] += new.known
    return found


@lru_cache(maxsize=8192)
def _after_review(rounded: int, days: int) -> tuple[float, float]:
    """Return recall after so many days, and the mean stability after a review then.

    The mean is that of logarithms. A missed item is answered once more on the same day.
    """
    stability = math.exp(rounded / _STEPS)
    card = MemoryCard(
        State.Review, None, stability, _TYPICAL_DIFFICULTY, _AT, _AT - timedelta(days=days), True
    )
    recall = recall_after(days, stability)
    return recall, _mean(recall, review(card, Rating.Good, _AT), review(card, Rating.Again, _AT))


def _after_first(right: float) -> float:
    """Return the mean stability after the first day of an item."""
    return _mean(right, review(None, Rating.Good, _AT), review(None, Rating.Again, _AT))


def _mean(right: float, known: MemoryCard, missed: MemoryCard) -> float:
    again = review(missed, Rating.Good, _AT + timedelta(minutes=10))
    return math.pow(known.stability, right) * math.pow(again.stability, 1 - right)


def build_outlook(plan: Plan, facts: DayFacts) -> Outlook:
    """Return the outlook of a member's plan."""
    known, day = facts.known, today(replace(facts, plan=plan))
    own = pace([answer.at for answer in facts.practised], plan.set_on, known.zone, known.now)
    topics = goal_topics(known.bank, plan)
    ordered = topics_in_order(topics, known)
    sections = list(dict.fromkeys(topic.section_id for topic in topics))
    place = {item.id: sections.index(topic.section_id) for topic in topics for item in topic.items}
    met = _met(known, place)
    unmet = [
        Unmet(
            section=place[item.id],
            known=known.knows(item),
            right=known.ability.answers_right(item, sections[place[item.id]]),
        )
        for item in items_in_order(ordered, known)
    ]
    days = max((plan.day - known.today).days, 0)
    answers = expected_answers(own, day.limit or FIRST_QUESTIONS)
    expected = forecast(met, unmet, len(sections), answers, days, day.done)
    with_twice = forecast(met, unmet, len(sections), 2 * answers, days, day.done)
    items = Counter(place.values())
    then, twice = expected.curve[-1][1], with_twice.curve[-1][1]
    return Outlook(
        plan=plan,
        today=day,
        goal=area_title(known.bank, plan.goal),
        is_asked=is_asked(known.bank, plan.goal),
        unseen=Range(expected.curve[0][1], expected.curve[0][1]),
        remembered=None,
        asked=len(met),
        items=len(place),
        then=Range(then, then),
        twice=Range(twice, twice) if twice > then else None,
        curve=tuple((day, share, share) for day, share in expected.curve),
        sections=tuple(
            SectionOutlook(
                title=known.bank.section_titles[section_id],
                now=expected.now[n] / items[n],
                then=expected.then[n] / items[n],
            )
            for n, section_id in enumerate(sections)
        ),
        topics=len(topics),
        checked=0,
        checks=checks_of(plan, known),
        pace=own,
    )


def _met(known: Knowledge, place: Mapping[str, int]) -> list[Met]:
    """Return those items of a goal that a member has met, the longest due first.

    `place` has the index of each item's section.
    """
    cards = [(item_id, card) for item_id, card in known.cards.items() if item_id in place]
    return [
        Met(
            section=place[item_id],
            stability=card.stability,
            seen=max((known.now - card.last_review_at).days, 0),
            due=days_away(card, known.zone, known.now) if known.may_ask(item_id) else None,
            missed=card.last_missed,
        )
        for item_id, card in sorted(cards, key=lambda pair: pair[1].due_at)
    ]
