"""Parts of messages that rounds and challenges share."""

from __future__ import annotations

import pytest

from bot.answers.model import Tally
from bot.answers.rules import standings
from bot.games.views import standing_rows


@pytest.mark.parametrize(
    ("players", "rest"),
    [(3, []), (10, []), (11, ["-# and 1 more"]), (5_000, ["-# and 4,990 more"])],
)
def test_the_first_ten_are_listed(players: int, rest: list[str]) -> None:
    """Each has a line, the first three apart; more are only counted."""
    ranked = standings(Tally(user_id, user_id, 1, 1, 1000) for user_id in range(1, players + 1))
    blocks = standing_rows(ranked, {}, lambda tally: f"#{tally.user_id}", repeats=False)
    listed = [block for block in blocks if not block.startswith("-#")]
    shown = [line.rpartition("#")[2] for block in listed for line in block.splitlines()]
    assert shown == [str(tally.user_id) for _, tally in ranked[:10]]
    assert [len(block.splitlines()) for block in listed] == ([3, 7] if players > 3 else [3])
    assert blocks[len(listed) :] == rest
