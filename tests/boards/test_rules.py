"""Places on boards, and trends."""

from __future__ import annotations

from bot.boards.model import TeamSum
from bot.boards.rules import rank_teams, trend


def test_places_of_teams() -> None:
    """A team needs three active members; the average decides, rounded like on the card."""
    sums = [TeamSum(1, 300, 3), TeamSum(2, 900, 2), TeamSum(3, 401, 4), TeamSum(4, 300, 3)]
    assert rank_teams(sums) == [(1, 3), (2, 1), (2, 4)]


def test_trends() -> None:
    """An arrow points up for a better place than before, and there is none for who was not on the board."""
    assert trend(2, 5) == "▲"
    assert trend(5, 2) == "▼"
    assert trend(2, 2) == "▬"
    assert trend(2, None) == ""
