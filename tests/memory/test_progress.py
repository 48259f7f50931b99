"""The levels of topics, and the topic to practise first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating, State
from msgspec.structs import replace

from bot.memory.model import MemoryCard, Progress
from bot.memory.progress import Knowledge, progress, weakest
from bot.memory.rules import recall, review
from tests.banks import small_bank

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
BANK = small_bank()
A, G = Rating.Again, Rating.Good


def card(stability: float = 1, state: State = State.Review, due_in: int = 5) -> MemoryCard:
    return MemoryCard(
        state, None, stability, 5.0, NOW + timedelta(days=due_in), NOW - timedelta(days=3), True
    )


def recalled(stability: float) -> float:
    return recall(card(stability), NOW)


def known(cards: Mapping[str, MemoryCard], zone: str = "UTC", *set_aside: str) -> Knowledge:
    return Knowledge(BANK, cards, set(set_aside), zone, NOW)


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Progress("t", 8), "new"),
        (Progress("t", 8, met=1, latest=1, misses=1), "learning"),
        (Progress("t", 8, met=2, latest=2, misses=2), "weak"),
        (Progress("t", 8, met=8, known=8, latest=5, misses=2), "weak"),
        (Progress("t", 8, met=4, known=3, latest=5), "learning"),
        (Progress("t", 8, met=4, known=4, latest=5, misses=1), "known"),
        (Progress("t", 7, met=7, known=3, latest=5), "learning"),
    ],
)
def test_levels(found: Progress, level: str) -> None:
    """New, weak, known and learning, the first that fits."""
    assert found.level == level


def test_progress_of_every_topic() -> None:
    """Cards and answers count in the topic of their item; what left the bank counts nowhere."""
    cards = {
        "t1-a": card(20),
        "t1-b": card(8, due_in=0),
        "t2-a": card(2, State.Relearning, due_in=-1),
        "gone": card(90),
    }
    topics = progress(
        known(cards), [("t2-a", A), ("gone", A), ("t1-b", G), ("t1-a", G), ("t2-a", A)]
    )
    assert list(topics.values()) == [
        Progress("t1", 4, met=2, known=recalled(20) + recalled(8), latest=2),
        Progress("t3", 4),
        Progress("t2", 4, met=1, known=recalled(2), latest=2, misses=2),
    ]
    assert [p.level for p in topics.values()] == ["known", "new", "weak"]


def test_only_the_five_latest_answers_can_make_a_topic_weak() -> None:
    """An old miss is forgotten after five answers: they are given newest first."""
    cards = {"t1-a": card()}
    assert progress(known(cards), [("t1-a", r) for r in (A, G, G, G, A)])["t1"].level == "weak"
    assert (
        progress(known(cards), [("t1-a", r) for r in (A, G, G, G, G, A)])["t1"].level == "learning"
    )


def test_due_is_a_matter_of_the_members_date() -> None:
    """An item that is due tomorrow in UTC is due now where it is tomorrow already."""
    cards = {"t1-a": replace(card(), due_at=NOW + timedelta(hours=13))}
    assert known(cards).due() == []
    assert known(cards).due(within_days=1) == ["t1-a"]
    assert known(cards, "Pacific/Kiritimati").due() == ["t1-a"]


def test_the_weakest_topic() -> None:
    """Weak before learning, then the most recent misses, then the least known; never a new or a
    known one."""
    order = [
        Progress("two of three missed", 8, met=2, latest=3, misses=2),
        Progress("two of five missed", 8, met=5, latest=5, misses=2),
        Progress("one of one missed", 8, met=1, latest=1, misses=1),
        Progress("none known", 8, met=2, latest=2),
        Progress("one known", 8, met=5, known=1, latest=5),
        Progress("two known", 8, met=5, known=2, latest=5),
    ]
    done = [Progress("new", 8), Progress("known", 8, met=8, known=8, latest=5)]
    while order:
        assert weakest({p.topic_id: p for p in [*done, *reversed(order)]}) == order.pop(0).topic_id
    assert weakest({p.topic_id: p for p in done}) is weakest({}) is None


def test_misses_first_then_the_longest_due() -> None:
    cards = {
        "not-due": card(),
        "due": card(due_in=0),
        "due-long": card(due_in=-7),
        "missed-today": review(None, A, NOW - timedelta(minutes=30)),
        "missed-long": review(None, A, NOW - timedelta(days=5)),
    }
    found = known(cards)
    assert found.due() == ["missed-long", "due-long", "due"]
    assert found.due(within_days=1) == ["missed-long", "missed-today", "due-long", "due"]
    assert replace(found, hidden={"due"}).due() == ["missed-long", "due-long"]


def test_what_is_known_follows_the_clock() -> None:
    """On the first day it is what was right; it fades, and a miss is not known."""
    cards = {name: review(None, G, NOW) for name in ("t1-a", "t1-b", "t2-a", "gone")}
    cards["t1-c"] = review(None, A, NOW)
    everything = [*BANK.asked_topics.values()]
    assert known(cards).known(everything) == pytest.approx(3)
    assert known(cards).known([BANK.topics["t1"]]) == pytest.approx(2)
    assert replace(known(cards), now=NOW + timedelta(days=900)).known(everything) < 3


def test_readiness_is_what_fsrs_expects() -> None:
    """It is the mean recall of all items asked; missed and unseen ones count as 0."""
    cards = {name: review(None, G, NOW - timedelta(days=2)) for name in ("t1-a", "t2-b")}
    missed = {"t3-c": review(None, A, NOW - timedelta(days=2))}
    expected = sum(recall(card, NOW) for card in cards.values()) / len(BANK.asked)
    everything = BANK.asked_topics.values()
    assert known(cards | missed).readiness(everything) == pytest.approx(expected)
    assert known({}).readiness(everything) == known({}).readiness([]) == 0


def test_ability_counts_once_there_are_ten_answers_in_the_section() -> None:
    """Until then, items never met count as not known."""
    bank = small_bank(8)
    others = [i.id for i in bank.asked.values() if i.topic_id in {"t1", "t3", "t5"}]

    def of_t7(rating: Rating, answers: int, *missed: str) -> float:
        cards = {name: review(None, rating, NOW) for name in others[:answers]}
        cards |= {name: review(None, A, NOW) for name in missed}
        return Knowledge(bank, cards, set(), "UTC", NOW).readiness([bank.topics["t7"]])

    assert of_t7(G, 9) == 0
    assert of_t7(G, 12) > 0.6
    assert of_t7(A, 12) < 0.2
    assert of_t7(G, 12, *(item.id for item in bank.topics["t7"].items)) == 0
