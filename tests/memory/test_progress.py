"""The levels of topics, and the topic to practise first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating, State
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.core.calendar import local_date
from bot.memory.model import MemoryCard, OpenAnswer, Progress
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
        (Progress("t", 8, met=8, share=0.79, latest=5, misses=2), "weak"),
        (Progress("t", 8, met=8, share=0.79, latest=5, misses=1), "learning"),
        (Progress("t", 8, met=8, share=0.8, latest=5, misses=2), "known"),
        (Progress("t", 8, share=0.8), "new"),
        (Progress("t", 8, met=8, share=0.8, latest=5, misses=2, is_ready=True), "ready"),
    ],
)
def test_levels(found: Progress, level: str) -> None:
    """Ready, new, known, weak and learning, the first that fits."""
    assert found.level == level


def test_progress_of_every_topic() -> None:
    """Cards and answers count in the topic of their item; what left the bank counts nowhere."""
    cards = {
        "t1-a": card(20),
        "t1-b": card(8, due_in=0),
        "t2-a": card(2, State.Relearning, due_in=-1),
        "gone": card(90),
    }
    in_t1 = recalled(20) + recalled(8)
    topics = progress(
        known(cards), [("t2-a", A), ("gone", A), ("t1-b", G), ("t1-a", G), ("t2-a", A)]
    )
    assert list(topics.values()) == [
        Progress("t1", 4, met=2, known=in_t1, share=in_t1 / 4, latest=2),
        Progress("t3", 4),
        Progress("t2", 4, met=1, known=recalled(2), share=recalled(2) / 4, latest=2, misses=2),
    ]
    assert [p.level for p in topics.values()] == ["learning", "new", "weak"]


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
    """Weak before learning, then the most recent misses, then the least known; never a new,
    known or ready one."""
    order = [
        Progress("two of three missed", 8, met=2, latest=3, misses=2),
        Progress("two of five missed", 8, met=5, latest=5, misses=2),
        Progress("one of one missed", 8, met=1, latest=1, misses=1),
        Progress("none known", 8, met=2, latest=2),
        Progress("one known", 8, met=5, share=1 / 8, latest=5),
        Progress("two known", 8, met=5, share=2 / 8, latest=5),
    ]
    done = [
        Progress("new", 8),
        Progress("known", 8, met=8, share=1, latest=5, misses=2),
        Progress("ready", 8, met=8, share=1, latest=5, misses=2, is_ready=True),
    ]
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


def opened(found: Knowledge, at: datetime, made: int = 2, points: int = 5) -> Knowledge:
    """Add an answer to the open question of t1."""
    return replace(found, open_answers={"t1": OpenAnswer(at, made, points)})


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@given(
    zone=st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Havana", "Asia/Kolkata"]),
    at=st.datetimes(datetime(2027, 1, 1), datetime(2027, 1, 4, 12), timezones=st.just(UTC)),
    reviewed=st.datetimes(datetime(2026, 12, 30), datetime(2027, 1, 4, 12), timezones=st.just(UTC)),
    rating=st.sampled_from([A, G]),
    made=st.integers(0, 5),
)
def test_a_missed_point_brings_back_what_was_not_asked_since(
    zone: str, at: datetime, reviewed: datetime, rating: Rating, made: int
) -> None:
    """On the member's next date, like a miss. An answer that made all points, or one before the last
    review, changes nothing, and neither does one on another topic."""
    cards = {name: review(None, rating, reviewed) for name in ("t1-a", "t1-b", "t2-a")}
    without = known(cards, zone, "t1-b")
    found = opened(without, at, made)
    alone, together = without.days_away("t1-a"), found.days_away("t1-a")
    if made == 5 or reviewed >= at:
        assert (together, found.due()) == (alone, without.due())
        assert found.brought_back("t1", at) == (0, found.brought_back("t1", at)[1])
    else:
        next_day = local_date(zone, at) + DAY
        assert together == min(alone, max((next_day - found.today).days, 0))
        assert found.comes_again("t1-a") or next_day > found.today
        back = found.brought_back("t1", at)
        assert back[1] == max((next_day - found.today).days, 0)
        assert back[0] == (together == back[1])
    assert found.days_away("t2-a") == alone
    assert found.comes_again("t2-a") == (rating is A and alone == 0)
    for days in (0, 1):
        expected = {i for i in ("t1-a", "t2-a") if found.days_away(i) <= days}
        assert set(found.due(within_days=days)) == expected


def test_what_an_open_answer_brings_back() -> None:
    """It comes like a miss, before what is longer due; not what may not be asked, nor what is due
    anyway before. An answer that is not the latest brings nothing back."""
    at = NOW - DAY
    cards = {name: card(due_in=5) for name in ("t1-a", "t1-b", "t1-c")} | {"t2-a": card(due_in=-7)}
    found = opened(replace(known(cards, "UTC", "t1-b"), hidden={"t1-c"}), at)
    assert found.due() == ["t1-a", "t2-a"]
    assert (found.brought_back("t1", at), found.brought_back("t2", at)) == ((1, 0), (0, 0))
    assert found.brought_back("t1", at - HOUR)[0] == 0
    today = opened(replace(found, cards={**cards, "t1-a": card(due_in=-1)}, hidden=set()), NOW)
    assert today.due() == ["t1-a", "t2-a"]
    assert today.brought_back("t1", NOW) == (1, 1)
    assert [today.comes_again(i) for i in ("t1-a", "t1-c", "t2-a", "unknown")] == [False] * 4


@pytest.mark.parametrize(
    ("stability", "answer", "ready", "lacks"),
    [
        (90, (3, 5), True, False),
        (90, (5, 5), True, False),
        (90, (2, 4), False, True),
        (90, (0, 5), False, True),
        (90, None, False, True),
        (0.3, (5, 5), False, False),
        (0.3, None, False, False),
    ],
)
def test_a_topic_is_ready_by_items_and_an_open_answer(
    stability: float, answer: tuple[int, int] | None, ready: bool, lacks: bool
) -> None:
    """Four of five items known now, and most points of the latest open answer: neither is enough."""
    topic = BANK.topics["t1"]
    found = known({item.id: card(stability) for item in topic.items})
    if answer is not None:
        found = opened(found, NOW, *answer)
    assert (found.is_ready(topic), found.lacks_open_answer(topic)) == (ready, lacks)
    shown = progress(found, [])["t1"]
    assert (shown.is_ready, shown.lacks_open_answer) == (ready, lacks)
    assert shown.level == ("ready" if ready else "known" if lacks else "learning")
    assert shown.open_answer == found.open_answers.get("t1")


def test_readiness_fades_and_needs_an_open_question() -> None:
    topic = BANK.topics["t1"]
    found = opened(known({item.id: card(9) for item in topic.items}), NOW, 5)
    assert found.is_ready(topic)
    later = replace(found, now=NOW + timedelta(days=90))
    assert not later.is_ready(topic)
    silent = replace(found, bank=replace(BANK, silent=frozenset({"t1"})), open_answers={})
    assert not silent.lacks_open_answer(topic)


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
