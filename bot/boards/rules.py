"""Places of teams, trends, and levels of activity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from msgspec import Struct

from bot.answers.rules import places

PAGE_SIZE = 10
"""The number of rows on a page of a leaderboard."""
FEWEST_ACTIVE = 3
"""A team needs this many active members for a place, so that its average means something."""
WEEKS = 12
STEPS = (1, 3, 6, 12)
"""The least number of answers on a day for each level; a round of ten reaches the third."""


class TeamSum(Struct, frozen=True):
    """The points that a team won in a period, and how many members answered for it."""

    team_id: int
    points: int
    members: int

    @property
    def tenths(self) -> int:
        """Points for each active member, in tenths as shown, so that equal figures share a place."""
        return round(10 * self.points / self.members) if self.members else 0


class RankedMember(Struct, frozen=True):
    """A member's place and points; members with equal points share a place.

    On a page, `name` is None for a member who has not been seen yet, and `before` is their place in
    the previous period, if they had one.
    """

    place: int
    user_id: int
    points: int
    name: str | None = None
    before: int | None = None


class RankedPage(Struct, frozen=True):
    """One page of a leaderboard, counted from 0, and the place of the member who asks."""

    page: int
    pages: int
    members: int
    listed: tuple[RankedMember, ...]
    own: RankedMember | None
    """None for a member without points in the period."""
    ahead: RankedMember | None
    """The nearest member with more points, if there is one."""


def count_pages(rows: int) -> int:
    """Return the number of pages of a leaderboard. An empty one has a page too."""
    return max(1, -(-rows // PAGE_SIZE))


def rank(points: Mapping[int, int], *, user_id: int, page: int) -> RankedPage:
    """Return a page of the members by their points; a page past the end gives the last one."""
    order = _ranked_members(points)
    pages = count_pages(len(order))
    page = min(page, pages - 1)
    own = next((member for member in order if member.user_id == user_id), None)
    better = [member for member in order if own and member.points > own.points]
    return RankedPage(
        page=page,
        pages=pages,
        members=len(order),
        listed=tuple(order[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]),
        own=own,
        ahead=better[-1] if better else None,
    )


def places_of(points: Mapping[int, int]) -> dict[int, int]:
    """Return the place of every member with points."""
    return {member.user_id: member.place for member in _ranked_members(points)}


def _ranked_members(points: Mapping[int, int]) -> list[RankedMember]:
    order = sorted(points.items(), key=lambda member: (-member[1], member[0]))
    shared = places([won for _, won in order])
    return [
        RankedMember(place, user_id, won)
        for place, (user_id, won) in zip(shared, order, strict=True)
    ]


def ranked(sums: Sequence[TeamSum]) -> list[tuple[int, TeamSum]]:
    """Return the teams with enough active members with their places, best average first."""
    large = sorted(
        (s for s in sums if s.members >= FEWEST_ACTIVE), key=lambda s: (-s.tenths, s.team_id)
    )
    return list(zip(places([s.tenths for s in large]), large, strict=True))


def trend(place: int, before: int | None) -> str:
    """Return an arrow for the change since the previous period; empty without a place in it."""
    if before is None:
        return ""
    return "▲" if place < before else "▼" if place > before else "▬"


def first_day(today: date) -> date:
    """Return the first Monday of the twelve weeks that end with the current one."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def level(count: int) -> int:
    """Return how strongly a day is marked: 0 without answers, up to 4."""
    return sum(count >= step for step in STEPS)
