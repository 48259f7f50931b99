"""How a round was won: the points of the first three after each question, where that says more than the standings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

FEWEST_QUESTIONS = 5
DRAWN = 3


@dataclass(frozen=True, slots=True)
class Race:
    """`totals`: for each of the first members of the standings, their points after each question.

    After question `lead_at`, counted from 1, and ever since, the winner was alone in front.
    """

    winner_id: int
    lead_at: int
    totals: tuple[tuple[int, ...], ...]


def race(points: Sequence[Mapping[int, int]], order: Sequence[int]) -> Race | None:
    """The race of a round, or None if the standings tell it all.

    `points` are what members won with each question, in the order of the questions; `order` are the members, best
    first. There is a race when one of at least two members with points took the lead for good in the second half of at
    least five questions.
    """
    totals = {member: tuple(accumulate(won.get(member, 0) for won in points)) for member in order}
    if len(points) < FEWEST_QUESTIONS or sum(course[-1] > 0 for course in totals.values()) < 2:
        return None
    winner, *others = order
    ahead = [all(mine > totals[other][n] for other in others) for n, mine in enumerate(totals[winner])]
    behind = [n for n, leads in enumerate(ahead, start=1) if not leads]
    lead_at = behind[-1] + 1 if behind else 1
    if not len(points) / 2 < lead_at <= len(points):
        return None
    shown = [member for member in order[:DRAWN] if totals[member][-1] > 0]
    return Race(winner, lead_at, tuple(totals[member] for member in shown))
