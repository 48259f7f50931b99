"""Whose team a member is in, and how many teams a server can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def team_of(roles: Sequence[int], teams: Collection[int]) -> int | None:
    """The team that a member plays for: of their roles, given highest first, the first that is one."""
    return next((role_id for role_id in roles if role_id in teams), None)
