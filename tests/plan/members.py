"""Simulated members with five kinds of habits, whose cards the package `fsrs` keeps.

`python -m tests.plan.members` simulates 200 and prints, by kind, how far forecasts are from what
the members know on the day. The mean error must stay below five points.
"""

from __future__ import annotations

import math
import random
import sys
from collections import defaultdict, deque
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from statistics import fmean

from fsrs import Rating

from bot.answers.rules import rate
from bot.memory import rules as memory
from bot.memory.ability import FEWEST_ANSWERS, logistic, with_guessing
from bot.memory.progress import Knowledge
from bot.memory.rules import MemoryCard, recall, review
from bot.plan import rules
from bot.plan.cards import Outlook
from bot.plan.outlook import Situation, build_outlook, choose_topics
from bot.plan.rules import Plan
from bot.plan.service import Course
from bot.practice.rules import Answered
from bot.questions.areas import ALL
from bot.questions.model import Bank, Item
from tests.shipped import packs

START = datetime(2027, 1, 4, 18, tzinfo=UTC)
ALWINA = 101
READING = 12
"""Seconds that a member takes to read why."""
FUTURES = 3
KINDS = ("steady", "strong", "struggling", "often away", "slow")


@dataclass
class Habits:
    """A member's mean ability, speed, and rate of forgetting.

    They practise on these `weekdays`, but for a share of `missed` days. `minutes` are those that
    they really practise, relative to the plan's.
    """

    ability: float
    weekdays: frozenset[int] = frozenset(range(7))
    missed: float = 0.0
    minutes: float = 1.0
    fade: float = 1.0
    seconds: float = 22.0


def habits_of(kind: str, rng: random.Random) -> Habits:
    """Return the habits of a member of a kind."""
    match kind:
        case "strong":
            return Habits(rng.gauss(1.3, 0.3), fade=rng.uniform(0.5, 1), seconds=15)
        case "struggling":
            return Habits(rng.gauss(-1.3, 0.3), missed=0.1, fade=rng.uniform(1.2, 2))
        case "often away":
            weekdays = frozenset(rng.sample(range(7), rng.randint(2, 4)))
            return Habits(rng.gauss(0, 0.5), weekdays, missed=0.1)
        case "slow":
            return Habits(rng.gauss(0, 0.5), minutes=rng.uniform(0.5, 0.8), seconds=55)
        case _:
            return Habits(rng.gauss(0, 0.7))


@dataclass
class Member:
    """A member with a plan, simulated day by day by the package.

    `abilities` are the true ones by section, `difficulties` the true ones by item id.
    """

    plan: Plan
    habits: Habits
    bank: Bank
    rng: random.Random
    abilities: dict[str, float]
    difficulties: dict[str, float]
    cards: dict[str, MemoryCard] = field(default_factory=dict)
    answers: list[Answered] = field(default_factory=list)
    shares: dict[date, int] = field(default_factory=dict)

    def copy(self, number: int) -> Member:
        """Return a copy whose luck differs from now on."""
        return replace(
            self,
            cards=dict(self.cards),
            answers=list(self.answers),
            shares=dict(self.shares),
            rng=random.Random(self.rng.getrandbits(32) + number),
        )

    def knowledge(self, now: datetime) -> Knowledge:
        return Knowledge(self.bank, dict(self.cards), set(), "UTC", now)

    def situation(self, now: datetime) -> Situation:
        latest = [a for a in self.answers[-rules.MAX_ANSWERS :] if a.at > now - rules.WINDOW]
        return Situation(self.knowledge(now), latest, shares=self.shares)

    def outlook(self, now: datetime) -> Outlook:
        return build_outlook(self.plan, self.situation(now))

    def simulate_day(self, day: int) -> None:
        """Skip a day, or ask due items, then the plan's new ones, until the time is over."""
        now = START + timedelta(days=day, hours=self.rng.uniform(-3, 3))
        if now.weekday() not in self.habits.weekdays or self.rng.random() < self.habits.missed:
            return
        end = now + timedelta(minutes=self.plan.minutes * self.habits.minutes)
        course = Course(self.plan, self.situation(now).answers)
        known = self.knowledge(now)
        due, early = map(deque, course.split_due(known, known.due(), ()))
        new, left = course.new_items(known), course.new_left(known)
        self.shares[now.date()] = course.share(known).whole
        retries: deque[tuple[datetime, str]] = deque()
        while now < end:
            if retries and retries[0][0] <= now:
                item_id = retries.popleft()[1]
            elif due:
                item_id = due.popleft()
            elif left and (item := next(new, None)) is not None:
                left -= 1
                item_id = item.id
            elif retries:
                item_id = retries.popleft()[1]
            elif early:
                item_id = early.popleft()
            else:
                break
            seconds = self.habits.seconds * self.rng.lognormvariate(0, 0.4)
            now += timedelta(seconds=seconds)
            if not self.answer(item_id, now, seconds):
                retries.append((now + memory.STEPS[0], item_id))
            now += timedelta(seconds=READING)

    def knows(self, item: Item) -> float:
        """Return the probability that they know an item that they have never met."""
        section_id = self.bank.topic_of(item).section_id
        return logistic(self.abilities[section_id] - self.difficulties[item.id])

    def answer(self, item_id: str, now: datetime, seconds: float = 20) -> bool:
        before, item = self.cards.get(item_id), self.bank.asked[item_id]
        if before is None:
            chance = with_guessing(self.knows(item), item.guessing)
        else:
            chance = recall(before, now) ** self.habits.fade
        right = self.rng.random() < chance
        rating = rate(right, int(seconds * 1000), 75_000)
        self.cards[item_id] = review(before, rating, now)
        self.answers.append(Answered(item_id, now, before is None, rating))
        return right

    def known(self, at: datetime) -> float:
        """Return the share of the plan's items that they know: seen ones as FSRS says, others truly.

        An item missed last is not known, and without enough answers in its section, nor is one that
        they have never met.
        """
        answered: dict[str, int] = defaultdict(int)
        for item_id in self.cards:
            answered[self.bank.topic_of(self.bank.asked[item_id]).section_id] += 1
        last = {a.item_id: a.rating for a in self.answers}
        items = [i for t in rules.covered_topics(self.bank, self.plan) for i in t.items]
        known = []
        for item in items:
            card = self.cards.get(item.id)
            if card is not None:
                known.append(0.0 if last[item.id] == Rating.Again else recall(card, at))
            elif answered[self.bank.topic_of(item).section_id] >= FEWEST_ANSWERS:
                known.append(self.knows(item))
            else:
                known.append(0.0)
        return fmean(known)


def make_member(seed: int, bank: Bank | None = None) -> Member:
    """Return a member with a plan whose topics are chosen, of a kind that changes with the seed."""
    rng = random.Random(seed)
    bank = bank or packs()
    habits = habits_of(KINDS[seed % len(KINDS)], rng)
    set_on = START.date()
    days, minutes = rng.randint(14, 70), rng.choice([10, 15, 20, 30])
    plan = Plan(ALWINA, set_on + timedelta(days=days), minutes, set_on, 0, ALL, "")
    difficulty = random.Random(0)
    member = Member(
        plan,
        habits,
        bank,
        rng,
        abilities={s.id: rng.gauss(habits.ability, 0.5) for s in bank.sections},
        difficulties={
            i.id: i.expected_difficulty + difficulty.gauss(0, 0.6) for i in bank.asked.values()
        },
    )
    member.plan, _ = choose_topics(plan, member.situation(START - timedelta(hours=4)))
    return member


def forecast_and_truth(
    seed: int, bank: Bank | None = None, futures: int = FUTURES
) -> tuple[float, float]:
    """Return what the plan expects on some day in the middle, and what is known on the last.

    The latter is the mean of several futures, because the luck of one can't be foreseen.
    """
    member = make_member(seed, bank)
    days = (member.plan.day - member.plan.set_on).days
    check_day = member.rng.randint(math.ceil(days / 4), 3 * days // 4)
    for day in range(check_day):
        member.simulate_day(day)
    expected = member.outlook(START + timedelta(days=check_day, hours=-4)).expected
    known = []
    for number in range(futures):
        future = member.copy(number)
        for day in range(check_day, days):
            future.simulate_day(day)
        known.append(future.known(START + timedelta(days=days, hours=-4)))
    return expected, fmean(known)


def main(members: int) -> None:
    errors = defaultdict(list)
    for seed in range(members):
        expected, truth = forecast_and_truth(seed)
        errors[KINDS[seed % len(KINDS)]].append(100 * (expected - truth))
    for kind, found in errors.items():
        print(
            f"{kind}: mean error {fmean(map(abs, found)):.1f} points, bias {fmean(found):+.1f}, "
            f"worst {min(found):+.0f} and {max(found):+.0f}"
        )
    mean = fmean(abs(error) for found in errors.values() for error in found)
    print(f"all: mean error {mean:.1f} points")
    if mean >= 5:
        sys.exit("that is too far off")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
