"""Check questions: a sample of the goal that practice keeps until the last third of a plan."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from statistics import fmean

import pytest
from fsrs import Rating
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.model import Plan
from bot.memory.rules import review
from bot.plan.checks import MOST_CHECKS, checks_of, choose_checks
from bot.plan.model import Checks
from bot.practice.model import Kind
from bot.practice.rules import NextStep, Snapshot, Wanted, begin, trial_items
from bot.questions.areas import ALL, topics_of
from bot.questions.model import Bank, Item
from tests.banks import small_bank
from tests.memory.test_today import BANK, DAY, MINUTE, NOON, Member
from tests.shipped import bank

Place = tuple[int, int] | None
LONG = 30
"""Days of a plan that has as many checks as any."""


def weighted(number: int, weights: list[int]) -> Bank:
    """Return a small bank whose topics have these weights in turn."""
    small = small_bank(number)
    sections = tuple(
        replace(
            s,
            topics=tuple(
                replace(t, weight=weights[n % len(weights)]) for n, t in enumerate(s.topics)
            ),
        )
        for s in small.sections
    )
    return replace(small, sections=sections)


def chosen_of(source: Bank, seed: int) -> list[Item]:
    return [source.asked[i] for i in choose_checks(source, ALL, {}, LONG, random.Random(seed))]


@given(st.data())
def test_what_is_kept(data: st.DataObject) -> None:
    """New questions of the goal with one right choice, at most a fifth of its new ones and two for
    each day; each topic once before any comes twice."""
    weights = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=9))
    source = weighted(data.draw(st.integers(0, 40)), weights)
    met = {i for i in source.asked if data.draw(st.integers(0, 3)) == 0}
    goal = data.draw(st.sampled_from([ALL, "section:first", "topics:t1 t2 t3", "topics:gone"]))
    length = data.draw(st.integers(1, 20))
    kept = choose_checks(source, goal, met, length, random.Random(data.draw(st.integers(0, 99))))
    new = [i for t in topics_of(source, goal) for i in t.items if i.id not in met]
    fitting = {i.id: i.topic_id for i in new if i.kind == "choice"}
    most = min(MOST_CHECKS, 2 * length, len(new) // 5)
    assert len(set(kept)) == len(kept) == min(most, len(fitting))
    assert fitting.keys() >= set(kept)
    times = Counter(fitting[i] for i in kept)
    left = Counter(fitting.values()) - times
    assert max(times.values(), default=0) <= 1 + min((times[t] for t in left), default=99)


@given(st.integers(0, 10**6))
def test_topics_by_their_weight(seed: int) -> None:
    """So many of each weight as its share says, give or take less than one; if it says one or more
    of each topic, all."""
    source = weighted(60, [1, 2, 3])
    drawn = Counter(source.topic_of(item).weight for item in chosen_of(source, seed))
    for weight, number in drawn.items():
        assert abs(number - MOST_CHECKS * weight / 6) < 1
    # heavy ones for sure; the distance between draws is less than their weight
    source = weighted(60, [1, 2, 1, 2, 1, 2, 1, 2, 1, 30])
    drawn = Counter(source.topic_of(item).weight for item in chosen_of(source, seed))
    assert drawn[30] == 6
    assert abs(drawn[2] - 14 * 24 * 2 / (24 * 2 + 30)) < 1


def of_goal(source: Bank, figures: Mapping[str, float]) -> float:
    """Return the mean of the figures of all items, each topic with its weight."""
    topics = source.asked_topics.values()
    sums = (topic.weight * fmean(figures[i.id] for i in topic.items) for topic in topics)
    return sum(sums) / sum(topic.weight for topic in topics)


def test_they_are_drawn_like_the_goal() -> None:
    """Each time, they have the levels of the goal, give or take less than two; and on average the share
    of them that somebody knows is that of the goal, whatever they know."""
    source, rng = bank(), random.Random(1)
    draws = [chosen_of(source, seed) for seed in range(400)]
    drawn = [item for items in draws for item in items]
    rare = [t.id for t in source.asked_topics.values() if t.weight == 1][:2]
    assert any({*rare} <= {item.topic_id for item in items} for items in draws)  # neighbours, too
    for level in range(1, 6):
        has_level = {item.id: float(item.difficulty == level) for item in source.asked.values()}
        share = of_goal(source, has_level)
        for items in draws:
            assert abs(sum(has_level[item.id] for item in items) - MOST_CHECKS * share) < 2
        assert fmean(has_level[item.id] for item in drawn) == pytest.approx(share, abs=0.015)
    for _ in range(5):
        strong = {topic_id: rng.random() for topic_id in source.asked_topics}
        knows = {
            item.id: math.pow(strong[item.topic_id], item.difficulty / 2)
            for item in source.asked.values()
        }
        shown = fmean(knows[item.id] for item in drawn)
        assert shown == pytest.approx(of_goal(source, knows), abs=0.015)


# --- when they are asked


class Learner(Member):
    """Somebody with a plan, who practises by the bot's rules."""

    def __init__(self, length: int, week: tuple[int, ...] = (5,) * 7, seed: int = 1) -> None:
        checks = choose_checks(BANK, ALL, {}, length, random.Random(seed))
        day = NOON.date() + length * DAY
        self.of = Plan(1, day, week, NOON.date(), ALL, checks=checks)
        self.rng = random.Random(seed)
        super().__init__(plan=self.of)

    def snapshot(self, now: datetime) -> Snapshot:
        return Snapshot(1, None, (), self.facts(now), ())

    def step(self, now: datetime, wanted: Wanted) -> NextStep:
        return begin(self.snapshot(now), wanted, self.rng)

    def practise(self, now: datetime, data: st.DataObject) -> list[tuple[str, Place]]:
        """Do a day's practice, and return what was asked for the first time on it, with its label."""
        found = list[tuple[str, Place]]()
        while (step := self.step(now, Wanted())).item is not None:
            if not step.once_more:
                found.append((step.item.id, step.check))
            self.answer(now, step.item.id, missed=data.draw(st.booleans()))
            now += MINUTE / 2
        assert self.today(now).is_done or not found
        return found


@settings(max_examples=30)
@given(st.data())
def test_no_practice_asks_them_too_early(data: st.DataObject) -> None:
    """Whatever its kind, until the last third; but those missed in a round come back."""
    length = data.draw(st.integers(2, 30))
    ada = Learner(length)
    early = range(length - -(-length // 3))
    for n in sorted(data.draw(st.lists(st.sampled_from(early), max_size=3)) if early else []):
        now = NOON + n * DAY
        missed = data.draw(st.sets(st.sampled_from(ada.of.checks))) - ada.cards.keys()
        for item_id in missed:  # in a round
            ada.cards[item_id] = review(None, Rating.Again, now)
        assert missed <= {*ada.facts(now).known.repeats(within_days=1)}
        topic = BANK.asked[data.draw(st.sampled_from(ada.of.checks))].topic_id
        kinds = Wanted(), Wanted(Kind.MORE), Wanted(Kind.TOPIC, topic)
        for wanted in data.draw(st.permutations(kinds)):
            while (step := ada.step(now, wanted)).item is not None:
                assert step.item.id not in ada.of.checks or step.item.id in ada.cards
                assert step.check is None
                ada.answer(now, step.item.id)
                if wanted.kind != Kind.TOPIC and data.draw(st.booleans()):
                    break
        assert not {*trial_items(ada.snapshot(now), ada.rng)} & {*ada.of.checks}


@settings(max_examples=12)
@given(st.data())
def test_an_equal_part_of_them_each_day(data: st.DataObject) -> None:
    """On the days of the last third with practice: first, with their place, and all until the end."""
    length = data.draw(st.integers(2, 12))
    week = data.draw(st.tuples(*[st.sampled_from([0, 12, 15])] * 7))
    ada = Learner(length, week)
    total = len(ada.of.checks)
    left = list(range(length - -(-length // 3), length))
    left = [n for n in left if ada.of.minutes_on(NOON.date() + n * DAY)]
    asked = 0
    assert checks_of(ada.of, ada.facts(NOON).known) is None
    while left:
        now = NOON + left[0] * DAY
        for item_id in [i for i in ada.of.checks if i in ada.cards][:1]:  # on its own
            ada.answer(now, item_id)
        seen = ada.practise(now + MINUTE, data)
        part = math.ceil((total - asked) / len(left))
        places = [place for _, place in seen]
        assert places[:part] == [(asked + n + 1, total) for n in range(part)]
        assert {*places[part:]} <= {None}
        assert {item_id for item_id, _ in seen[:part]} <= {*ada.of.checks}
        assert not {item_id for item_id, place in seen if place} & {i for i, _ in seen[part:]}
        asked += part
        left.pop(0)
    last = ada.facts(NOON + length * DAY)
    assert (asked == total) is bool(ada.cards)
    assert not [i for i, place in ada.practise(NOON + length * DAY, data) if place]
    found = checks_of(ada.of, last.known)
    if found is not None:
        right = sum(ada.cards[i].first_right for i in ada.of.checks)
        assert (found.right, found.answered, found.total) == (right, total, total)


def test_what_they_tell() -> None:
    """First answers count, wherever they were given, without what chance would give."""
    ada = Learner(30)
    for n, item_id in enumerate(ada.of.checks[:8]):
        ada.answer(NOON, item_id, missed=n < 3)
        ada.answer(NOON + MINUTE, item_id, missed=n > 4)
    later = NOON + 25 * DAY
    assert checks_of(ada.of, ada.facts(NOON).known) is None
    found = checks_of(ada.of, ada.facts(later).known)
    assert found == Checks(right=5, answered=8, total=20, guessing=0.25)
    assert found.known == pytest.approx((5 / 8 - 1 / 4) / (1 - 1 / 4))
    assert found._replace(right=1).known == 0
    gone = replace(ada.of, checks=("gone", *ada.of.checks[:4]))
    assert checks_of(gone, ada.facts(later).known) == Checks(1, 4, 4, 0.25)
    assert checks_of(replace(ada.of, checks=()), ada.facts(later).known) is None
