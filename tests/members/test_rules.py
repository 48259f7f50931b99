"""Which team a member is in."""

from __future__ import annotations

import pytest

from bot.members.rules import team_of


@pytest.mark.parametrize(
    ("roles", "team"),
    [((3, 2, 1), 2), ((1, 2), 1), ((3,), None), ((), None)],
)
def test_the_highest_role_that_is_a_team(roles: tuple[int, ...], team: int | None) -> None:
    """Of roles given highest first the first one that is a team counts, and higher ones that are none do not."""
    assert team_of(roles, {1, 2}) == team
    assert team_of(roles, ()) is None
