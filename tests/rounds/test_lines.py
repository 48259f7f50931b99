"""Private lines that turn into results: after the reveal, each once, a bounded number, and nothing waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace

import pytest

from bot.rounds.lines import AFTER, KEPT_FOR, LATE, MOST_KEPT, MOST_LINES, PrivateLines
from bot.rounds.rules import OwnResult
from tests.virtual import seconds_passed, virtual, virtual_now

RESULT = OwnResult("B", None, 87, 2, 340, 3)


class Board:
    """The lines, and what members read: (member, second, their result)."""

    def __init__(self, *, takes: float = 0.1) -> None:
        self.takes = takes
        self.read: list[tuple[int, float]] = []
        self.asked: list[tuple[int, int]] = []
        self.under_way = self.most_at_once = 0
        self.gone: set[int] = set()
        self.lines = PrivateLines(virtual_now, self._results)

    async def _results(self, question_id: int, user_ids: Collection[int]) -> dict[int, OwnResult]:
        self.asked.append((question_id, len(user_ids)))
        return {
            user_id: replace(RESULT, total=user_id)
            for user_id in user_ids
            if user_id not in self.gone
        }

    def keep(self, user_id: int, question_id: int = 7) -> None:
        async def show(result: OwnResult) -> None:
            assert result.total == user_id
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
            await asyncio.sleep(self.takes)
            self.under_way -= 1
            self.read.append((user_id, round(seconds_passed(), 3)))

        self.lines.keep(question_id, user_id, show)


@virtual
async def test_each_line_turns_once_and_the_reveal_does_not_wait() -> None:
    """The reveal returns at once; a second one, after a crash between two steps, finds nothing more to tell."""
    board = Board()
    for user_id in (1, 2):
        board.keep(user_id)
    board.keep(3, question_id=8)
    board.lines.reveal(7)
    assert (board.read, seconds_passed()) == ([], 0)
    board.lines.reveal(7)
    await asyncio.sleep(20)
    assert sorted(board.read) == [(1, round(AFTER + 0.1, 3)), (2, round(AFTER + 0.1, 3))]
    assert board.asked == [(7, 2)]


@virtual
async def test_a_line_that_comes_after_the_reveal_turns_at_once() -> None:
    """An answer's reply may be on its way for longer than the reveal takes."""
    board = Board()
    board.lines.reveal(7)
    board.keep(1)
    await asyncio.sleep(1)
    assert board.read == [(1, 0.1)]
    board.lines.reveal(7)
    await asyncio.sleep(1)
    assert len(board.read) == 1


@virtual
async def test_a_crowd_is_told_bit_by_bit() -> None:
    """The first fifty of a question are told, eight at a time."""
    board = Board()
    for user_id in range(1, 101):
        board.keep(user_id)
    board.lines.reveal(7)
    await asyncio.sleep(20)
    assert sorted(user_id for user_id, _ in board.read) == list(range(1, MOST_LINES + 1))
    assert board.most_at_once == 8
    assert AFTER < min(at for _, at in board.read) < max(at for _, at in board.read) < AFTER + 1


@virtual
async def test_what_would_come_late_is_dropped() -> None:
    """Where Discord is slow, lines that would turn long after the reveal stay as they are, and nothing is left over."""
    board = Board(takes=4)
    for user_id in range(1, 41):
        board.keep(user_id)
    board.lines.reveal(7)
    await asyncio.sleep(60)
    assert {at for _, at in board.read} == {AFTER + 4, AFTER + 8}
    assert max(at for _, at in board.read) <= LATE
    assert len(board.read) == 16
    board.takes = 0
    board.keep(50, question_id=8)
    board.lines.reveal(8)
    await asyncio.sleep(1)
    assert board.read[-1][0] == 50  # the room is free again


@virtual
async def test_lines_that_discord_takes_no_edits_for_any_longer() -> None:
    """A question that was open for long has lines of both kinds."""
    board = Board()
    board.keep(1)
    await asyncio.sleep(KEPT_FOR.total_seconds())
    board.keep(2)
    board.lines.reveal(7)
    await asyncio.sleep(5)
    assert [user_id for user_id, _ in board.read] == [2]


@virtual
async def test_the_oldest_go_when_there_are_too_many() -> None:
    """However many questions are never revealed, no more than so many lines are kept."""
    board = Board()
    for question_id in range(1, 1 + MOST_KEPT // MOST_LINES + 1):
        for user_id in range(1, MOST_LINES + 1):
            board.keep(user_id, question_id)
    for question_id in (1, 2):
        board.lines.reveal(question_id)
    await asyncio.sleep(5)
    assert board.asked == [(2, MOST_LINES)]


@virtual
async def test_a_member_and_a_server_are_forgotten() -> None:
    """A member's lines go on every question; with a server that was erased, all that are too old to be edited."""
    board = Board()
    for user_id, question_id in ((1, 7), (2, 7), (1, 8)):
        board.keep(user_id, question_id)
    board.lines.forget_member(1)
    board.lines.reveal(7)
    board.lines.reveal(8)
    await asyncio.sleep(5)
    assert board.asked == [(7, 1)]
    board.keep(3, question_id=9)
    await asyncio.sleep(KEPT_FOR.total_seconds() - 1)
    board.keep(4, question_id=9)
    board.lines.forget_server(1)
    assert len(board.lines) == 2
    await asyncio.sleep(1)
    board.lines.forget_server(1)
    assert len(board.lines) == 1


@virtual
async def test_a_failure_is_no_failure_of_the_round(caplog: pytest.LogCaptureFixture) -> None:
    """Whose answer was taken back is told nothing, and an error goes to the log alone."""
    board = Board()
    board.gone = {1}
    board.keep(1)
    board.keep(2)
    board.lines.reveal(7)
    await asyncio.sleep(1)
    assert [user_id for user_id, _ in board.read] == [2]

    async def broken(_result: OwnResult) -> None:
        raise ValueError("no ink")

    board.lines.keep(9, 3, broken)
    board.lines.reveal(9)
    await asyncio.sleep(1)
    assert "no ink" in caplog.text


@virtual
async def test_the_end_waits_for_nobody() -> None:
    """Closing ends what is under way."""
    board = Board(takes=5)
    board.keep(1)
    board.lines.reveal(7)
    await asyncio.sleep(1)
    await board.lines.close()
    assert (seconds_passed(), board.read) == (1, [])


@virtual
async def test_who_presses_again_and_again() -> None:
    """Their newest line is kept, as one; it takes nobody else's place, and never runs out of what can go."""
    board = Board()
    board.keep(1, question_id=6)
    for _ in range(MOST_KEPT + 1):
        board.keep(2)
    board.lines.reveal(6)
    board.lines.reveal(7)
    await asyncio.sleep(1)
    assert sorted(user_id for user_id, _ in board.read) == [1, 2]
