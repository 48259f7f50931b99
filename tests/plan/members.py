"""Simulated members with habits of their own, whose cards the package `fsrs` keeps.

`python -m tests.plan.members` simulates 200 and compares forecasts with results. The mean error
must stay below five points.
"""

from __future__ import annotations

import random
import sys
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import fsrs
from fsrs import Rating

from bot.answers.rules import rate
from bot.memory import rules as memory
from bot.memory.rules import SCHEDULER, MemoryCard, due_items, recall, review
from bot.plan import rules
from bot.plan.cards import Outlook
from bot.plan.outlook import build_outlook
from bot.plan.rules import Plan
from bot.practice.rules import Answered
from bot.questions.model import Bank
from tests.banks import small_bank

START = datetime(2027, 1, 4, 18, tzinfo=UTC)
ALWINA = 101


@dataclass
class Habits:
    """Habits: share of days kept, minutes a day, share of new items known, rate of forgetting,
    speed."""

    kept: float
    minutes: int
    first: float
    fade: float
    seconds: float


@dataclass
class Member:
    """A member with a plan, simulated day by day by the package."""

    plan: Plan
    habits: Habits
    bank: Bank
    rng: random.Random
    cards: dict[str, MemoryCard] = field(default_factory=dict)
    answers: list[Answered] = field(default_factory=list)

    def outlook(self, now: datetime) -> Outlook:
        return build_outlook(self.plan, self.bank, self.cards, self.latest_answers(now), "UTC", now)

    def latest_answers(self, now: datetime) -> list[Answered]:
        return [a for a in self.answers[-rules.MAX_ANSWERS :] if a.at > now - rules.WINDOW]

    def simulate_day(self, day: int) -> None:
        """Skip a day, or ask due items, then the plan's new ones, until the time is over."""
        if self.rng.random() >= self.habits.kept:
            return
        now = START + timedelta(days=day, hours=self.rng.uniform(-3, 3))
        end = now + timedelta(minutes=self.habits.minutes)
        due = deque(due_items(self.cards, "UTC", now))
        own = rules.pace(self.latest_answers(now), self.plan.set_on, "UTC", now)
        unmet = len(self.bank.asked) - len(self.cards)
        new = rules.share_of_today(self.plan, unmet, len(due), own, now.date()).new
        new_items = iter(
            [item.id for item in rules.items_in_order(self.bank, self.cards, now)][:new]
        )
        retries: deque[tuple[datetime, str]] = deque()
        while now < end:
            if retries and retries[0][0] <= now:
                item_id = retries.popleft()[1]
            elif due:
                item_id = due.popleft()
            elif (first := next(new_items, None)) is not None:
                item_id = first
            elif retries:
                item_id = retries.popleft()[1]
            else:
                break
            seconds = self.habits.seconds * self.rng.lognormvariate(0, 0.4)
            now += timedelta(seconds=seconds)
            if not self.answer(item_id, now, seconds):
                retries.append((now + memory.STEPS[0], item_id))
            now += timedelta(seconds=rules.READING)

    def answer(self, item_id: str, now: datetime, seconds: float) -> bool:
        before = self.cards.get(item_id)
        chance = self.habits.first if before is None else recall(before, now) ** self.habits.fade
        right = self.rng.random() < chance
        rating = rate(right, int(seconds * 1000), 75_000)
        self.cards[item_id] = review(before, rating, now)
        self.answers.append(Answered(item_id, now, before is None, rating, int(seconds * 1000)))
        return right

    def known(self, at: datetime) -> float:
        """Return the share of the bank that they know according to the package, missed items
        excluded."""
        total = 0.0
        last = {a.item_id: a.rating for a in self.answers}
        for item_id, card in self.cards.items():
            if last[item_id] == Rating.Again:
                continue
            packed = fsrs.Card(
                card_id=1,
                stability=card.stability,
                last_review=card.last_review_at,
                state=card.state,
            )
            total += SCHEDULER.get_card_retrievability(packed, at)
        return total / len(self.bank.asked)


def make_member(seed: int, topics: int = 60) -> tuple[Member, int]:
    """Return a member, and the day when their forecast is checked."""
    rng = random.Random(seed)
    days = rng.randint(14, 70)
    minutes = rng.choice([5, 10, 15, 20, 30])
    habits = Habits(
        kept=rng.choice([1.0, 0.9, rng.uniform(0.2, 1)]),
        minutes=max(4, round(minutes * rng.choice([1, 1, rng.uniform(0.5, 1.5)]))),
        first=rng.uniform(0.3, 0.9),
        fade=rng.uniform(0.4, 2.2),
        seconds=rng.uniform(20, 70),
    )
    set_on = START.date()
    plan = Plan(ALWINA, set_on + timedelta(days=days), minutes, set_on, 0)
    return Member(plan, habits, small_bank(topics), rng), rng.randint(days // 4, 3 * days // 4)


def forecast_and_truth(seed: int, topics: int = 60) -> tuple[float, float]:
    """Return what the plan expects on some day, and what the package says on the last."""
    member, check_day = make_member(seed, topics)
    days = (member.plan.day - member.plan.set_on).days
    expected = 0.0
    for day in range(days):
        if day == check_day:
            expected = member.outlook(START + timedelta(days=day, hours=-4)).expected
        member.simulate_day(day)
    return expected, member.known(START + timedelta(days=days, hours=-4))


def main(members: int) -> None:
    found = [forecast_and_truth(seed) for seed in range(members)]
    errors = sorted(100 * (expected - truth) for expected, truth in found)
    mean = sum(map(abs, errors)) / len(errors)
    bias = sum(errors) / len(errors)
    print(f"{members} members: mean error {mean:.1f} points, bias {bias:+.1f}")
    if mean >= 5:
        sys.exit("that is too far off")
    print(f"worst {errors[0]:+.0f} and {errors[-1]:+.0f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
