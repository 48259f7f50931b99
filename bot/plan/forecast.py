"""The share of questions never asked that a member would know, now and on a plan's day.

A question that is answered adds ability in its topic, as in `bot.memory.ability`. How many will be
answered follows from the member's habits. Nothing is random, and nobody's answers are simulated.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from heapq import heapify, heappop, heappush

from msgspec import Struct

from bot.memory.ability import REPEATED, growth, left_after, logistic, mean_left
from bot.memory.gain import lesson
from bot.memory.model import Plan
from bot.memory.progress import Knowledge
from bot.memory.today import DayFacts, seconds_a_question, today
from bot.plan.checks import checks_of
from bot.plan.model import Outlook, Pace, Range, SectionOutlook
from bot.plan.rules import ODDS, error_of, goal_topics, pace, shift_of
from bot.questions.areas import area_title, is_asked
from bot.questions.model import Topic

_CURVE_POINTS = 6
"""Points of a curve after the first."""
_KEPT, _KEPT_DAYS = 0.75, 3
"""Of a member without habits: the part of what is planned that they will answer, as if so many days
had shown it."""
_CLEAR = 0.25
"""The widest range that allows to say anything of single sections."""
_SAME = 0.03
"""A smaller gain is none."""


class _Future(Struct, frozen=True, dict=True):
    """The knowledge of a goal's topics until a plan's day.

    `order` has the topics of new questions, the next first. `planned` is how many questions fit into
    each day, `parts` the part of them that will be answered: at least, expected, and at most. `shift`
    is added to the ability, and `error` is how far it may be off.
    """

    known: Knowledge
    topics: Sequence[Topic]
    order: Sequence[str]
    planned: Sequence[float]
    parts: tuple[float, float, float]
    shift: float
    error: float

    def at(self, days: int, times: float = 1.0) -> Range:
        """Return the range of what is known in so many days, with so many times the minutes."""
        topics, answers = self.topics, times * sum(self.planned[:days])
        low, middle, high = (self.unseen(topics, days, answers * part) for part in self.parts)
        less, more = (
            self.unseen(topics, days, answers * self.parts[1], change)
            for change in (-self.error, self.error)
        )
        return Range(
            max(middle - math.hypot(middle - low, middle - less), 0.0),
            min(middle + math.hypot(high - middle, more - middle), 1.0),
        )

    def sections(self) -> Iterator[SectionOutlook]:
        """Yield what is expected to be known of each section, now and on the plan's day."""
        days, answers = len(self.planned), sum(self.planned) * self.parts[1]
        titles = self.known.bank.section_titles
        for section_id in dict.fromkeys(topic.section_id for topic in self.topics):
            topics = [topic for topic in self.topics if topic.section_id == section_id]
            yield SectionOutlook(
                title=titles[section_id],
                now=self.unseen(topics, 0, 0),
                then=self.unseen(topics, days, answers),
            )

    def unseen(
        self, topics: Sequence[Topic], days: float, answers: float, more: float = 0.0
    ) -> float:
        """Return the share of unseen questions that are known in so many days, with so many answers
        and so much more ability.
        """
        added = self._added(days, answers)
        more += self.shift
        ability = self.known.ability
        found = [(t.weight, ability.knows_of(t, more + added[t.id])) for t in topics]
        return sum(w * share for w, share in found) / (sum(w for w, _ in found) or 1)

    def _added(self, days: float, answers: float) -> Mapping[str, float]:
        """Return how much ability changes by topic."""
        new, lost = Counter(self.order[: round(answers)]), self._lost(days)
        again = max(answers - len(self.order), 0.0)
        items = sum(len(topic.items) for topic in self.topics)
        stays = mean_left(days)
        found = {}
        for topic in self.topics:
            repeated = REPEATED * again * len(topic.items) / items
            gained = growth(topic) * stays * (new[topic.id] + repeated)
            found[topic.id] = gained - lost[topic.id] * max(1 - again / items, 0.0)
        return found

    def _lost(self, days: float) -> Mapping[str, float]:
        """Return the ability that fades by topic, if nothing of it is asked again."""
        if days not in self._lost_after:
            self._lost_after[days] = {
                topic.id: growth(topic)
                * sum(left_after(n) - left_after(n + days) for n in self._passed[topic.id])
                for topic in self.topics
            }
        return self._lost_after[days]

    @cached_property
    def _lost_after(self) -> dict[float, Mapping[str, float]]:
        return {}

    @cached_property
    def _passed(self) -> Mapping[str, Sequence[int]]:
        """The days since the last answer to each item that the member has met, by topic."""
        cards, now = self.known.cards, self.known.now
        return {
            topic.id: [
                max((now - cards[item.id].last_review_at).days, 0)
                for item in topic.items
                if item.id in cards
            ]
            for topic in self.topics
        }


def build_outlook(plan: Plan, facts: DayFacts) -> Outlook:
    """Return the outlook of a member's plan."""
    facts = facts.with_plan(plan)
    known, day = facts.known, today(facts)
    topics = goal_topics(known.bank, plan)
    items = [item for topic in topics for item in topic.items]
    own = pace([answer.at for answer in facts.practised], plan.set_on, known.zone, known.now)
    checks = checks_of(plan, known)
    seconds = seconds_a_question(known.bank, facts.practised)
    future = _Future(
        known=known,
        topics=topics,
        order=tuple(_order(known, topics)),
        planned=tuple(_planned(plan, known.today, seconds, day.done)),
        parts=_parts(plan, own, known.today, seconds),
        shift=shift_of(topics, known, checks),
        error=error_of(known),
    )
    days = len(future.planned)
    shown = sorted({round(days * n / _CURVE_POINTS) for n in range(_CURVE_POINTS + 1)})
    curve = [(n, *future.at(n)) for n in shown]
    now, then, twice = Range(*curve[0][1:]), Range(*curve[-1][1:]), future.at(days, 2)
    met = [known.remembers(item.id) for item in items if item.id in known.cards]
    return Outlook(
        plan=plan,
        today=day,
        goal=area_title(known.bank, plan.goal),
        is_asked=is_asked(known.bank, plan.goal),
        unseen=now,
        remembered=sum(met) / len(met) if met else None,
        asked=len(met),
        items=len(items),
        then=then,
        twice=twice if met and twice.middle > then.middle + _SAME else None,
        curve=tuple(curve),
        sections=tuple(future.sections()) if now.high - now.low <= _CLEAR else (),
        topics=len(topics),
        checked=sum(map(known.has_most_points, topics)),
        checks=checks,
        pace=own,
        questions=round(sum(future.planned)),
    )


def _order(known: Knowledge, topics: Sequence[Topic]) -> Iterator[str]:
    """Yield the topics of a goal's new questions, about in the order of practice."""
    ability = known.ability.topics

    def worth(topic: Topic, met: int, new: int) -> float:
        unknown = 1 - logistic(ability[topic.id] + growth(topic) * new)
        return -lesson(topic, unknown, met + new)

    heap = []
    for n, topic in enumerate(topics):
        met = sum(item.id in known.cards for item in topic.items)
        if met < len(topic.items):
            heap.append((worth(topic, met, 0), n, met, 0))
    heapify(heap)
    while heap:
        _, n, met, new = heappop(heap)
        yield topics[n].id
        if met + new + 1 < len(topics[n].items):
            heappush(heap, (worth(topics[n], met, new + 1), n, met, new + 1))


def _planned(plan: Plan, today: date, seconds: float, done: int) -> Iterator[float]:
    """Yield how many questions fit into each day from today until the interview."""
    for n in range((plan.day - today).days):
        questions = 60 * plan.minutes_on(today + timedelta(days=n)) / seconds
        yield max(questions - done, 0.0) if n == 0 else questions


def _parts(plan: Plan, own: Pace, today: date, seconds: float) -> tuple[float, float, float]:
    """Return the part of what is planned that a member will answer: at least, expected, and at most."""
    past = (today - timedelta(days=n + 1) for n in range(own.days))
    days = 7 * sum(map(plan.minutes_on, past)) / sum(plan.week)  # as if each had the usual minutes
    a_day = 60 * sum(plan.week) / 7 / seconds
    kept = min((own.answers / a_day + _KEPT * _KEPT_DAYS) / (days + _KEPT_DAYS), 1.0)
    error = ODDS * math.sqrt(max(kept * (1 - kept), 0.02) / (days + _KEPT_DAYS))
    return max(kept - error, 0.0), kept, min(kept + error, 1.0)
