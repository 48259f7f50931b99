"""The count of answers on an open card, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core.jobs import CLOSE_SECONDS
from bot.rounds.counter import AnswerCounter
from tests.fakes import START
from tests.virtual import seconds_passed, virtual, virtual_now

QUESTION, SECONDS = 7, 20
DEADLINE = START + timedelta(seconds=SECONDS)


class Card:
    """A card with a refresher. `count` answers are stored; `edits` are (second, count shown)."""

    def __init__(self, *, takes: float = 0.0) -> None:
        self.count = 0
        self.takes = takes
        self.edits: list[tuple[float, int]] = []
        self.fails = False
        self.gone = False
        self.busy = False
        self.under_way = 0
        self.counter = AnswerCounter(virtual_now, self._edit, lambda: self.busy)

    def answer(self, question_id: int = QUESTION) -> None:
        self.count += 1
        self.counter.touch(question_id, opened=START, deadline=DEADLINE)

    async def _edit(self, question_id: int) -> bool:
        if self.gone:
            return False
        count = self.count
        self.under_way += 1
        await asyncio.sleep(self.takes)
        self.under_way -= 1
        if self.fails:
            raise OSError("no edit")
        self.edits.append((round(seconds_passed(), 3), count))
        return True


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
async def test_a_count_waits_while_the_process_is_busy() -> None:
    """It is shown once there are requests to spare; one that is planned waits, too."""
    card = Card()
    card.answer()
    await asyncio.sleep(1)
    card.busy = True
    await asyncio.sleep(6)
    assert card.edits == []
    card.busy = False
    card.answer()
    await asyncio.sleep(2.5)
    assert [count for _, count in card.edits] == [2]


@virtual
async def test_stop_waits_for_an_edit_under_way() -> None:
    """A stop returns after the edit under way, so that the reveal comes last; no other follows."""
    card = Card(takes=3)
    card.answer()
    await asyncio.sleep(2.5)
    assert card.under_way == 1
    card.answer()
    await card.counter.stop(QUESTION)
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


@pytest.mark.parametrize("takes", [0, 5])
@virtual
async def test_an_answer_that_arrives_after_the_stop(takes: float) -> None:
    """An answer whose commit returns after the stop causes no edit."""
    card = Card(takes=takes)
    card.answer()
    await asyncio.sleep(1)
    await card.counter.stop(QUESTION)
    assert seconds_passed() == 1
    card.gone = True
    card.answer()
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_close_gives_up_in_time() -> None:
    """Edits that hang are cancelled after a while, and no new ones begin."""
    card = Card(takes=10)
    for number in range(5):
        card.counter.touch(number, opened=START, deadline=DEADLINE)
    await asyncio.sleep(2.5)
    assert card.under_way == 5
    await card.counter.close()
    assert seconds_passed() == 2.5 + CLOSE_SECONDS
    card.answer()
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_cards_have_their_own_counts() -> None:
    """Cards at the same time are edited independently, one after the other."""
    seen: dict[int, float] = {}

    async def edit(question_id: int) -> bool:
        seen[question_id] = seconds_passed()
        return True

    counter = AnswerCounter(virtual_now, edit, lambda: False)
    counter.touch(7, opened=START, deadline=DEADLINE)
    counter.touch(8, opened=START, deadline=DEADLINE)
    counter.touch(9, opened=START, deadline=DEADLINE)
    await counter.stop(7)
    await asyncio.sleep(5)
    assert set(seen) == {8, 9}
    assert abs(seen[9] - seen[8]) > 0.005


@virtual
async def test_late_answers_begin_no_new_count() -> None:
    """After an answer that came too late for another edit, the next one doesn't get a first one."""
    card = Card()
    await asyncio.sleep(8)
    for pause in (3, 2, 20):
        card.answer()
        await asyncio.sleep(pause)
    assert [count for _, count in card.edits] == [1]


@virtual
async def test_no_card_is_kept_for_ever() -> None:
    """A card whose question is closed, or ends soon, is forgotten."""
    card = Card()
    card.gone = True
    card.answer()
    await asyncio.sleep(18.5)
    card.gone = False
    card.answer(question_id=8)
    await asyncio.sleep(1.6)
    assert card.counter._cards == {}
