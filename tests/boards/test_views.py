"""Pages of boards."""

from __future__ import annotations

import pytest

from bot.answers.rules import PERIODS
from bot.boards.model import Board, MemberRow
from bot.boards.views import Asked, board_page
from bot.chat.messages import text_of


@pytest.mark.parametrize("period", PERIODS)
def test_an_empty_board_says_what_to_do(period: str) -> None:
    """It has no rows, and can't be shown in the channel."""
    shown = text_of(board_page(Board(0, 1, 0, (), None, None), Asked("members", period, None)))
    assert "Nobody has points" in shown
    assert "Start a round with </quiz>" in shown
    assert "Show in channel" not in shown


def test_the_asker_and_who_is_ahead() -> None:
    """One's own place has the distance to the next one."""
    rows = (MemberRow(1, 2, 80, "Bob", 3), MemberRow(2, 1, 50, None))
    shown = text_of(
        board_page(Board(0, 1, 2, rows, rows[1], rows[0]), Asked("members", "week", None))
    )
    assert "🥇 **Bob** · **80 points** ▲\n🥈 a member · **50 points**" in shown
    assert "You: 2nd · 50 points · 30 behind 1st" in shown
