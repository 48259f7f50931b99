"""Figures of members in a round, places, and the periods for which points are summed up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

PAYS_AGAIN = timedelta(days=30)
"""How long after it won a member points on a server's boards an item wins them none in a round."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What one member did in a round. `total_ms` is the sum of the answer times of all `answered` questions."""

    user_id: int
    points: int
    right: int
    answered: int
    total_ms: int

    @property
    def average_ms(self) -> int:
        return self.total_ms // self.answered if self.answered else 0


def places(scores: Sequence[int]) -> list[int]:
    """Places for scores in falling order; equal scores share a place and the next one is skipped (1, 1, 3)."""
    result: list[int] = []
    for index, score in enumerate(scores):
        result.append(result[-1] if index and score == scores[index - 1] else index + 1)
    return result


def standings(tallies: Iterable[Tally]) -> list[tuple[int, Tally]]:
    """Tallies with their places, best first; among equals the faster one is named first but shares the place."""
    ordered = sorted(tallies, key=lambda t: (-t.points, t.average_ms, t.user_id))
    return list(zip(places([t.points for t in ordered]), ordered, strict=True))


PASSING = ("today", "week", "month")
PERIODS = (*PASSING, "all")
SUMS_KEPT = timedelta(days=90)
"""How long the sums of a day, week or month are kept after it began; /stats shows the last twelve weeks."""
ALL_TIME = date(1970, 1, 1)  # the start of the period that never ends
_EXACT_BITS = 9


def period_start(period: str, day: date) -> date:
    """First local date of the period that contains `day`; weeks begin on Monday."""
    match period:
        case "today":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "all":
            return ALL_TIME
    raise ValueError(period)


def previous_start(period: str, start: date) -> date | None:
    """Start of the period before the one that starts at `start`; None where there is none."""
    if period == "all":
        return None
    return period_start(period, start - timedelta(days=1))


def bucket(points: int) -> int:
    """The lowest points of the bucket into which `points` (0 or more) fall.

    Buckets are exact below 512 and then at most as wide as a 256th of their points, so that any board has few of them
    and few members share one: a place is then a sum over buckets and a count within one.
    """
    width = max(0, points.bit_length() - _EXACT_BITS)
    return points >> width << width
