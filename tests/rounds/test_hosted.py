"""Hosted rounds: the host reveals and goes on, and nothing waits forever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.core import snowflakes
from bot.core.errors import UserError
from bot.rounds.model import QuestionCard
from bot.rounds.rules import HOSTED_LIMIT
from tests.rounds.scenes import open_round, press, reveals, standings
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage


async def host(stage: Stage, questions: int = 2) -> int:
    """Start a hosted round and post its first question."""
    return await open_round(stage, questions, hosted=True, seconds=None)


async def show_answer(stage: Stage, user_id: int = ALWINA, **how: Any) -> None:
    """Press "Reveal", and do what is then due."""
    await press(stage, "open", user_id, **how)
    await stage.wait(seconds=0.3)


async def go_on(stage: Stage) -> None:
    """Press "Next", and do what is then due."""
    await press(stage, "pause")
    await stage.run()


async def test_a_hosted_round_step_by_step(stage: Stage) -> None:
    """Only the host's buttons move it on, and a right answer is always worth 100."""
    round_id = await host(stage)
    card = stage.card().card
    assert isinstance(card, QuestionCard)
    assert (card.seconds, card.ends_at) == (None, None)
    assert (await stage.answer(ALWINA, after=3)).hosted
    assert (await stage.bot.rounds.options_of(round_id, GUILD, CHANNEL)).hosted
    await stage.wait(hours=5)
    assert (await stage.answer(BOB, after=17_000)).hosted
    await stage.answer(CLEMENTINE, right=False, after=17_001)
    await show_answer(stage)
    await go_on(stage)
    await stage.answer(BOB, after=1)
    await show_answer(stage)
    await go_on(stage)
    assert [(c.number, c.outcome.answered, c.hosted) for c in reveals(stage)] == [
        (1, 3, True),
        (2, 1, True),
    ]
    table = [(place, t.user_id, t.points) for place, t in standings(stage).standings]
    assert table == [(1, BOB, 200), (2, ALWINA, 100), (3, CLEMENTINE, 0)]
    assert (standings(stage).ending, standings(stage).hosted) == (None, True)
    assert (await stage.round(round_id)).ending == "finished"
    assert await stage.check_points() == {ALWINA: 100, BOB: 200, CLEMENTINE: 0}
    assert await stage.next_due() is None


async def missing(stage: Stage, user_id: int = ALWINA) -> tuple[list[str | None] | None, int]:
    """Press "Who's missing?"."""
    card = stage.card()
    return await stage.bot.rounds.missing(card.row_id, card.message_id, user_id, may_manage=False)


async def test_the_host_learns_who_is_missing(stage: Stage) -> None:
    """The host alone reads the names of those of the last two questions who haven't answered."""
    await host(stage, questions=4)
    await stage.answer(BOB, after=1)
    assert await missing(stage) == (None, 1)  # nobody is a player yet
    await stage.answer(CLEMENTINE, after=2)
    for _ in range(2):
        await show_answer(stage)
        await go_on(stage)
        assert await missing(stage) == (["Bob", "Clementine"], 0)
        await stage.answer(CLEMENTINE, right=False, after=2)
        assert await missing(stage) == (["Bob"], 1)
        with pytest.raises(UserError, match="Only whoever started this round"):
            await missing(stage, CLEMENTINE)
    await show_answer(stage)
    with pytest.raises(UserError, match="This question is over"):
        await missing(stage)
    await go_on(stage)
    assert await missing(stage) == (["Clementine"], 0)  # Bob has left
    await stage.bot.privacy.erase(CLEMENTINE)
    assert await missing(stage) == (None, 0)  # nobody waits for an erased member


async def test_between_hosted_questions_come_the_leaders(stage: Stage) -> None:
    """Each reveal but the last has the first three with points, and nobody is the fastest."""
    await host(stage, questions=2)
    for _ in range(2):
        for member in (ALWINA, BOB):
            await stage.answer(member, right=member == BOB, after=1)
        await show_answer(stage)
        await go_on(stage)
    assert [[tally.user_id for tally in card.leaders] for card in reveals(stage)] == [[BOB], []]
    assert not any(card.fastest for card in reveals(stage))


async def test_no_host_button_in_a_timed_round(stage: Stage) -> None:
    """A forged button of a hosted round is refused in a timed one."""
    await open_round(stage)
    with pytest.raises(UserError, match="goes by the clock"):
        await show_answer(stage)
    assert reveals(stage) == []


async def test_a_hosted_round_has_no_seconds(stage: Stage) -> None:
    """A hosted round with a time limit is refused."""
    with pytest.raises(UserError, match="no clock"):
        await stage.start(1, hosted=True, seconds=20)
    assert (await stage.start(1, hosted=True, seconds=None)) == 1


async def test_a_hosted_reveal_shows_all_that_count(stage: Stage) -> None:
    """After the press no click counts; one from before counts, however late it arrives.

    Clicks between the press and the reveal used to count, and some were missing on the card.
    """
    await host(stage)
    card = stage.card()
    await stage.wait(seconds=30)
    await press(stage, "open")
    pressed = (stage.clock() - snowflakes.created_at(card.message_id)).total_seconds()
    assert (await stage.answer(BOB, post=card, after=pressed)).reveal_at is not None
    for _ in range(2):  # a second press is not a new deadline
        with pytest.raises(UserError, match=r"shown already\. Answer the next"):
            await stage.answer(CLEMENTINE, post=card, after=pressed + 0.01)
        stage.clock.at += timedelta(seconds=0.1)
        await press(stage, "open")
    await stage.wait(seconds=1)
    assert [shown.outcome.answered for shown in reveals(stage)] == [1]
    assert (await stage.answer(ALWINA, post=card, after=pressed - 0.5)).reveal_at is None
    await go_on(stage)
    assert await stage.check_points() == {ALWINA: 100, BOB: 100}


async def test_nobody_has_to_answer_a_hosted_question(stage: Stage) -> None:
    """Questions without answers don't end the round: people may answer out loud."""
    round_id = await host(stage, questions=5)
    for _ in range(5):
        await show_answer(stage)
        await go_on(stage)
    assert (await stage.round(round_id)).ending == "finished"
    assert len(reveals(stage)) == 5


async def test_a_question_that_is_left_open_ends_the_round(stage: Stage) -> None:
    """A question that is open for a day is revealed, its points count, and the round ends."""
    round_id = await host(stage)
    await stage.answer(ALWINA, after=3)
    await stage.answer(BOB, after=4)
    opened = snowflakes.created_at(stage.card().message_id)
    await stage.until(opened + HOSTED_LIMIT)
    assert (await stage.round(round_id)).phase == "open"
    await stage.wait(seconds=1)
    assert [(c.outcome.answered, c.goes_on) for c in reveals(stage)] == [(2, False)]
    assert (standings(stage).questions, standings(stage).ending) == (1, "left")
    assert await stage.check_points() == {ALWINA: 100, BOB: 100}


async def test_a_pause_of_a_day_ends_the_round(stage: Stage) -> None:
    """A day without Next ends the round, even if the bot was down then."""
    round_id = await host(stage)
    await stage.answer(ALWINA, after=3)
    await show_answer(stage)
    await stage.wait(hours=23.9)
    assert (await stage.round(round_id)).phase == "pause"
    await stage.restart(hours=2)
    await stage.run()
    assert standings(stage).ending == "left"
