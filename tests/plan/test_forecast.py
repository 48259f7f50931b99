"""The forecast is what simulated members come to, and every figure of it moves the right way."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating

from bot.memory.model import MemoryCard
from bot.memory.rules import recall, review
from bot.plan.forecast import Met, Unmet, forecast

NOON = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def new(items: int, right: float = 0.6, known: float = 0.0) -> list[Unmet]:
    return [Unmet(0, known, right)] * items


def lived(items: int, answers: int, days: int, right: float, rng: random.Random) -> float:
    """Return the share known by a member whose memory is FSRS's, at the end of the days."""
    cards: dict[int, MemoryCard] = {}
    for day in range(days):
        now, left = NOON + day * DAY, answers
        while left > 0:
            due = [n for n, card in cards.items() if card.due_at <= now + DAY / 2]
            if not due and len(cards) == items:
                break
            n = min(due, key=lambda n: cards[n].due_at) if due else len(cards)
            before = cards.get(n)
            chance = right if before is None else recall(before, now)
            if before is not None and before.missed:
                chance = 1.0
            rating = Rating.Good if rng.random() < chance else Rating.Again
            cards[n] = review(before, rating, now)
            left -= 1
    end = NOON + days * DAY
    return sum(recall(card, end) for card in cards.values() if not card.missed) / items


@pytest.mark.parametrize(
    ("items", "answers", "days", "right"),
    [(60, 20, 20, 0.7), (200, 20, 20, 0.5), (400, 30, 60, 0.8), (40, 10, 90, 0.4)],
)
def test_it_is_what_a_member_comes_to(items: int, answers: int, days: int, right: float) -> None:
    """Within seven points, whether or not everything can be met."""
    rng = random.Random(1)
    found = sum(lived(items, answers, days, right, rng) for _ in range(4)) / 4
    made = forecast([], new(items, right), 1, answers, days)
    assert made.curve[-1][1] == pytest.approx(found, abs=0.07)


def test_its_shape() -> None:
    """The curve goes from today to the last day, and sections add up to it."""
    met = [Met(0, 9.0, 3, 6, False), Met(1, 4.0, 4, 0, False), Met(1, 0.2, 1, 0, True)]
    made = forecast(met, [Unmet(1, 0.3, 0.5)] * 7, 2, 5, 30)
    assert made.curve[0][0] == 0
    assert made.curve[-1][0] == 30
    assert len(made.curve) == 13
    assert made.curve[0][1] == pytest.approx(sum(made.now) / 10)
    assert made.curve[-1][1] == pytest.approx(sum(made.then) / 10)
    assert made.now[1] == pytest.approx(0.9 + 7 * 0.3, abs=0.01)
    assert forecast([], [], 0, 9, 9).curve[-1] == (9, 0.0)
    assert [day for day, _ in forecast(met, [], 2, 9, 0).curve] == [0]


def test_more_is_better() -> None:
    """More answers, days or right answers never lead to less; what was done today costs its time."""

    def then(answers: float, days: int = 20, right: float = 0.6, done: int = 0) -> float:
        return forecast([], new(300, right), 1, answers, days, done).curve[-1][1]

    assert then(5) < then(10) < then(20)
    assert then(10, 10) < then(10, 20) < then(10, 40)
    assert then(10, right=0.3) < then(10, right=0.9)
    assert then(10, done=40) < then(10)


def test_what_must_not_be_asked_is_forgotten() -> None:
    """An item that is set aside fades, while the same item is repeated elsewhere."""
    fades, repeated = (
        forecast([Met(0, 5.0, 5, due, False)], [], 1, 9, 60).curve[-1][1] for due in (None, 0)
    )
    assert fades < 0.75
    assert repeated > 0.85
