"""Places of members and teams, and trends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.answers.rules import places
from bot.boards.model import TeamSum

FEWEST_ACTIVE = 3
"""A team needs this many active members for a place, so that its average means something."""


def rank(scores: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return (place, id) of all ids with a score above zero, best first.

    Equal scores share a place, in the order of their ids.
    """
    order = sorted((-score, key) for key, score in scores.items() if score > 0)
    shared = places([score for score, _ in order])
    return [(place, key) for place, (_, key) in zip(shared, order, strict=True)]


def rank_teams(sums: Iterable[TeamSum]) -> list[tuple[int, int]]:
    """Return (place, id) of the teams with enough active members, best average first."""
    return rank({s.team_id: s.tenths for s in sums if s.members >= FEWEST_ACTIVE})


def trend(place: int, before: int | None) -> str:
    """Return an arrow for the change since the previous period; empty without a place in it."""
    if before is None:
        return ""
    return "▲" if place < before else "▼" if place > before else "▬"
