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
from bot.memory.rules import FORGOTTEN, recall, review
from tests.banks import small_bank

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
BANK = small_bank()
A, G = Rating.Again, Rating.Good
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ZONES = st.sampled_from(["UTC", "Pacific/Kiritimati", "America/Havana", "Asia/Kolkata"])


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
    found = known(cards)
    topics = progress(found, [("t2-a", A), ("gone", A), ("t1-b", G), ("t1-a", G), ("t2-a", A)])
    share = {topic.id: found.readiness([topic]) for topic in BANK.asked_topics.values()}
    assert list(topics.values()) == [
        Progress("t1", 4, 2, recalled(20) + recalled(8), share["t1"], latest=2),
        Progress("t3", 4, share=share["t3"]),
        Progress("t2", 4, 1, recalled(2), share["t2"], latest=2, misses=2),
    ]
    assert [p.level for p in topics.values()] == ["learning", "new", "weak"]


def test_only_the_five_latest_answers_can_make_a_topic_weak() -> None:
    """An old miss is forgotten after five answers: they are given newest first."""
    cards = {"t1-a": card()}
    assert progress(known(cards), [("t1-a", r) for r in (A, G, G, G, A)])["t1"].level == "weak"
    assert (
        progress(known(cards), [("t1-a", r) for r in (A, G, G, G, G, A)])["t1"].level == "learning"
    )


@given(
    zone=ZONES,
    reviewed=st.datetimes(datetime(2026, 12, 9), datetime(2027, 1, 4, 12), timezones=st.just(UTC)),
    stability=st.floats(0.1, 60),
    days=st.integers(1, 9),
)
def test_what_is_worth_asking_again(
    zone: str, reviewed: datetime, stability: float, days: int
) -> None:
    """All that may be forgotten by the end of the member's day, no item twice on a date. A later day
    asks as many as was said."""
    found = known({"t1-a": replace(card(stability), last_review_at=reviewed)}, zone)
    later = replace(found, now=NOW + days * DAY)
    assert found.repeats(within_days=days) == later.repeats()
    assert not (found.repeats() and local_date(zone, reviewed) == found.today)
    assert bool(found.repeats()) <= bool(later.repeats())
    ends = found.midnight + DAY
    if local_date(zone, reviewed) < found.today:
        forgotten = recall(found.cards["t1-a"], ends) <= FORGOTTEN
        assert found.repeats() == ["t1-a"] * forgotten


@given(ZONES, st.datetimes(datetime(2027, 1, 2), datetime(2027, 1, 4), timezones=st.just(UTC)))
def test_a_miss_is_asked_again_from_the_next_day_on(zone: str, at: datetime) -> None:
    """Unless it is set aside, or in play."""
    found = replace(known({"t1-a": review(None, A, at)}, zone), now=at)
    assert (found.repeats(), found.repeats(within_days=1)) == ([], ["t1-a"])
    tomorrow = replace(found, now=found.midnight + DAY)
    assert tomorrow.repeats() == ["t1-a"]
    assert replace(tomorrow, hidden={"t1-a"}).repeats() == []
    assert replace(tomorrow, set_aside={"t1-a"}).repeats(within_days=9) == []


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


def opened(found: Knowledge, at: datetime, made: int = 2, points: int = 5) -> Knowledge:
    """Add an answer to the open question of t1."""
    return replace(found, open_answers={"t1": OpenAnswer(at, made, points)})


@given(
    zone=ZONES,
    at=st.datetimes(datetime(2027, 1, 1), datetime(2027, 1, 4, 12), timezones=st.just(UTC)),
    reviewed=st.datetimes(datetime(2026, 12, 30), datetime(2027, 1, 4, 12), timezones=st.just(UTC)),
    made=st.integers(0, 5),
)
def test_a_missed_point_brings_back_what_was_not_asked_since(
    zone: str, at: datetime, reviewed: datetime, made: int
) -> None:
    """From the member's next date on, before anything else, and new ones up to three in all. An answer
    that made all points changes nothing, and neither does one on another topic."""
    cards = {name: replace(card(900), last_review_at=reviewed) for name in ("t1-a", "t1-b", "t2-a")}
    found = opened(known(cards, zone, "t1-b"), at, made)
    days = max((local_date(zone, at) + DAY - found.today).days, 0)
    is_back = made < 5 and reviewed < at
    assert found.brought_back("t1", at) == ((made < 5) + is_back, days)
    for later in range(4):
        then = replace(found, now=NOW + later * DAY)
        assert then.repeats() == ["t1-a"] * (is_back and later >= days)
        assert found.repeats(within_days=later or 1) == then.repeats() or not later
        assert then.comes_first("t1-a") is (is_back and later >= days)
        assert [then.comes_first(new) for new in ("t1-c", "t1-d", "t2-a")] == [
            *(made < 5 and later >= days, False, False)
        ]


def test_what_an_open_answer_brings_back() -> None:
    """Not what may not be asked; and an answer that is not the latest brings nothing back."""
    at = NOW - DAY
    cards = {name: card(900) for name in ("t1-a", "t1-b", "t1-c", "t2-a")}
    found = opened(replace(known(cards, "UTC", "t1-b"), hidden={"t1-c"}), at)
    assert found.repeats() == ["t1-a"]
    assert (found.brought_back("t1", at), found.brought_back("t2", at)) == ((1, 0), (0, 0))
    assert found.brought_back("t1", at - HOUR)[0] == 0
    today = opened(replace(found, hidden=set()), NOW)
    assert (today.repeats(), sorted(today.repeats(within_days=1))) == ([], ["t1-a", "t1-c"])
    assert today.brought_back("t1", NOW) == (2, 1)
    assert not any(map(today.comes_first, (*cards, "unknown")))


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


def test_readiness_is_what_memory_and_ability_expect() -> None:
    """It is the mean of recall, of 0 for misses, and of the ability where an item was never met."""
    cards = {name: review(None, G, NOW - timedelta(days=2)) for name in ("t1-a", "t2-b")}
    found = known(cards | {"t3-c": review(None, A, NOW - timedelta(days=2))})
    expected = sum(recall(card, NOW) for card in cards.values())
    expected += sum(found.ability.knows(i) for i in BANK.asked.values() if i.id not in found.cards)
    everything = [*BANK.asked_topics.values()]
    assert found.readiness(everything) == pytest.approx(expected / len(BANK.asked))
    assert known({}).readiness([]) == 0


def test_what_was_never_met_is_known_by_ability() -> None:
    """Never for sure, and from the first answer on; its weight is the topic's."""
    right, wrong = (known({"t1-a": review(None, rating, NOW)}) for rating in (G, A))
    unmet = BANK.asked["t3-b"]
    assert 0 < wrong.knows(unmet) < known({}).knows(unmet) < right.knows(unmet) < 1
    assert right.expects(unmet) == right.ability.answers_right(unmet)
    topics = [replace(topic, weight=n) for n, topic in enumerate(BANK.asked_topics.values(), 1)]
    shares = [topic.weight * right.ability.knows_of(topic, 0.5) for topic in topics]
    assert right.unseen(topics, 0.5) == pytest.approx(sum(shares) / 6)
    assert right.unseen([]) == 0
