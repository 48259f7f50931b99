"""Which team a member plays for."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def team_of(roles: Sequence[int], teams: Collection[int]) -> int | None:
    """Return the first of a member's roles, highest first, that is a team; None if none is."""
    return next((role_id for role_id in roles if role_id in teams), None)
