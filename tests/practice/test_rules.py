"""The order of a day's questions."""

from __future__ import annotations

import random
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.memory.model import MemoryCard, OpenAnswer
from bot.practice.model import Kind
from bot.practice.rules import Snapshot, Wanted, begin
from bot.questions.model import Bank, Item, Topic
from tests.memory.test_today import BANK, DAY, HOUR, ITEMS, MINUTE, NOON, Member, plan

SEEDS = st.integers(0, 999)


class Learner(Member):
    """Somebody who practises by the bot's rules."""

    def __init__(self, seed: int = 1, days: int | None = None, goal: str = "all") -> None:
        self.rng = random.Random(seed)
        self.bank: Bank = BANK
        self.open_answers: dict[str, OpenAnswer] = {}
        super().__init__(plan=None if days is None else replace(plan(5, days), goal=goal))

    def snapshot(self, now: datetime) -> Snapshot:
        facts = self.facts(now)
        known = replace(facts.known, bank=self.bank, open_answers=self.open_answers)
        return Snapshot(1, None, (), replace(facts, known=known), ())

    def next(self, now: datetime, kind: str = Kind.DAY) -> Item | None:
        step = begin(self.snapshot(now), Wanted(kind), self.rng)
        return None if step.once_more else step.item

    def practise(self, now: datetime, *, missed: bool = False, most: int = 99) -> list[Item]:
        """Answer a day's questions, and return them in their order."""
        seen = list[Item]()
        while len(seen) < most and (item := self.next(now)) is not None:
            seen.append(item)
            self.answer(now, item.id, missed=missed)
            now += MINUTE / 2
        return seen


def lasting(now: datetime) -> MemoryCard:
    """Return a card of an item that nobody forgets."""
    ada = Member()
    ada.answer(now - 9 * DAY, ITEMS[0])
    return replace(ada.cards[ITEMS[0]], stability=9e5)


@given(SEEDS)
def test_one_that_was_missed_before_comes_first_once_a_day(seed: int) -> None:
    """Of several from one topic, one; then another topic comes. Today's misses wait for tomorrow."""
    ada = Learner(seed)
    for item in BANK.topics["t1"].items:
        ada.answer(NOON - DAY, item.id, missed=True)
    for name in ITEMS[20:28]:
        ada.answer(NOON - DAY, name)
    first, second = ada.practise(NOON, missed=True, most=2)
    assert first.topic_id == "t1" != second.topic_id
    assert ada.next(NOON + MINUTE) != first
    third = ada.next(NOON + DAY)
    assert third is not None
    assert ada.cards[third.id].missed


@given(SEEDS, st.integers(1, 4))
def test_what_an_open_answer_recalls_comes_first(seed: int, recalled: int) -> None:
    """All of it, before what was missed and what is new, even outside a plan's goal; but not on the
    day of the open answer, and not before other questions that are asked for more."""
    ada = Learner(seed, 20, "topics:t5")
    of_t3 = BANK.topics["t3"].items[:recalled]
    ada.cards |= {item.id: lasting(NOON) for item in of_t3}
    ada.answer(NOON - DAY, BANK.topics["t5"].items[0].id, missed=True)
    ada.open_answers = {"t3": OpenAnswer(NOON - HOUR, 1, 4)}
    assert ada.practise(NOON, most=1)[0].topic_id == "t5"
    seen, all_of_it = ada.practise(NOON + DAY), max(recalled, 3)  # with new ones
    assert {item.id for item in seen[:all_of_it]} >= {item.id for item in of_t3}
    assert {item.topic_id for item in seen[:all_of_it]} == {"t3"}
    assert {item.topic_id for item in seen[all_of_it : all_of_it + 3]} == {"t5"}


@settings(max_examples=20)
@given(SEEDS, st.data())
def test_the_goal_comes_first(seed: int, data: st.DataObject) -> None:
    """Others come only once no more of it can be asked that day, whether known, missed or new."""
    goal = data.draw(st.sets(st.sampled_from([*BANK.topics]), min_size=1, max_size=3))
    ada = Learner(seed, 9, "topics:" + " ".join(goal))
    for name in data.draw(st.sets(st.sampled_from(ITEMS), max_size=30)):
        ada.answer(NOON - DAY, name, missed=data.draw(st.booleans()))
    for day in range(3):
        now, done = NOON + day * DAY, set[str]()
        while (item := ada.next(now)) is not None:
            known = ada.facts(now).known
            left = ({*known.repeats()} | known.unmet) - done
            in_goal = {i for i in left if BANK.asked[i].topic_id in goal}
            assert item.id in (in_goal or left)
            done.add(item.id)
            ada.answer(now, item.id, missed=data.draw(st.booleans()))
            now += MINUTE / 2


@given(SEEDS, st.sets(st.sampled_from(ITEMS), max_size=20))
def test_nothing_is_new_on_the_day_of_the_interview(seed: int, met: set[str]) -> None:
    """Only items met before are asked; a day before, new ones are."""
    ada = Learner(seed, 1)
    for name in sorted(met):
        ada.answer(NOON - 9 * DAY, name)
    before, on_the_day = ada.practise(NOON), ada.practise(NOON + DAY)
    assert len(before) == 10
    assert {item.id for item in on_the_day} <= met | {item.id for item in before}
    assert ada.next(NOON + DAY, Kind.MORE) is not None


@given(SEEDS, st.sampled_from([None, 20]))
def test_a_newcomer_gets_easy_questions_of_what_interviews_ask_most(
    seed: int, days: int | None
) -> None:
    """The easiest, of another topic each time; the heaviest topics first."""
    ada = Learner(seed, days)
    heavy = {"t2", "t7", "t8", "t11", "t20"}

    def weighed(topic: Topic) -> Topic:
        easy = tuple(replace(i, difficulty=1 if i.kind == "choice" else 2) for i in topic.items)
        return replace(topic, weight=3 if topic.id in heavy else 1, items=easy)

    sections = (replace(s, topics=tuple(map(weighed, s.topics))) for s in BANK.sections)
    ada.bank = replace(BANK, sections=tuple(sections))
    seen = ada.practise(NOON, missed=True, most=5)
    assert {item.difficulty for item in seen} == {1}
    assert {item.topic_id for item in seen} == heavy
