"""The count of answers on an open card, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.jobs import CLOSE_SECONDS
from bot.rounds.counter import AnswerCountRefresher
from tests.fakes import START
from tests.virtual import seconds_passed, virtual, virtual_now

ROUND, QUESTION, SECONDS = 1, 7, 20
DEADLINE = START + timedelta(seconds=SECONDS)


class Card:
    """A card with a refresher. `count` answers are stored; `edits` are (second, count shown)."""

    def __init__(self, *, takes: float = 0.0) -> None:
        self.count = 0
        self.takes = takes
        self.edits: list[tuple[float, int]] = []
        self.fails = False
        self.gone = False
        self.under_way = 0
        self.counters = AnswerCountRefresher(virtual_now, self._refresh)

    def answer(self, question_id: int = QUESTION) -> None:
        self.count += 1
        self.counters.touch(ROUND, question_id, self.count, START, DEADLINE)

    async def _refresh(self, question_id: int) -> int | None:
        if self.gone:
            return None
        count = self.count
        self.under_way += 1
        await asyncio.sleep(self.takes)
        self.under_way -= 1
        if self.fails:
            raise OSError("no edit")
        self.edits.append((round(seconds_passed(), 3), count))
        return count


@virtual
async def test_the_first_answers_show_after_two_seconds() -> None:
    """Answers within two seconds of the first make one edit, with their number."""
    card = Card()
    await asyncio.sleep(1)
    for _ in range(5):
        card.answer()
        await asyncio.sleep(0.3)
    await asyncio.sleep(5)
    assert card.edits == [(3.0, 5)]


@pytest.mark.parametrize("takes", [0, 1])
@virtual
async def test_a_last_answer_is_not_forgotten(takes: int) -> None:
    """An answer just after an edit, or during it, is shown by the next one."""
    card = Card(takes=takes)
    card.answer()
    await asyncio.sleep(2.5)
    assert card.under_way == takes
    card.answer()
    await asyncio.sleep(17)
    assert [count for _, count in card.edits] == [1, 2]


@virtual
async def test_stop_before_an_edit() -> None:
    """After a stop, no planned edit is made."""
    card = Card()
    card.answer()
    await asyncio.sleep(1)
    await card.counters.stop(ROUND)
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_stop_waits_for_an_edit_under_way() -> None:
    """A stop returns after the edit under way, so that the reveal comes last."""
    card = Card(takes=3)
    card.answer()
    await asyncio.sleep(2.5)
    assert card.under_way == 1
    await card.counters.stop(ROUND)
    assert (card.under_way, card.edits, seconds_passed()) == (0, [(5.0, 1)], 5.0)
    await asyncio.sleep(20)
    assert len(card.edits) == 1


@virtual
async def test_a_failed_edit_is_survived() -> None:
    """After a failed edit, the next answer plans another one."""
    card = Card()
    card.fails = True
    card.answer()
    await asyncio.sleep(3)
    card.fails = False
    card.answer()
    await asyncio.sleep(10)
    assert [count for _, count in card.edits] == [2]


@virtual
async def test_the_next_question() -> None:
    """The next question of a round doesn't wait for the last one's schedule."""
    card = Card()
    card.answer()
    await asyncio.sleep(3)
    await card.counters.stop(ROUND)
    card.count = 0
    card.answer(question_id=8)
    await asyncio.sleep(2.1)
    assert [count for _, count in card.edits] == [1, 1]


@pytest.mark.parametrize("takes", [0, 5])
@virtual
async def test_an_answer_that_arrives_after_the_stop(takes: float) -> None:
    """An answer whose commit returns after the stop causes no edit."""
    card = Card(takes=takes)
    card.answer()
    await asyncio.sleep(1)
    await card.counters.stop(ROUND)
    card.gone = True
    card.answer()
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_another_process_moved_the_round_on() -> None:
    """An edit that finds its question closed doesn't drop the next question's count."""
    edits: list[int] = []

    async def refresh(question_id: int) -> int | None:
        edits.append(question_id)
        await asyncio.sleep(1)
        return None if question_id == 7 else 1

    counters = AnswerCountRefresher(virtual_now, refresh)
    counters.touch(ROUND, 7, 1, START, DEADLINE)
    await asyncio.sleep(2.5)  # the edit of question 7 is under way
    counters.touch(ROUND, 8, 1, virtual_now(), DEADLINE)
    await asyncio.sleep(5)
    assert edits == [7, 8]


@virtual
async def test_close_gives_up_in_time() -> None:
    """Edits that hang are cancelled after a while, and no new ones begin."""
    card = Card(takes=10)
    for number in range(5):
        card.counters.touch(number, QUESTION, 1, START, DEADLINE)
    await asyncio.sleep(2.5)
    assert card.under_way == 5
    await card.counters.close()
    assert seconds_passed() == 2.5 + CLOSE_SECONDS
    card.answer()
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_rounds_have_their_own_counts() -> None:
    """Two rounds at the same time are refreshed independently."""
    seen: list[int] = []

    async def refresh(question_id: int) -> int:
        seen.append(question_id)
        return 1

    counters = AnswerCountRefresher(virtual_now, refresh)
    counters.touch(1, 7, 1, START, DEADLINE)
    counters.touch(2, 9, 1, START, DEADLINE)
    await counters.stop(1)
    await asyncio.sleep(5)
    assert seen == [9]
