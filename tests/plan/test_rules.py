"""Readiness, a member's pace, and the order of topics and items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Rating
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.members.model import Streak
from bot.memory.model import MemoryCard, Plan, Practised
from bot.memory.progress import Knowledge
from bot.memory.rules import recall, review
from bot.memory.today import DayFacts
from bot.plan.forecast import build_outlook
from bot.plan.model import Outlook, Pace
from bot.plan.rules import (
    expected_answers,
    goal_topics,
    items_in_order,
    new_items,
    pace,
    split_due,
    topics_in_order,
)
from bot.questions.areas import ALL
from bot.questions.model import Bank
from tests.banks import small_bank

NOW = datetime(2027, 1, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
BANK = small_bank(6)
PLAN = Plan(1, TODAY + timedelta(days=20), (15,) * 7, TODAY - timedelta(days=12), ALL)
NEW = Pace(0, 0, 0)


def known(*items: str, rating: Rating = Rating.Good, days: float = 1) -> dict[str, MemoryCard]:
    return {item_id: review(None, rating, NOW - timedelta(days=days)) for item_id in items}


def knowledge(
    cards: Mapping[str, MemoryCard], hidden: Collection[str] = (), bank: Bank = BANK
) -> Knowledge:
    of_bank = {item_id: card for item_id, card in cards.items() if item_id in bank.asked}
    return Knowledge(bank, of_bank, set(), "UTC", NOW, hidden=frozenset(hidden))


def outlook(
    cards: Mapping[str, MemoryCard], plan: Plan = PLAN, ago: Collection[float] = ()
) -> Outlook:
    """Return an outlook after answers in practice so many days ago."""
    answers = [Practised(at, "t1-a", missed=False) for at in times(*ago)]
    facts = DayFacts(knowledge(cards), answers, {}, None, (), Streak(), may_remind=False)
    return build_outlook(plan, facts)


def weighted(**weights: int) -> Bank:
    """Return the bank with these topics' weights; others have 1."""
    return replace(
        BANK,
        sections=tuple(
            replace(s, topics=tuple(replace(x, weight=weights.get(x.id, 1)) for x in s.topics))
            for s in BANK.sections
        ),
    )


def test_what_interviews_ask_most_comes_first() -> None:
    """Of equal topics, those well begun come before others, then those known least; ready ones last."""
    bank = weighted(t4=3, t3=2, t6=3)
    cards = known("t5-a", "t5-b") | known("t2-a") | known("t6-a", "t6-b", "t6-c", "t6-d")
    order = topics_in_order(bank.asked_topics.values(), knowledge(cards, bank=bank))
    assert [topic.id for topic in order] == ["t4", "t3", "t5", "t1", "t2", "t6"]


def test_items_that_suit_the_ability_come_first() -> None:
    """A weak member begins with easy items of a topic, a strong one with hard ones."""
    topic = BANK.topics["t1"]

    others = [item.id for item in BANK.asked.values() if item.topic_id != "t1"]

    def difficulties(rating: Rating) -> list[int]:
        order = items_in_order([topic], knowledge(known(*others, rating=rating)))
        return [item.difficulty for item in order if item.kind == "choice"]

    weak, strong = difficulties(Rating.Again), difficulties(Rating.Good)
    assert weak == sorted(weak)
    assert strong == sorted(strong, reverse=True)


@given(st.sets(st.sampled_from(sorted(BANK.asked))))
def test_every_new_item_comes_once(met: set[str]) -> None:
    """Those of three topics come before any of the others."""
    cards = known(*sorted(met))
    order = list(items_in_order(BANK.asked_topics.values(), knowledge(cards)))
    assert sorted([*(item.id for item in order), *met]) == sorted(BANK.asked)
    left = [t.id for t in BANK.asked_topics.values() if any(i.id not in met for i in t.items)]
    first = left[:3]
    in_first = [item.topic_id in first for item in order]
    assert in_first == sorted(in_first, reverse=True)


def times(*days: float) -> list[datetime]:
    return [NOW - timedelta(days=ago) for ago in days]


def own_pace(*days: float, since: date = TODAY, zone: str = "UTC") -> Pace:
    return pace(times(*days), since, zone, NOW)


def test_the_pace_of_a_new_member() -> None:
    """Today isn't counted."""
    assert own_pace() == own_pace(0, 0) == NEW


def test_the_pace_of_past_days() -> None:
    """Days since the plan was set or practice began count, up to four weeks, in the member's zone."""
    own = own_pace(5, 3, 3, 0, 0, 0, since=TODAY - timedelta(days=4))
    assert (own.days, own.practised, own.answers) == (5, 2, 3)
    assert own_pace(1, since=TODAY - timedelta(days=60)).days == 28
    assert (own_pace(0.6, zone="Asia/Tokyo").days, own_pace(0.6).days) == (0, 1)


def test_what_is_expected_of_a_member() -> None:
    """As planned without a past; then as before, with one more day as planned, and never more."""
    assert expected_answers(NEW, 30) == 30
    assert expected_answers(replace(NEW, days=9, answers=70), 30) == 10
    assert expected_answers(replace(NEW, days=9, answers=900), 30) == 30


def test_due_items_that_can_wait() -> None:
    """Missed ones and those of the goal come first, the longest due first."""
    cards = known("t2-a", "t1-a", "t3-a", "t1-b") | known("t3-b", rating=Rating.Again)
    plan = replace(PLAN, goal="topics:t1")
    first, later = split_due(plan, knowledge(cards), [*cards])
    assert (first, later) == (["t1-a", "t1-b", "t3-b"], ["t2-a", "t3-a"])
    assert split_due(PLAN, knowledge(cards), [*cards]) == ([*cards], [])


def test_the_goal_comes_first() -> None:
    """Then all other items that the member has never met."""
    order = [i.id for i in new_items(replace(PLAN, goal="topics:t2"), knowledge(known("t2-a")))]
    assert sorted(order[:3]) == ["t2-b", "t2-c", "t2-d"]
    assert sorted([*order, "t2-a"]) == sorted(BANK.asked)


def test_a_goal_that_left_the_bank_is_everything() -> None:
    assert len(goal_topics(BANK, replace(PLAN, goal="topics:gone"))) == 6
    assert [t.id for t in goal_topics(BANK, replace(PLAN, goal="topics:t2"))] == ["t2"]


def test_an_outlook() -> None:
    """It is about the goal alone; practice raises what is known, and twice the time raises it more."""
    cards = known("t1-a", "t3-a")
    found = outlook(cards)
    assert (found.goal, found.days) == ("everything", 20)
    assert outlook(cards, replace(PLAN, week=(5,) * 7)).today.size == 10
    assert found.unseen.middle == pytest.approx(
        knowledge(cards).readiness(BANK.asked_topics.values())
    )
    assert found.unseen.middle < found.then.middle
    assert [section.title for section in found.sections] == ["First", "Second"]
    one = outlook(cards, replace(PLAN, goal="topics:t1"))
    assert [section.title for section in one.sections] == ["First"]
    assert one.unseen.middle == pytest.approx(recall(cards["t1-a"], NOW) / 4)
    rare = outlook(cards, ago=[27, 26.99, 26.98])
    assert rare.then.middle < found.then.middle
    assert outlook({}, replace(PLAN, goal="topics:gone")).is_asked is False
