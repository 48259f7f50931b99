"""The rows and pages of leaderboards. Pages count from 0."""

from __future__ import annotations

from msgspec import Struct


class TeamSum(Struct, frozen=True):
    """The points that a team won in a period, and how many members answered for it."""

    team_id: int
    points: int
    members: int

    @property
    def tenths(self) -> int:
        """Points for each active member, in tenths as shown, so that equal figures share a place."""
        return round(10 * self.points / self.members) if self.members else 0


class MemberRow(Struct, frozen=True):
    """A member's row. `name` is None for a member who has not been seen yet.

    `before` is their place in the previous period, if they had one.
    """

    place: int
    user_id: int
    points: int
    name: str | None = None
    before: int | None = None


class TeamRow(Struct, frozen=True):
    """A team's row; `tenths` are points for each active member, in tenths. `before` is as above."""

    place: int
    team_id: int
    name: str | None
    tenths: int
    members: int
    before: int | None


class Board(Struct, frozen=True):
    """One page of the leaderboard.

    `own` is the asker's place, and `ahead` the nearest member with more points, if there is one.
    """

    page: int
    pages: int
    size: int
    rows: tuple[MemberRow, ...]
    own: MemberRow | None
    ahead: MemberRow | None
    has_teams: bool = False


class TeamBoard(Struct, frozen=True):
    """One page of the team leaderboard.

    `small` are names of teams with too few active members for a place. `own_name` and `own` are of
    the asker's team, if it has a name and a place.
    """

    page: int
    pages: int
    size: int
    rows: tuple[TeamRow, ...]
    own: TeamRow | None
    own_name: str | None
    small: tuple[str | None, ...]
    has_teams: bool
