"""The count of answers on an open card: current, seldom, and never after the reveal. On virtual time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from bot.core.jobs import CLOSE_SECONDS
from bot.rounds.service import AnswerCountRefresher
from tests.fakes import START
from tests.virtual import seconds_passed, virtual, virtual_now

ROUND, QUESTION, SECONDS = 1, 7, 20
DEADLINE = START + timedelta(seconds=SECONDS)


class Card:
    """The refresher and the card that it refreshes: `count` answers are stored, `edits` are (time, count shown)."""

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


@virtual
async def test_a_card_is_edited_at_most_twice() -> None:
    """With 20 seconds and an answer every 100 ms, the card costs two edits, two seconds or more apart."""
    card = Card()
    for _ in range(200):
        card.answer()
        await asyncio.sleep(0.1)
    times = [at for at, _ in card.edits]
    assert 1 <= len(times) <= 2
    assert all(b - a >= 2 for a, b in pairwise(times))


@virtual
async def test_a_last_answer_is_not_forgotten() -> None:
    """An answer that comes just after an edit is shown by the next one."""
    card = Card()
    card.answer()
    await asyncio.sleep(2.5)
    card.answer()
    await asyncio.sleep(17)
    assert [count for _, count in card.edits] == [1, 2]


@virtual
async def test_an_answer_during_an_edit_is_not_forgotten() -> None:
    """An answer stored while the edit is under way, and not in it, is shown by the next one."""
    card = Card(takes=1)
    card.answer()
    await asyncio.sleep(2.5)
    assert card.under_way == 1
    card.answer()
    await asyncio.sleep(17)
    assert [count for _, count in card.edits] == [1, 2]


@virtual
async def test_no_edit_without_a_new_answer() -> None:
    """A count that the card shows already is not shown again."""
    card = Card()
    card.answer()
    await asyncio.sleep(18)
    assert len(card.edits) == 1


@virtual
async def test_no_edit_just_before_the_reveal() -> None:
    """In the last second the reveal is left to show the number."""
    card = Card()
    await asyncio.sleep(17.5)
    card.answer()
    await asyncio.sleep(10)
    assert card.edits == []


@virtual
async def test_stop_before_an_edit() -> None:
    """After the stop no planned edit comes any more."""
    card = Card()
    card.answer()
    await asyncio.sleep(1)
    await card.counters.stop(ROUND)
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_stop_waits_for_an_edit_under_way() -> None:
    """The stop returns only when the edit under way has ended, so that it can't overtake the reveal."""
    card = Card(takes=3)
    card.answer()
    await asyncio.sleep(2.5)
    assert card.under_way == 1
    await card.counters.stop(ROUND)
    assert (card.under_way, card.edits, seconds_passed()) == (0, [(5.0, 1)], 5.0)
    await asyncio.sleep(20)
    assert len(card.edits) == 1


@virtual
async def test_stop_of_an_unknown_round() -> None:
    """Stopping what has no count returns at once."""
    card = Card()
    await card.counters.stop(404)
    assert seconds_passed() == 0


@virtual
async def test_a_failed_edit_is_survived() -> None:
    """After an edit that raised, the next answer plans another one."""
    card = Card()
    card.fails = True
    card.answer()
    await asyncio.sleep(3)
    card.fails = False
    card.answer()
    await asyncio.sleep(10)
    assert [count for _, count in card.edits] == [2]


@virtual
async def test_the_next_question_counts_anew() -> None:
    """A new question of the same round does not wait for the old one's pace."""
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
    """An answer whose commit is told after the stop edits nothing once the question is over."""
    card = Card(takes=takes)
    card.answer()
    await asyncio.sleep(1)
    await card.counters.stop(ROUND)
    card.gone = True
    card.answer()
    await asyncio.sleep(20)
    assert card.edits == []


@virtual
async def test_an_edit_of_the_last_question_leaves_the_next_its_count() -> None:
    """Where another process moved the round on, an edit that finds its question gone forgets that question only."""
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
    """Edits that hang are waited for together and then cancelled; no new ones are begun."""
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
