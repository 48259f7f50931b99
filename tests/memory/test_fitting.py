"""A fit finds a member's own parameters where they differ, and keeps the default ones otherwise."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime, timedelta

import pytest
from fsrs import Rating

from bot.core.child_process import Limits, Process
from bot.core.limits import MAX_FITTING_MEMORY, MAX_FITTING_SECONDS
from bot.memory import fitting
from bot.memory.fitting import Fit, first_held_out, fit, fitted, log_loss, training_items
from bot.memory.rules import DEFAULT, MemoryModel, recall, review
from tests.memory.fitting_trial import KINDS, Reviews, simulate

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
AGAIN, HARD, GOOD = Rating.Again, Rating.Hard, Rating.Good
FAST = "forgets four times as fast"

library = pytest.mark.skipif(
    not fitting.is_available(), reason="fsrs-rs-python has no wheel for this platform"
)


@library
def test_a_fast_forgetter() -> None:
    """Fitted parameters predict held-out answers better, and later ones too; recall is lower."""
    history = simulate(KINDS[FAST], 1200, seed=1)
    later = sorted(at for log in history.values() for _, at in log)[900]
    past = {
        item_id: earlier
        for item_id, log in history.items()
        if (earlier := [each for each in log if each[1] < later])
    }
    found = fit(past)
    assert found.parameters is not None
    assert found.loss_before is not None
    assert found.loss_after is not None
    assert found.loss_after < found.loss_before - 0.05
    assert found.gain == pytest.approx(1 - found.loss_after / found.loss_before)
    own = MemoryModel(found.parameters)
    default_loss, own_loss = log_loss(history, DEFAULT, later), log_loss(history, own, later)
    assert default_loss is not None
    assert own_loss is not None
    assert own_loss < default_loss - 0.05
    week_later = recall(review(None, GOOD, AT, own), AT + 7 * DAY, own)
    assert week_later < recall(review(None, GOOD, AT), AT + 7 * DAY) - 0.05


@library
def test_equal_reviews_give_equal_parameters() -> None:
    """Nothing depends on chance or on the process; the limits of the child process are enough."""
    history = simulate(KINDS[FAST], 400, seed=2)
    process = Process(Limits(seconds=MAX_FITTING_SECONDS, memory=MAX_FITTING_MEMORY))
    try:
        assert process.call(fit, history) == fit(history)
    finally:
        process.close()


def test_parameters_that_are_not_better(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default ones stay, and both losses are reported; equal losses count as not better."""
    history = simulate(KINDS["as FSRS expects"], 400, seed=1)
    worse = (5.0, 20.0, 40.0, *DEFAULT.parameters[3:])
    monkeypatch.setattr(fitting, "fitted", lambda history, before=None: worse)
    found = fit(history)
    assert found.parameters is None
    assert found.loss_before is not None
    assert found.loss_after is not None
    assert found.loss_after > found.loss_before
    assert found.gain == 0
    monkeypatch.setattr(fitting, "fitted", lambda history, before=None: DEFAULT.parameters)
    assert fit(history) == Fit(None, found.loss_before, found.loss_before)


def test_the_fit_that_decides_does_not_see_what_is_held_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It gets the earlier reviews only; the fit that is kept gets all."""
    history = simulate(KINDS["forgets half as fast"], 400, seed=1)
    better = simulate(KINDS[FAST], 400, seed=1)
    seen: list[datetime | None] = []

    def note(history: Reviews, before: datetime | None = None) -> tuple[float, ...]:
        seen.append(before)
        return (*(value / 4 for value in DEFAULT.parameters[:4]), *DEFAULT.parameters[4:])

    monkeypatch.setattr(fitting, "fitted", note)
    assert fit(history).parameters is None
    assert seen == [first_held_out(history)]
    assert fit(better).parameters is not None
    assert seen[1:] == [first_held_out(better), None]


def test_the_last_fifth_is_held_out() -> None:
    """By time, over all items."""
    history = {
        "a": [(GOOD, AT + n * DAY) for n in range(0, 100, 2)],
        "b": [(GOOD, AT + n * DAY) for n in range(1, 100, 2)],
    }
    assert first_held_out(history) == AT + 80 * DAY


def test_too_little_to_compare() -> None:
    """If hardly any held-out answer came a day after another one, nothing is fitted."""
    history = {f"item-{n}": [(GOOD, AT + n * timedelta(minutes=1))] for n in range(400)}
    assert fit(history) == Fit(None, None, None)


def test_log_loss() -> None:
    """The mean over predicted answers since a moment: no first ones, none of the same day."""
    log = [(GOOD, AT), (AGAIN, AT + 3 * DAY), (GOOD, AT + 3 * DAY + timedelta(minutes=10))]
    log.append((GOOD, AT + 5 * DAY))
    history = {f"item-{n}": log for n in range(30)}
    first = review(None, GOOD, AT)
    card = first
    for rating, at in log[1:3]:
        card = review(card, rating, at)
    miss = -math.log(1 - recall(first, AT + 3 * DAY))
    hit = -math.log(recall(card, AT + 5 * DAY))
    assert log_loss(history, DEFAULT, AT) == pytest.approx((miss + hit) / 2)
    assert log_loss(history, DEFAULT, AT + 4 * DAY) == pytest.approx(hit)
    assert log_loss(history, DEFAULT, AT + 6 * DAY) is None


@library
def test_training_items() -> None:
    """One for each answer a day or more after another, with all before it, in days."""
    log = [
        (AGAIN, AT),
        (GOOD, AT + timedelta(minutes=10)),
        (HARD, AT + timedelta(hours=23)),
        (GOOD, AT + timedelta(hours=48)),
        (AGAIN, AT + 9 * DAY),
    ]
    found = [str(item.reviews) for item in training_items(log)]
    first = [(1, 0), (3, 0), (2, 0), (3, 1)]
    wanted = [first, [*first, (1, 7)]]
    assert found == [
        "[" + ", ".join(f"FSRSReview {{ rating: {r}, delta_t: {d} }}" for r, d in one) + "]"
        for one in wanted
    ]


@library
def test_parameters_are_within_bounds() -> None:
    """Also if every answer is a miss, which drives them to the edge."""
    history = {f"item-{n}": [(AGAIN, AT), (AGAIN, AT + 2 * DAY)] for n in range(300)}
    parameters = fitted(history)
    assert parameters != DEFAULT.parameters
    assert MemoryModel(parameters).parameters == parameters


def test_when_a_fit_is_due() -> None:
    """At 400 reviews, then at twice as many as the last one had."""
    assert fitting.reviews_needed(None) == 400
    assert fitting.reviews_needed(450) == 900


def test_a_missing_library_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, the module works as far as nothing is fitted."""
    monkeypatch.setitem(sys.modules, "fsrs_rs_python", None)
    assert not fitting.is_available()
    assert log_loss(simulate(KINDS[FAST], 200, seed=1), DEFAULT, AT) is not None
