"""A member who plays alone does not wait, and nobody is cut off for that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from bot.core import snowflakes
from bot.core.errors import UserError
from bot.games.rules import SHORTEST_GRACE
from bot.rounds.model import Phase, QuestionCard
from tests.rounds.scenes import open_round, reveals, stop
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, Stage

SECONDS = 20


def at(stage: Stage, seconds: float) -> datetime:
    """Return the moment so many seconds after the newest card was posted."""
    return snowflakes.created_at(stage.card().message_id) + timedelta(seconds=seconds)


async def check_end(stage: Stage, round_id: int, seconds: float) -> None:
    """Check that the first question ends after so many seconds, also in what its card would say,
    and that it is revealed once, right after that and the grace."""
    card, end = stage.card(), at(stage, seconds)
    round_, question = await stage.round(round_id), await stage.question(round_id)
    assert (question.deadline_at, round_.due_at) == (end, end + SHORTEST_GRACE)
    assert await stage.bot.round_messages.refresh(card.row_id)
    shown = stage.sender.edits[-1].card
    assert isinstance(shown, QuestionCard)
    assert (shown.ends_at, shown.left) == (end, (end - stage.clock()) // timedelta(seconds=1))
    before = len(reveals(stage))
    await stage.until(end + SHORTEST_GRACE - timedelta(milliseconds=1))
    assert len(reveals(stage)) == before
    await stage.until(end + SHORTEST_GRACE)
    assert [shown.number for shown in reveals(stage)[before:]] == [1]


@pytest.mark.parametrize(
    ("after", "arrives", "end"),
    [(1, 1, 10), (1, 4, 10), (1, 12, 12), (6, 6, 11), (15, 15, 20), (17, 17, 20)],
)
async def test_one_who_is_alone(stage: Stage, after: float, arrives: float, end: float) -> None:
    """The end comes five seconds after the answer, but not before half the time, never in the past
    and never later than before. As it may move back, the reply names the latest."""
    round_id = await open_round(stage, 2)
    stage.clock.at = at(stage, arrives)
    assert (await stage.answer(ALWINA, after=after)).reveal_at == at(stage, SECONDS)
    await check_end(stage, round_id, end)
    assert reveals(stage)[0].outcome.answered == 1


@pytest.mark.parametrize(
    ("after", "arrives"),
    [
        pytest.param(1, 1, id="the same instant"),
        pytest.param(3, 3, id="in time"),
        pytest.param(10, 10.2, id="at the last moment, on its way"),
        pytest.param(10.2, 10.2, id="before the reveal"),
    ],
)
async def test_another_comes(stage: Stage, after: float, arrives: float) -> None:
    """The question has its full time again, for everybody; a reveal that was loaded waits, too."""
    round_id = await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    stage.clock.at = at(stage, arrives)
    loaded = await stage.round(round_id)
    assert (await stage.answer(BOB, after=after)).reveal_at == at(stage, SECONDS)
    stage.clock.at = at(stage, 10.5)
    await stage.bot.round_work.step(loaded)
    await stage.run()
    assert (await stage.answer(CLEMENTINE, after=19)).reveal_at == at(stage, SECONDS)
    await check_end(stage, round_id, SECONDS)
    assert reveals(stage)[0].outcome.answered == 3


async def test_two_at_once(stage: Stage) -> None:
    """Whoever of two is stored first, both count, and the question has its full time."""
    round_id = await open_round(stage, 2)
    await asyncio.gather(*(stage.answer(member, after=1) for member in (ALWINA, BOB)))
    await check_end(stage, round_id, SECONDS)
    assert reveals(stage)[0].outcome.answered == 2


async def test_a_late_click(stage: Stage) -> None:
    """After the reveal, an answer from before the end counts, and a later click is refused with the reason."""
    await open_round(stage, 2)
    card = stage.card()
    await stage.answer(ALWINA, after=1)
    await stage.until(at(stage, 12))
    assert len(reveals(stage)) == 1
    with pytest.raises(UserError, match=r"only one person had answered.*Answer the next one"):
        await stage.answer(BOB, post=card, after=10.001)
    assert (await stage.answer(BOB, post=card, after=10)).reveal_at is None


@pytest.mark.parametrize(("down", "end"), [(1, SECONDS), (30, None)])
async def test_a_restart(stage: Stage, down: float, end: float | None) -> None:
    """The new process knows both ends; if it was down until after the end, it reveals at once, once."""
    round_id = await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    await stage.restart(seconds=down)
    if end is None:
        await stage.run()
        assert (await stage.round(round_id)).phase is Phase.PAUSE
        assert len(reveals(stage)) == 1
        return
    await stage.answer(BOB, after=2)
    await stage.restart(seconds=10)
    await check_end(stage, round_id, end)


@pytest.mark.parametrize("another", [True, False])
async def test_the_first_player_is_erased(stage: Stage, another: bool) -> None:
    """Whoever comes then is the second one, and has the full time; the erased one stays out."""
    round_id = await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    await stage.bot.privacy.erase(ALWINA)
    with pytest.raises(UserError, match="before you deleted your data"):
        await stage.answer(ALWINA, after=2)
    if another:
        await stage.answer(BOB, after=3)
    await check_end(stage, round_id, SECONDS if another else 10)
    assert reveals(stage)[0].outcome.answered == another


async def open_forms(stage: Stage, members: Iterable[int]) -> None:
    card = stage.card()
    for user_id in members:
        await stage.bot.open_questions.check_open(stage.click(user_id, post=card))


@pytest.mark.parametrize(
    ("before", "after", "end"),
    [
        pytest.param([ALWINA, ALWINA], [], 10, id="one's own, opened twice"),
        pytest.param([BOB, ALWINA], [], SECONDS, id="another's before"),
        pytest.param([ALWINA], [BOB], SECONDS, id="another's after"),
    ],
)
async def test_a_form_is_waited_for(
    stage: Stage, before: list[int], after: list[int], end: float
) -> None:
    """A member who has opened the form of a typed or multiple question takes part."""
    round_id = await open_round(stage, 2)
    await open_forms(stage, before)
    await stage.answer(ALWINA, after=1)
    await open_forms(stage, after)
    await check_end(stage, round_id, end)


async def test_a_stop_while_one_is_alone(stage: Stage) -> None:
    """A round that is to end doesn't get longer, neither after one "Stop" nor after two."""
    round_id = await open_round(stage, 2)
    await stage.answer(ALWINA, after=1)
    await stop(stage, round_id)
    assert (await stage.answer(BOB, after=2)).reveal_at == at(stage, 10)
    await check_end(stage, round_id, 10)
    other = await stage.start(2, channel_id=CHANNEL + 1)
    await stage.run()
    card = stage.card(CHANNEL + 1)
    await stage.answer(CLEMENTINE, post=card)
    for _ in range(2):
        await stage.bot.rounds.stop(other, 0, may_manage=True)
    stopped = stage.clock()
    assert (await stage.answer(BOB, post=card)).reveal_at == stopped
    await stage.wait(seconds=1)
    assert (await stage.round(other)).phase is Phase.ENDED


async def test_one_alone_leads_nobody(stage: Stage) -> None:
    """No reveal names leaders as long as one member plays."""
    round_id = await open_round(stage, 6)
    for _ in range(5):
        await stage.answer(ALWINA, after=1)
        await stage.next_card(round_id)
    assert [card.leaders for card in reveals(stage)] == [()] * 5
