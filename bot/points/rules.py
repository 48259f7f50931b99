"""Figures of members in a round, places, and the pages of boards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


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


PERIODS = ("today", "week", "month", "all")
PAGE_SIZE = 10
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


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a board. `before` is the member's place in the previous period, if they had one."""

    place: int
    user_id: int
    points: int
    before: int | None = None

    @property
    def trend(self) -> str:
        """An arrow against the previous period; empty for a member who was not on that board."""
        if self.before is None:
            return ""
        return "▲" if self.place < self.before else "▼" if self.place > self.before else "▬"


@dataclass(frozen=True, slots=True)
class Own:
    """The asker's place. `behind` are the points missing to `next_place`; both are None for the leader."""

    place: int
    points: int
    behind: int | None = None
    next_place: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """One page of a board. Pages count from 0."""

    period: str
    topic_id: str | None
    page: int
    pages: int
    members: int
    rows: tuple[Row, ...]
    own: Own | None
