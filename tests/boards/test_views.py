"""Pages of boards."""

from __future__ import annotations

from bot.boards.model import Board, MemberRow
from bot.boards.views import Asked, board_page
from bot.chat.messages import text_of


def test_the_asker_and_who_is_ahead() -> None:
    """One's own place has the distance to the next one."""
    rows = (MemberRow(1, 2, 80, "Bob", 3), MemberRow(2, 1, 50, None))
    shown = text_of(
        board_page(Board(0, 1, 2, rows, rows[1], rows[0]), Asked("members", "week", None))
    )
    assert "🥇 **Bob** · **80 points** ▲\n🥈 a member · **50 points**" in shown
    assert "You: 2nd · 50 points · 30 behind 1st" in shown
