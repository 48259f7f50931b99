"""Twelve weeks of activity, by day; progress in topics."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from fsrs import Rating, State

from bot.boards.rules import Progress, activity, first_day, level, progress, trend, weakest
from bot.memory.rules import MemoryCard
from tests.banks import small_bank

MONDAY, SUNDAY = date(2027, 1, 4), date(2027, 1, 10)


@pytest.mark.parametrize(
    ("today", "first", "days"),
    [
        (MONDAY, date(2026, 10, 19), 78),
        (date(2027, 1, 6), date(2026, 10, 19), 80),
        (SUNDAY, date(2026, 10, 19), 84),
    ],
)
def test_twelve_weeks_end_with_this_one(today: date, first: date, days: int) -> None:
    """They begin on a Monday and end today, so that the present week is the twelfth."""
    assert first_day(today) == first
    found = activity({}, today)
    assert (found.start, len(found.counts)) == (first, days)


def test_days_outside_are_left_out() -> None:
    """What was before the first Monday, or is still to come, counts nowhere."""
    by_day = {
        date(2026, 10, 18): 9,
        date(2026, 10, 19): 2,
        date(2026, 12, 31): 5,
        MONDAY: 5,
        date(2027, 1, 5): 7,
    }
    found = activity(by_day, MONDAY)
    assert (found.answers, found.days, found.busiest) == (12, 3, (MONDAY, 5))


def test_cells() -> None:
    """Each day stands in its week, from Monday to Sunday."""
    cells = list(activity({SUNDAY: 4}, SUNDAY).cells())
    assert cells[0] == (0, 0, date(2026, 10, 19), 0)
    assert cells[-1] == (11, 6, SUNDAY, 4)
    assert all(day.weekday() == weekday for _, weekday, day, _ in cells)


def test_no_activity() -> None:
    found = activity({}, MONDAY)
    assert (found.answers, found.days, found.busiest) == (0, 0, (MONDAY, 0))


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, 0), (1, 1), (2, 1), (3, 2), (5, 2), (6, 3), (11, 3), (12, 4), (900, 4)],
)
def test_levels_of_activity(count: int, expected: int) -> None:
    assert level(count) == expected


NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
BANK = small_bank()
A, G = Rating.Again, Rating.Good


def card(stability: float = 1, state: State = State.Review, due_in: int = 5) -> MemoryCard:
    return MemoryCard(
        state, None, stability, 5.0, NOW + timedelta(days=due_in), NOW - timedelta(days=3)
    )


@pytest.mark.parametrize(
    ("found", "level"),
    [
        (Progress("t", items=8), "new"),
        (Progress("t", items=8, met=1, latest=1, misses=1), "learning"),
        (Progress("t", items=8, met=2, latest=2, misses=2), "weak"),
        (Progress("t", items=8, met=8, learned=8, latest=5, misses=2), "weak"),
        (Progress("t", items=8, met=4, learned=3, latest=5), "learning"),
        (Progress("t", items=8, met=4, learned=4, latest=5, misses=1), "known"),
        (Progress("t", items=7, met=7, learned=3, latest=5), "learning"),
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
        BANK, cards, [("t2-a", A), ("gone", A), ("t1-b", G), ("t1-a", G), ("t2-a", A)], "UTC", NOW
    )
    assert list(topics.values()) == [
        Progress("t1", items=4, met=2, learned=2, due=1, latest=2, misses=0),
        Progress("t3", items=4),
        Progress("t2", items=4, met=1, learned=0, due=1, latest=2, misses=2),
    ]
    assert [p.level for p in topics.values()] == ["known", "new", "weak"]


def test_only_the_five_latest_answers_can_make_a_topic_weak() -> None:
    """An old miss is forgotten after five answers: they are given newest first."""
    cards = {"t1-a": card()}
    assert (
        progress(BANK, cards, [("t1-a", r) for r in (A, G, G, G, A)], "UTC", NOW)["t1"].level
        == "weak"
    )
    assert (
        progress(BANK, cards, [("t1-a", r) for r in (A, G, G, G, G, A)], "UTC", NOW)["t1"].level
        == "learning"
    )


def test_due_is_a_matter_of_the_members_date() -> None:
    """What comes back tomorrow in UTC is due where it is tomorrow already."""
    cards = {"t1-a": replace(card(), due_at=NOW + timedelta(hours=13))}
    assert progress(BANK, cards, [], "UTC", NOW)["t1"].due == 0
    assert progress(BANK, cards, [], "Pacific/Kiritimati", NOW)["t1"].due == 1


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ([], None),
        ([Progress("a", items=8), Progress("b", items=8, met=8, learned=8, latest=5)], None),
        (
            [
                Progress("a", 8, met=1, latest=1, misses=1),
                Progress("b", 8, met=2, latest=5, misses=2),
            ],
            "b",
        ),
        (
            [
                Progress("a", 8, met=5, latest=5, misses=2),
                Progress("b", 8, met=2, latest=3, misses=2),
            ],
            "b",
        ),
        (
            [
                Progress("a", 8, met=5, learned=2, latest=5),
                Progress("b", 8, met=5, learned=1, latest=5),
            ],
            "b",
        ),
        (
            [
                Progress("a", 8, met=2, latest=2, misses=0),
                Progress("b", 8, met=2, latest=2, misses=0),
            ],
            "a",
        ),
        ([Progress("a", 8, met=1)], "a"),
    ],
)
def test_the_weakest_topic(topics: list[Progress], expected: str | None) -> None:
    """Weak before learning, then the most recent misses, then the least learned; never a new or a known one."""
    assert weakest({p.topic_id: p for p in topics}) == expected


def test_trends() -> None:
    """An arrow points up for a better place than before, and there is none for who was not on the board."""
    assert trend(2, 5) == "▲"
    assert trend(5, 2) == "▼"
    assert trend(2, 2) == "▬"
    assert trend(2, None) == ""
