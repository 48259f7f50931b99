"""Measures the difficulty of items from members' first answers: a Rasch model with guessing.

Abilities and difficulties are estimated in turns until they fit each other (joint maximum a
posteriori). `bot.memory.ability` has the model. The difficulty that the bank gives an item is the
expectation before any answer, so the first answers change it little.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot.memory.ability import SPREAD_OF_MEMBERS, evidence
from bot.questions.model import Measured

SPREAD_OF_ITEMS = 0.8
"""Standard deviation of items' difficulties around those that the bank gives."""
_ROUNDS = 12
_LONGEST_STEP = 1.0


class Expected(NamedTuple):
    """The difficulty and the chance to guess that the bank gives an item."""

    difficulty: float
    guessing: float


def measure(
    items: Mapping[str, Expected], answers: Sequence[Sequence[tuple[str, bool]]]
) -> dict[str, Measured]:
    """Return the measured difficulties of all items that were answered.

    `answers` has for each member the items they answered, each with whether the first answer was
    right. Items that are not in `items` don't count.
    """
    known = [[(i, right) for i, right in of_one if i in items] for of_one in answers]
    abilities = [0.0] * len(known)
    difficulties = {item_id: item.difficulty for item_id, item in items.items()}
    for _ in range(_ROUNDS):
        slopes: dict[str, float] = {}
        certainties: dict[str, float] = {}
        for member, of_one in enumerate(known):
            ability = abilities[member]
            slope, certainty = -ability / SPREAD_OF_MEMBERS**2, 1 / SPREAD_OF_MEMBERS**2
            for item_id, right in of_one:
                lead = ability - difficulties[item_id]
                gain, information = evidence(lead, items[item_id].guessing, right)
                slope += gain
                certainty += information
                slopes[item_id] = slopes.get(item_id, 0.0) - gain
                certainties[item_id] = certainties.get(item_id, 0.0) + information
            abilities[member] = ability + _limited(slope / certainty)
        for item_id, slope in slopes.items():
            before = difficulties[item_id]
            pull = (items[item_id].difficulty - before) / SPREAD_OF_ITEMS**2
            certainty = certainties[item_id] + 1 / SPREAD_OF_ITEMS**2
            difficulties[item_id] = before + _limited((slope + pull) / certainty)
    counts: dict[str, int] = {}
    for of_one in known:
        for item_id, _ in of_one:
            counts[item_id] = counts.get(item_id, 0) + 1
    return {i: Measured(difficulties[i], number) for i, number in counts.items()}


def _limited(step: float) -> float:
    return max(-_LONGEST_STEP, min(step, _LONGEST_STEP))
