"""The questions to a model for natural language inference about a point, and the verdict.

Such a model reads two texts and says how probable it is that the first entails the second, that it
contradicts it, or neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from msgspec import Struct

from bot.interviews.grading.verifying import PointToCheck, Ruling, Verdict

MAX_OPPOSITES = 4
"""Opposites of a point that the model is asked about: each takes two more pairs."""
SAYS_FROM = 0.45
"""The lowest support for SAYS. An answer that says more than its key point entails it in one order
only, and that gives at most 0.5.
"""
OPPOSITE_FROM = 0.5
"""The lowest evidence for OPPOSITE. Contradictions are seen in both orders."""


class Probabilities(Struct, frozen=True):
    """The model's answer about a pair of texts; the rest up to 1 is neutral."""

    entailment: float
    contradiction: float


def pairs_for(point: PointToCheck) -> list[tuple[str, str]]:
    """Return the pairs to ask the model about: key point and opposites, each in both orders."""
    statements = [point.text, *point.opposites[:MAX_OPPOSITES]]
    return [
        pair
        for statement in statements
        for pair in ((point.passage, statement), (statement, point.passage))
    ]


def ruling_for(point: PointToCheck, answers: Sequence[Probabilities]) -> Ruling:
    """Return the ruling on a point; `answers` are about its `pairs_for`, in that order."""
    entailed = [
        fmean((there.entailment, back.entailment))
        for there, back in zip(answers[::2], answers[1::2], strict=True)
    ]
    support = entailed[0]
    against = max(fmean(answer.contradiction for answer in answers[:2]), *entailed[1:], 0.0)
    if support >= SAYS_FROM and support >= against:
        return Ruling(Verdict.SAYS, point.passage)
    if against >= OPPOSITE_FROM and against > support:
        return Ruling(Verdict.OPPOSITE, point.passage)
    return Ruling(Verdict.NEITHER)
