"""Check questions: a sample of a plan's goal, kept unseen until the plan's last third.

The share of them that is right at first tells how much a member would know of what they have never
met. A first answer counts wherever it was given.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Collection, Container, Iterable
from datetime import timedelta
from statistics import fmean

from bot.memory.model import Plan
from bot.memory.progress import Knowledge
from bot.memory.today import DayFacts
from bot.plan.model import Checks
from bot.questions.areas import topics_of
from bot.questions.model import Bank, Item, Topic

MOST_CHECKS = 20
MOST_A_DAY = 2
"""At most so many for each day of a plan, so that short ones teach, too."""
ONE_IN = 5
"""At most one of so many new questions of a goal is kept."""


def choose_checks(
    bank: Bank, goal: str, cards: Container[str], days: int, rng: random.Random
) -> tuple[str, ...]:
    """Draw items of a goal that a member has never met, for so many days, in the order to ask them.

    Topics are drawn in proportion to their weight, each once before any comes twice; levels are
    spread as in all of the goal that the member has never met.
    """
    unmet = {t.id: [i for i in t.items if i.id not in cards] for t in topics_of(bank, goal)}
    topics = [bank.topics[topic_id] for topic_id, items in unmet.items() if items]
    left = min(MOST_CHECKS, MOST_A_DAY * days, sum(map(len, unmet.values())) // ONE_IN)
    whole = sum(topic.weight for topic in topics)
    missing: dict[int, float] = defaultdict(rng.random)  # so that no level is always rounded down
    for topic in topics:
        for item in unmet[topic.id]:
            missing[item.difficulty] += left * topic.weight / len(unmet[topic.id]) / whole
    fitting = {
        topic_id: [i for i in rng.sample(items, len(items)) if i.kind == "choice"]
        for topic_id, items in unmet.items()
    }
    chosen: list[str] = []
    while drawn := _draw([topic for topic in topics if fitting[topic.id]], left, rng):
        for topic in rng.sample(drawn, len(drawn)):
            item = max(fitting[topic.id], key=lambda item: missing[item.difficulty])
            fitting[topic.id].remove(item)
            missing[item.difficulty] -= 1
            chosen.append(item.id)
        left -= len(drawn)
    rng.shuffle(chosen)
    return tuple(chosen)


def _draw(topics: Iterable[Topic], count: int, rng: random.Random) -> list[Topic]:
    """Draw different topics, each with a probability in proportion to its weight.

    Where that says 1 or more, a topic is drawn for sure. The others lie in a row, each as long as its
    weight, and the draws hit it at equal distances.
    """
    row = sorted(topics, key=lambda topic: (-topic.weight, rng.random()))
    length, drawn = sum(topic.weight for topic in row), list[Topic]()
    while row and (count - len(drawn)) * row[0].weight >= length:
        length -= row[0].weight
        drawn.append(row.pop(0))
    distance, count = length, count - len(drawn)
    at = rng.randrange(distance) if row else 0
    for topic in row:
        at -= count * topic.weight
        if at < 0:
            drawn.append(topic)
            at += distance
    return drawn


def todays_check(facts: DayFacts, in_play: Collection[str]) -> Item | None:
    """Return the check question to ask next on a day; None if its part of them was asked.

    It is an equal part of those that are left for each of the days until the interview.
    """
    plan, known = facts.plan, facts.known
    if plan is None or not plan.is_last_third(known.today):
        return None
    left = [i for i in plan.checks if i in known.unmet]
    days = sum(
        plan.minutes_on(known.today + timedelta(days=n)) > 0
        for n in range((plan.day - known.today).days)
    )
    if not left or not days:
        return None
    done = {a.item_id for a in facts.practised if a.at >= known.midnight}
    done &= {i for i in plan.checks if i not in facts.missed_before}
    if len(done) >= -(-(len(left) + len(done)) // days):
        return None
    return next((known.bank.asked[i] for i in left if i not in in_play), None)


def check_place(plan: Plan | None, known: Knowledge, item_id: str) -> tuple[int, int] | None:
    """Return a check question's place among all of its plan; None for any other question."""
    if plan is None or not plan.is_last_third(known.today):
        return None
    if item_id not in plan.checks or item_id in known.cards:
        return None
    asked = [i for i in plan.checks if i in known.bank.asked]
    return sum(i in known.cards for i in asked) + 1, len(asked)


def checks_of(plan: Plan, known: Knowledge) -> Checks | None:
    """Return how a plan's check questions went; None before its last third, or before an answer."""
    asked = [known.bank.asked[i] for i in plan.checks if i in known.bank.asked]
    answered = [item for item in asked if item.id in known.cards]
    if not answered or not plan.is_last_third(known.today):
        return None
    return Checks(
        right=sum(known.cards[item.id].first_right for item in answered),
        answered=len(answered),
        total=len(asked),
        guessing=fmean(item.guessing for item in answered),
    )
