"""The forecast: FSRS's formulas, and how well it predicts members simulated by the package."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count

import fsrs
import pytest
from fsrs import Rating, State
from hypothesis import given
from hypothesis import strategies as st

from bot.memory import rules as memory
from bot.memory.rules import DEFAULT, MemoryCard
from bot.plan.forecast import (
    CardState,
    Forecast,
    Formulas,
    Habit,
    NewItem,
    Span,
    forecast,
    formulas,
    new_items_per_day,
)
from tests.plan.members import forecast_and_truth
from tests.shipped import packs

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
NEW = NewItem(0, 0.6, 0.5)
ANSWERS = (0,) * 10
FSRS = formulas(DEFAULT)
stabilities = st.floats(0.01, 3000)
difficulties = st.floats(1, 10)
ratings = st.sampled_from([Rating.Again, Rating.Hard, Rating.Good])


@given(stability=stabilities, difficulty=difficulties, days=st.integers(0, 900), rating=ratings)
def test_formulas_are_those_of_the_package(
    stability: float, difficulty: float, days: int, rating: Rating
) -> None:
    """Recall, stability, difficulty and interval match `fsrs`, so an update can't change them
    unnoticed."""
    before = MemoryCard(
        State.Review, None, stability, difficulty, NOW, NOW - timedelta(days=days), True
    )
    packed = fsrs.Card(
        card_id=1, state=State.Review, stability=stability, last_review=before.last_review_at
    )
    recall = DEFAULT.recall_after(days, stability)
    assert recall == pytest.approx(DEFAULT.scheduler.get_card_retrievability(packed, NOW))
    assert recall == pytest.approx(memory.recall(before, NOW))
    after = memory.review(before, rating, NOW)
    assert FSRS.next_state(stability, difficulty, days, recall, int(rating)) == pytest.approx(
        (after.stability, after.difficulty)
    )
    if rating != Rating.Again:
        assert DEFAULT.interval(after.stability) == (after.due_at - NOW).days


@given(rating=ratings)
def test_a_first_answer(rating: Rating) -> None:
    after = memory.review(None, rating, NOW)
    assert FSRS.first_states[int(rating)] == pytest.approx((after.stability, after.difficulty))


cards = st.builds(
    CardState,
    section=st.integers(0, 2),
    stability=stabilities,
    difficulty=difficulties,
    seen=st.integers(0, 100),
    due=st.integers(0, 60),
    missed=st.booleans(),
)
habits = st.builds(
    Habit,
    kept=st.floats(0, 1),
    answers=st.floats(0, 80),
    fade=st.floats(0, 4),
    slow=st.floats(0, 1),
)
new_items = st.builds(NewItem, st.integers(0, 2), st.floats(0, 1), st.floats(0, 1))


@given(
    known=st.lists(cards, max_size=12),
    unmet=st.lists(new_items, max_size=12),
    answers=st.tuples(*[st.integers(0, 30)] * 3),
    habit=habits,
    days=st.integers(0, 60),
    rest=st.integers(0, 8),
)
def test_properties_of_a_forecast(
    known: list[CardState],
    unmet: list[NewItem],
    answers: tuple[int, int, int],
    habit: Habit,
    days: int,
    rest: int,
) -> None:
    """Shares stay from 0 to 1, sections add up, and equal arguments give equal forecasts."""
    span = Span(days, rest)
    found = forecast(known, unmet, answers, habit, span)
    assert found == forecast(known, unmet, answers, habit, span)
    assert [found.curve[0][0], found.curve[-1][0]] == [0, days]
    assert all(0 <= share <= 1 + 1e-9 for _, share in found.curve)
    items = len(known) + len(unmet)
    assert sum(found.then) / max(items, 1) == pytest.approx(found.ready)
    assert (found.new + found.due) * days <= habit.answers * days + 1
    assert found.unmet + round(found.new * days) == len(unmet)


def test_forgetting_without_practice() -> None:
    """Without practice, readiness is the recall that FSRS predicts for the cards as they are."""
    known = [CardState(0, 4.0, 5.0, 2, 3, False), CardState(0, 9.0, 5.0, 0, 9, False)]
    found = forecast(known, [NEW, NEW], [0], Habit(0, 20), Span(30))
    assert found.ready == pytest.approx(
        (DEFAULT.recall_after(32, 4.0) + DEFAULT.recall_after(30, 9.0)) / 4
    )
    assert (found.new, found.due, found.unmet) == (0, 0, 2)


def test_more_practice_helps() -> None:
    """More days raise readiness, and more time a day introduces more items."""

    def at(kept: float, answers: float) -> Forecast:
        return forecast([], [NEW] * 120, [0], Habit(kept, answers), Span(30, 3))

    shares = [at(kept, 10).ready for kept in (0, 0.2, 0.5, 1)]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert at(1, 5).unmet > at(1, 20).unmet == 0


def test_what_is_never_met_counts_by_ability() -> None:
    """It counts once there are ten first answers in its section, also if those are yet to come."""
    sure = NewItem(0, 0.9, 0.8)
    away = Habit(0, 20)
    assert forecast([], [sure] * 20, [9], away, Span(10)).ready == 0
    assert forecast([], [sure] * 20, [10], away, Span(10)).ready == pytest.approx(0.8)
    other = [sure] * 10 + [NewItem(1, 0.9, 0.8)] * 10
    assert forecast([], other, [10, 0], away, Span(10)).then == pytest.approx([8, 0])
    some = forecast([], [sure] * 40, [0], Habit(1, 3), Span(6))
    assert some.unmet == 30
    assert some.ready > 30 * 0.8 / 40


def test_hard_new_items_lower_the_forecast() -> None:
    """The more first answers are misses, the more time goes into repetitions."""

    def at(right: float) -> Forecast:
        return forecast([], [NewItem(0, right, 0)] * 60, [0], Habit(1, 8), Span(20, 2))

    assert at(0.95).ready > at(0.5).ready > at(0.1).ready
    assert at(0.95).unmet < at(0.1).unmet


def test_most_new_items_come_early() -> None:
    """A day has twice its share, and ten at least; the last days are free of them."""
    assert [new_items_per_day(100, days, 4) for days in (24, 14, 5, 4, 1, 0)] == [
        10,
        20,
        100,
        100,
        100,
        0,
    ]
    assert [new_items_per_day(n, 30, 4) for n in (0, 4, 40, 400)] == [0, 4, 10, 31]


def thousand_items() -> tuple[list[CardState], list[NewItem]]:
    """Return 600 cards in ten sections, every sixth missed, and 400 items not met."""
    known = [
        CardState(
            n % 10, 0.5 + (n * 37 % 60), 3 + n % 7, n % 20, 0 if n % 6 == 0 else n % 31, n % 6 == 0
        )
        for n in range(600)
    ]
    return known, [NewItem(n % 10, 0.6, 0.5) for n in range(400)]


@pytest.mark.parametrize("days", [30, 330])
@pytest.mark.parametrize("answers", [15, 40, 10_000])
def test_a_sample_of_cards_is_enough(days: int, answers: int) -> None:
    """A sample gives nearly the same result as all cards, also by section."""
    known, unmet = thousand_items()
    habit, span = Habit(0.9, answers), Span(days, days // 8)
    part, whole = (
        forecast(known, unmet, ANSWERS, habit, span),
        forecast(known, unmet, ANSWERS, habit, span, 10_000),
    )
    assert part.curve[0] == whole.curve[0]
    for (day, some), (same_day, every) in zip(part.curve, whole.curve, strict=True):
        assert day == same_day
        assert some == pytest.approx(every, abs=0.03)
    assert part.then == pytest.approx(whole.then, abs=10)  # of a hundred
    assert part.new == pytest.approx(whole.new, abs=1)
    assert part.due == pytest.approx(whole.due, rel=0.1)


def test_the_cost_of_a_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """A year with a thousand cards simulates a thousand answers rather than ten thousand."""
    answers, next_state = count(1), Formulas.next_state
    monkeypatch.setattr(Formulas, "next_state", lambda *given: next(answers) and next_state(*given))
    found = forecast(*thousand_items(), ANSWERS, Habit(1, 40), Span(330, 40))
    assert found.due * 330 > 7_000
    assert 500 < next(answers) < 1_500


def test_forecasts_come_true() -> None:
    """The readiness that plans expect halfway is close to the package's result at the end."""
    bank = packs().only(list(packs().asked_topics)[:40])
    errors = [
        expected - truth
        for expected, truth in (forecast_and_truth(n, bank, futures=1) for n in range(10))
    ]
    assert sum(map(abs, errors)) / len(errors) < 0.08
