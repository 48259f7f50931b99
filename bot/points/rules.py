"""Points and standings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FULL_POINTS = 100


def points(correct: bool, elapsed_ms: int, limit_ms: int) -> int:
    """Points for one answer in a round: 100 at once, 50 at the deadline, 0 when wrong or late.

    `elapsed_ms` runs from the question message's snowflake to the interaction's; both are Discord's clock.
    """
    if not correct or elapsed_ms > limit_ms:
        return 0
    return round(FULL_POINTS * (1 - max(0, elapsed_ms) / (2 * limit_ms)))


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
