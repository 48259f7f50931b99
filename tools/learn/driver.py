"""Drives the bot's own rules in process, as `bot/practice/service.py` does, without a database."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from fsrs import Rating
from msgspec.structs import replace

from bot.answers.rules import rate, slow_in_practice
from bot.members.model import Streak
from bot.memory.model import MemoryCard, Plan, Practised
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.memory.today import WINDOW, DayFacts
from bot.plan.checks import choose_checks
from bot.plan.forecast import build_outlook
from bot.plan.model import Outlook
from bot.practice.model import Kind, Practice, PracticeQuestion
from bot.practice.rules import NextStep, Snapshot, Wanted, ask_next, begin
from bot.questions.answers import encode_order
from bot.questions.areas import ALL
from tools.learn.orders import Answer, Scenario
from tools.learn.truths import Learner
from tools.learn.world import World

START = datetime(2027, 1, 4, tzinfo=UTC)
USER = 1


class Ours:
    """The order of `/practice`: the day's questions, then more, until the minutes are over."""

    def __init__(self, world: World, learner: Learner, scenario: Scenario, seed: int) -> None:
        self._world = world
        self._rng = random.Random(f"choices of {seed}")
        self.plan = self._set_plan(scenario.days, scenario.minutes)
        self._cards: dict[str, MemoryCard] = {}
        self._practised: list[Practised] = []
        self._before: dict[str, bool] = {}
        self._asked: list[PracticeQuestion] = []
        self._practice: Practice | None = None

    def _set_plan(self, days: int, minutes: int) -> Plan:
        """Make the plan that `bot.plan.service.Plans.set` makes for a newcomer, for everything."""
        return Plan(
            user_id=USER,
            day=(START + timedelta(days=days)).date(),
            week=(minutes,) * 7,
            set_on=START.date(),
            goal=ALL,
            checks=choose_checks(self._world.pool, ALL, (), days, self._rng),
        )

    def outlook(self, moment: float) -> Outlook:
        """Return what the page of the plan says."""
        return build_outlook(self.plan, self._facts(_at(moment)))

    def _facts(self, now: datetime) -> DayFacts:
        known = Knowledge(self._world.pool, self._cards, frozenset(), "UTC", now)
        since = known.midnight - WINDOW
        while self._practised and self._practised[0].at < since:
            del self._practised[0]
        plan = None if self.plan.is_over(known.today) else self.plan
        facts = DayFacts(known, self._practised, self._before, None, (), Streak(), may_remind=False)
        return facts.with_plan(plan)

    def begin(self, moment: float) -> None:
        self._practice, self._asked, self._before = None, [], {}

    def next(self, moment: float) -> str | None:
        now = _at(moment)
        snapshot = Snapshot(USER, self._practice, self._asked, self._facts(now), ())
        if self._practice is None:
            step = self._begin(snapshot, Kind.DAY, now)
        else:
            step = ask_next(snapshot, self._practice, self._rng)
        if step.item is None:
            step = self._begin(snapshot, Kind.MORE, now)
        if step.item is None:
            return None
        assert self._practice is not None
        item = step.item
        self._asked.append(
            PracticeQuestion(
                id=len(self._asked) + 1,
                practice_id=self._practice.id,
                number=len(self._asked) + 1,
                item_id=item.id,
                item_mark=item.mark,
                choice_order=encode_order(step.order),
                expected=step.expected,
                once_more=step.once_more,
                ends_day=step.ends_day,
                asked_at=now,
            )
        )
        return item.id

    def _begin(self, snapshot: Snapshot, kind: Kind, now: datetime) -> NextStep:
        number = 1 if self._practice is None else self._practice.id + 1
        self._practice, self._asked = Practice(number, USER, kind, None, None, now, None), []
        return begin(snapshot, Wanted(kind), self._rng)

    def answered(self, answer: Answer) -> None:
        now, item_id = _at(answer.moment), answer.item_id
        slow = slow_in_practice(self._world.pool.asked[item_id])
        rating = rate(answer.right and not answer.guessed, int(750 * answer.seconds), slow)
        card = self._cards.get(item_id)
        if card is not None and card.last_review_at.date() < now.date():
            self._before[item_id] = card.last_missed
        self._cards[item_id] = review(card, rating, now)
        self._practised.append(Practised(now, item_id, rating == Rating.Again))
        self._asked[-1] = replace(
            self._asked[-1], answer="", correct=answer.right, answered_at=now, rating=rating
        )


def _at(moment: float) -> datetime:
    return START + timedelta(days=moment)
