"""Replies that show results after the reveal: once each, a limited number, and nothing waits."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from unittest.mock import Mock

import pytest
from msgspec.structs import replace

from bot.rounds.model import OwnResult
from bot.rounds.results import DELAY, KEPT_FOR, MAX_KEPT, MAX_REPLIES, TIMEOUT, PrivateResults
from tests.virtual import seconds_passed, virtual, virtual_now

RESULT = OwnResult("B", None, 87, 2, 340, 3)


class Replies:
    """Replies that take `seconds` to edit, and what became of them."""

    def __init__(self, *, seconds: float = 0.1) -> None:
        self.seconds = seconds
        self.shown: list[tuple[int, float]] = []
        """(member, second)"""
        self.loaded: list[tuple[int, int]] = []
        """(question, number of members)"""
        self.under_way = self.most_at_once = 0
        self.without_answer: set[int] = set()
        self.results = _Results(self)

    def add(self, *user_ids: int, question_id: int = 7) -> None:
        for user_id in user_ids:
            self.results.add(question_id, user_id, self._show)

    async def _show(self, result: OwnResult) -> None:
        self.under_way += 1
        self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            await asyncio.sleep(self.seconds)
        finally:
            self.under_way -= 1
        self.shown.append((result.total, round(seconds_passed(), 3)))

    async def show(self, *question_ids: int, wait: float = 20) -> list[int]:
        """Show the results of these questions, and return the members who have read one so far."""
        for question_id in question_ids:
            self.results.show(question_id)
        await asyncio.sleep(wait)
        return sorted(user_id for user_id, _ in self.shown)


class _Results(PrivateResults):
    """Results that come from no database."""

    def __init__(self, replies: Replies) -> None:
        super().__init__(Mock(now=virtual_now))
        self._replies = replies

    async def load(self, question_id: int, user_ids: Collection[int]) -> dict[int, OwnResult]:
        self._replies.loaded.append((question_id, len(user_ids)))
        without = self._replies.without_answer
        return {n: replace(RESULT, total=n) for n in user_ids if n not in without}


@virtual
async def test_each_result_is_shown_once() -> None:
    """A second reveal, after a crash between two steps, finds nothing more to show."""
    replies = Replies()
    replies.add(1, 2)
    replies.add(3, question_id=8)
    assert await replies.show(7, 7) == [1, 2]
    assert {at for _, at in replies.shown} == {round(DELAY + 0.1, 3)}
    assert replies.loaded == [(7, 2)]


@virtual
async def test_a_reply_after_the_reveal() -> None:
    """If the reveal was faster than the reply, the result is shown at once."""
    replies = Replies()
    assert await replies.show(7, wait=0) == []
    replies.add(1)
    assert await replies.show(7) == [1]
    assert replies.shown == [(1, 0.1)]


@virtual
async def test_a_crowd() -> None:
    """The first fifty members of a question read their results, eight at a time."""
    replies = Replies()
    replies.add(*range(1, 101))
    assert await replies.show(7) == list(range(1, MAX_REPLIES + 1))
    assert replies.most_at_once == 8
    times = [at for _, at in replies.shown]
    assert DELAY < min(times) < max(times) < DELAY + 1


@virtual
async def test_late_results_are_dropped() -> None:
    """If Discord is slow, the remaining replies stay as they are, and the next question's don't."""
    replies = Replies(seconds=4)
    replies.add(*range(1, 41))
    assert len(await replies.show(7, wait=60)) == 16
    assert {at for _, at in replies.shown} == {DELAY + 4, DELAY + 8}
    assert DELAY + 8 <= TIMEOUT
    replies.seconds = 0
    replies.add(50, question_id=8)
    assert (await replies.show(8))[-1] == 50


@virtual
async def test_replies_that_discord_does_not_edit_any_more() -> None:
    """Only replies that are less than 14 minutes old are edited."""
    replies = Replies()
    replies.add(1)
    await asyncio.sleep(KEPT_FOR.total_seconds())
    replies.add(2)
    assert await replies.show(7) == [2]


@virtual
async def test_the_oldest_are_dropped() -> None:
    """However many questions are never revealed, a limited number of replies is kept."""
    replies = Replies()
    for question_id in range(1, 1 + MAX_KEPT // MAX_REPLIES + 1):
        replies.add(*range(1, MAX_REPLIES + 1), question_id=question_id)
    await replies.show(1, 2)
    assert replies.loaded == [(2, MAX_REPLIES)]


@virtual
async def test_a_member_is_forgotten() -> None:
    """Forgetting a member drops all their replies."""
    replies = Replies()
    replies.add(1, 2)
    replies.add(1, question_id=8)
    replies.results.forget_member(1)
    assert await replies.show(7, 8) == [2]


@virtual
async def test_failures(caplog: pytest.LogCaptureFixture) -> None:
    """A member without a result reads nothing more; an error is only logged."""
    replies = Replies()
    replies.without_answer = {1}
    replies.add(1, 2)
    assert await replies.show(7) == [2]

    async def broken(_result: OwnResult) -> None:
        raise ValueError("no ink")

    replies.results.add(9, 3, broken)
    await replies.show(9)
    assert "no ink" in caplog.text


@virtual
async def test_close_waits_for_no_edit() -> None:
    """Edits under way are cancelled, and none is left after it."""
    replies = Replies(seconds=5)
    replies.add(1)
    await replies.show(7, wait=1)
    await replies.results.close()
    assert (seconds_passed(), replies.under_way, replies.shown) == (1, 0, [])


@virtual
async def test_a_member_who_answers_again_and_again() -> None:
    """The newest reply replaces the member's earlier one and counts once."""
    replies = Replies()
    replies.add(1, question_id=6)
    replies.add(*[2] * (MAX_KEPT + 1))
    assert await replies.show(6, 7) == [1, 2]
