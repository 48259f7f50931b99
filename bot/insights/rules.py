"""The statistics of answers: correlation, significance, and the numbers that decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import copysign, inf, sqrt
from statistics import fmean, median, pstdev

from msgspec import Struct

FEWEST_ANSWERS = 20
"""An item or topic with fewer answers is not judged."""
EASY = 90
"""An item is too easy from this percentage of right answers."""
HARD = 30
"""An item is too hard below this percentage of right answers."""
WEAK = 75
"""A topic is weak below this percentage of right answers."""
WEAKEST = 3
"""The number of weak topics shown."""
FEWEST_OTHERS = 5
"""A member with fewer answers to other items has no skill."""
_FEWEST_MEMBERS = 6
_SIGNIFICANT = 2.0
"""A difference of this many standard errors is not chance."""


class Given(Struct, frozen=True):
    """An answer to a revealed question; `answer` is encoded as in `bot.questions.answers`."""

    item_id: str
    user_id: int
    answer: str
    correct: bool
    at: datetime


def wrong_majority(skills: Sequence[float], wrong: Sequence[bool]) -> tuple[int, int] | None:
    """Return how many of the more skilled half are wrong and right, if the wrong ones win there.

    Return None if that may be chance, or if less skilled members are even more often wrong: such
    an item is hard, not doubtful.
    """
    if len(skills) < _FEWEST_MEMBERS:
        return None
    middle = median(skills)
    better = [is_wrong for skill, is_wrong in zip(skills, wrong, strict=True) if skill >= middle]
    missed = sum(better)
    hit = len(better) - missed
    correlation = point_biserial(skills, wrong)
    if missed <= hit or (correlation is not None and correlation < 0):
        return None
    lead = (missed - hit) / sqrt(missed + hit)
    evidence = max(lead, t_value(correlation or 0.0, len(skills)))
    return (missed, hit) if evidence >= _SIGNIFICANT else None


def point_biserial(scores: Sequence[float], marked: Sequence[bool]) -> float | None:
    """Return the correlation of a score with a mark, from -1 to 1.

    Return None if all scores or all marks are equal. r = (M1 - M0) / s * sqrt(p * q), with the
    means of those with and without the mark, the standard deviation of all, and the shares p and q
    of both (J. Lev, "The point biserial coefficient of correlation", Annals of Mathematical
    Statistics 20, 1949).
    """
    with_mark = [score for score, mark in zip(scores, marked, strict=True) if mark]
    without = [score for score, mark in zip(scores, marked, strict=True) if not mark]
    if not with_mark or not without or (spread := pstdev(scores)) < 1e-9:
        return None
    shares = len(with_mark) * len(without) / len(scores) ** 2
    return max(-1.0, min(1.0, (fmean(with_mark) - fmean(without)) / spread * sqrt(shares)))


def t_value(correlation: float, number: int) -> float:
    """Return how many standard errors a correlation of `number` pairs is away from zero.

    This is Student's t, as Lev shows.
    """
    rest = 1 - correlation**2
    return correlation * sqrt((number - 2) / rest) if rest > 1e-12 else copysign(inf, correlation)
