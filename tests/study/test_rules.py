"""Progress in each item, and topics that can't be read now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from fsrs import State

from bot.memory.model import MemoryCard
from bot.study.cards import InPlay, ItemProgress, in_play, item_progress
from tests.banks import small_bank

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
TOPIC = small_bank().topics["t1"]


def card(due_in: timedelta, *, stability: float = 2.0, state: State = State.Review) -> MemoryCard:
    return MemoryCard(state, None, stability, 5.0, NOW + due_in, NOW - timedelta(days=3), True)


def test_items_by_number_difficulty_and_day() -> None:
    """Each item has its number, its difficulty and when it is due, but not its prompt."""
    cards = {
        "t1-a": card(timedelta(days=4), stability=30),
        "t1-c": card(
            timedelta(days=9), state=State.Relearning
        ),  # missed: today, whenever it was due
        "t1-d": card(timedelta(hours=13)),
        "t2-a": card(timedelta(days=1)),
    }
    assert item_progress(TOPIC, cards, "UTC", NOW) == (
        ItemProgress(1, "easy", 4, learned=True),
        ItemProgress(2, "medium"),
        ItemProgress(3, "hard", 0),
        ItemProgress(4, "easy", 1),
    )
    assert (
        item_progress(TOPIC, cards, "Pacific/Kiritimati", NOW)[3].days == 0
    )  # where it is tomorrow already


@pytest.mark.parametrize(
    ("until", "told"),
    [(None, None), (NOW, None), (NOW - timedelta(hours=1), None), (NOW + timedelta(hours=1),) * 2],
)
def test_when_a_topic_can_be_read_again(until: datetime | None, told: datetime | None) -> None:
    """The closing time is shown only if it is in the future."""
    assert in_play(TOPIC, until, NOW) == InPlay(TOPIC, told)
