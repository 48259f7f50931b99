"""Fits FSRS's four first stabilities to a member's reviews.

They show in the first answer to an item on a later day than its very first one. The probability
that FSRS gives to it follows from the first rating's stability and from the answers of that first day.
For each rating, the stability is the one that makes what happened most probable; without many answers
it stays near the usual one. It is kept if it predicts better than the usual one what it was not fitted
to: each fifth of the items by the other four.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice, pairwise

from fsrs import Rating
from msgspec import Struct

from bot.core.limits import MAX_FIT_ANSWERS, MAX_FIT_ITEMS
from bot.memory.model import FirstStabilities
from bot.memory.rules import USUAL, recall_after, review

FIRST_FIT = 100
"""Reviews before the first fit."""
GROWTH = 2
"""They are fitted again when the reviews have become so many times as many."""
_PARTS = 5
"""Items are parted into so many groups, each to be predicted by the others."""
_FACTORS = [2 ** (n / 4) for n in range(-16, 17)]
"""The stabilities to try, relative to the usual one: from a sixteenth to sixteen times as long."""
_UNLIKELY = [math.log(factor) ** 2 / 2 for factor in _FACTORS]
"""How unlikely they are for members in general, in the logarithm: it is spread by 1."""
_CERTAIN = 1e-6
"""Probabilities stay this far from 0 and 1, so that one surprise doesn't decide alone."""
_AT = datetime(2000, 1, 1, tzinfo=UTC)


class FirstRecall(Struct, frozen=True):
    """An item's answers of its first day, then after so many days whether the next one was right."""

    first_day: tuple[Rating, ...]
    days: int
    right: bool


def reviews_needed(fitted_with: int | None) -> int:
    """Return how many reviews the next fit needs; `fitted_with` is what the last one had, if any."""
    return FIRST_FIT if fitted_with is None else fitted_with * GROWTH


def fit(history: Mapping[str, Sequence[tuple[Rating, datetime]]]) -> FirstStabilities:
    """Return the first stabilities that predict a member's reviews best.

    `history` has reviews by item, the oldest first. A stability that doesn't predict better than the
    usual one stays usual.
    """
    found = (find_case(history[item_id]) for item_id in sorted(history))
    cases = list(islice(filter(None, found), MAX_FIT_ITEMS))
    again, hard, good, easy = (_best(cases, Rating(n + 1)) for n in range(len(USUAL)))
    return again, hard, good, easy


def find_case(reviews: Sequence[tuple[Rating, datetime]]) -> FirstRecall | None:
    """Return what an item's reviews tell; None if all are of one day."""
    for number, ((_, before), (rating, at)) in enumerate(pairwise(reviews)):
        if days := (at - before).days:
            first_day = tuple(rated for rated, _ in reviews[: number + 1][:MAX_FIT_ANSWERS])
            return FirstRecall(first_day, days, rating != Rating.Again)
    return None


def _best(cases: Sequence[FirstRecall], rating: Rating) -> float:
    """Return the best stability after a first answer with this rating."""
    usual = USUAL[rating - 1]
    own = [case for case in cases if case.first_day[0] == rating]
    losses = [[0.0] * _PARTS for _ in _FACTORS]
    for number, factor in enumerate(_FACTORS):
        after = {
            first_day: _after_first_day(first_day, usual * factor)
            for first_day in {case.first_day for case in own}
        }
        for n, case in enumerate(own):
            losses[number][n % _PARTS] += _loss(case, after[case.first_day])
    tried = range(len(_FACTORS))
    total = [sum(parts) for parts in losses]

    def best_without(part: int) -> int:
        return min(tried, key=lambda n: total[n] - losses[n][part] + _UNLIKELY[n])

    held_out = sum(losses[best_without(part)][part] for part in range(_PARTS))
    if held_out >= total[_FACTORS.index(1)]:
        return usual
    return usual * _FACTORS[min(tried, key=lambda n: total[n] + _UNLIKELY[n])]


def _after_first_day(first_day: Sequence[Rating], stability: float) -> float:
    """Return an item's stability after its first day, given that after the first answer."""
    card = None
    for rating in first_day:
        card = review(card, rating, _AT, (stability, stability, stability, stability))
    assert card is not None
    return card.stability


def _loss(case: FirstRecall, stability: float) -> float:
    chance = min(max(recall_after(case.days, stability), _CERTAIN), 1 - _CERTAIN)
    return -math.log(chance if case.right else 1 - chance)
