"""The rule that makes a verdict of a model's probabilities."""

from __future__ import annotations

import pytest

from bot.interviews.grading.entailment import (
    MAX_OPPOSITES,
    OPPOSITE_FROM,
    SAYS_FROM,
    Probabilities,
    pairs_for,
    ruling_for,
)
from bot.interviews.grading.verifying import PointToCheck, Ruling, Verdict

POINT = PointToCheck("point", ("other wording",), ("opposite",), "passage")
UNSURE = Probabilities(0.1, 0.1)


def entails(probability: float) -> Probabilities:
    return Probabilities(probability, 0.0)


def contradicts(probability: float) -> Probabilities:
    return Probabilities(0.0, probability)


def verdict(*answers: Probabilities) -> Verdict:
    """Return the verdict on a point with one opposite, for answers in the order of its pairs."""
    return ruling_for(POINT, answers).verdict


def test_pairs() -> None:
    """The key point and each opposite are paired with the passage in both orders."""
    assert pairs_for(POINT) == [
        ("passage", "point"),
        ("point", "passage"),
        ("passage", "opposite"),
        ("opposite", "passage"),
    ]
    many = PointToCheck("point", (), tuple(f"opposite {n}" for n in range(9)), "passage")
    assert len(pairs_for(many)) == 2 * (1 + MAX_OPPOSITES)


def test_both_orders_count() -> None:
    """Support is the mean of both orders."""
    assert verdict(entails(1), entails(2 * SAYS_FROM - 1), UNSURE, UNSURE) is Verdict.SAYS
    assert verdict(entails(2 * SAYS_FROM - 0.01), entails(0), UNSURE, UNSURE) is Verdict.NEITHER
    assert verdict(entails(2 * SAYS_FROM), entails(0), UNSURE, UNSURE) is Verdict.SAYS


def test_a_contradiction() -> None:
    """A passage that contradicts the key point says the opposite, if that is probable enough."""
    assert verdict(contradicts(1), contradicts(0.9), UNSURE, UNSURE) is Verdict.OPPOSITE
    assert verdict(contradicts(1), contradicts(0), UNSURE, UNSURE) is Verdict.OPPOSITE
    below = contradicts(OPPOSITE_FROM - 0.01)
    assert verdict(below, below, UNSURE, UNSURE) is Verdict.NEITHER


def test_an_opposite_that_is_said() -> None:
    """A passage that entails an opposite says the opposite, unless it entails the key point as much."""
    assert verdict(entails(0.5), entails(0.5), entails(0.9), entails(0.7)) is Verdict.OPPOSITE
    assert verdict(entails(0.8), entails(0.8), entails(0.9), entails(0.7)) is Verdict.SAYS
    assert verdict(UNSURE, UNSURE, contradicts(1), contradicts(1)) is Verdict.NEITHER


@pytest.mark.parametrize(
    ("answers", "ruling"),
    [
        ([entails(1)] * 2, Ruling(Verdict.SAYS, "passage")),
        ([contradicts(1)] * 2, Ruling(Verdict.OPPOSITE, "passage")),
        ([UNSURE] * 2, Ruling(Verdict.NEITHER)),
    ],
)
def test_the_quote(answers: list[Probabilities], ruling: Ruling) -> None:
    """A verdict other than NEITHER quotes the passage; a point needs no opposites."""
    assert ruling_for(PointToCheck("point", (), (), "passage"), answers) == ruling
