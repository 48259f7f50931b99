"""Hosted rounds: no clock, the host shows answers and goes on, over crashes too, and is not waited for for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core import snowflakes
from bot.core.errors import UserError
from bot.rounds.rules import HOSTED_LIMIT, QuestionCard, RevealCard, StandingsCard
from tests.fakes import Crash, Post, unsent
from tests.stage import ALWINA, BOB, CHANNEL, CLEMENTINE, GUILD, Stage


async def host(stage: Stage, questions: int = 2) -> int:
    """Start a hosted round, with its first question open."""
    round_id = await stage.start(questions, hosted=True, seconds=None)
    await stage.run()
    return round_id


async def show(
    stage: Stage, user_id: int = ALWINA, *, post: Post | None = None, may_manage: bool = False
) -> None:
    """Press "Reveal", and let that be done."""
    card = post or stage.card()
    await stage.bot.rounds.show_answer(card.row_id, card.message_id, user_id, may_manage=may_manage)
    await stage.wait(seconds=0.3)


async def go_on(stage: Stage, user_id: int = ALWINA) -> None:
    """Press "Next", and let that be done."""
    await stage.bot.rounds.go_on(
        stage.card().row_id, stage.card().message_id, user_id, may_manage=False
    )
    await stage.run()


def revealed(stage: Stage) -> list[RevealCard]:
    return [e.card for e in stage.sender.edits_of("reveal") if isinstance(e.card, RevealCard)]


def standings(stage: Stage) -> StandingsCard:
    """The standings, of which there must be one."""
    (post,) = stage.sender.of_kind("standings")
    assert isinstance(post.card, StandingsCard)
    return post.card


async def test_a_hosted_round_step_by_step(stage: Stage) -> None:
    """Nothing comes by itself; a right first answer is worth 100 whenever it comes; Next leads on and to the end."""
    round_id = await host(stage)
    card = stage.card().card
    assert isinstance(card, QuestionCard)
    assert (card.seconds, card.ends_at) == (None, None)
    assert (await stage.answer(ALWINA, after=3)).hosted
    await stage.wait(hours=5)
    assert (await stage.answer(BOB, after=17_000)).hosted
    await stage.answer(CLEMENTINE, right=False, after=17_001)
    assert (await stage.round(round_id)).phase == "open"
    await show(stage)
    await stage.wait(hours=5)
    assert (await stage.round(round_id)).phase == "pause"
    await go_on(stage)
    await stage.answer(BOB, after=1)
    await show(stage)
    await go_on(stage)
    assert [(c.number, c.outcome.answered, c.hosted) for c in revealed(stage)] == [
        (1, 3, True),
        (2, 1, True),
    ]
    table = [(place, t.user_id, t.points) for place, t in standings(stage).standings]
    assert table == [(1, BOB, 200), (2, ALWINA, 100), (3, CLEMENTINE, 0)]
    assert (standings(stage).ending, standings(stage).hosted) == (None, True)
    assert (await stage.round(round_id)).ending == "finished"
    assert await stage.check_points() == {ALWINA: 100, BOB: 200, CLEMENTINE: 0}
    assert await stage.next_due() is None


async def test_only_the_host_moves_it_on(stage: Stage) -> None:
    """Others are refused unless they manage messages; a second press and an old card change nothing."""
    round_id = await host(stage)
    first = stage.card()
    with pytest.raises(UserError, match="Only whoever started this round"):
        await show(stage, BOB)
    assert (await stage.round(round_id)).phase == "open"
    await show(stage, BOB, may_manage=True)
    await show(stage)
    assert len(revealed(stage)) == 1
    await go_on(stage)
    with pytest.raises(UserError, match="moved on already"):
        await show(stage, post=first)
    assert (await stage.round(round_id)).phase == "open"


async def test_a_round_by_the_clock_cannot_be_cut_short(stage: Stage) -> None:
    """A forged button of a hosted round does nothing in a timed one."""
    await stage.start(1)
    await stage.run()
    with pytest.raises(UserError, match="goes by the clock"):
        await show(stage)
    assert revealed(stage) == []


async def test_a_hosted_round_has_no_seconds(stage: Stage) -> None:
    """Both together are refused, before anything is stored."""
    with pytest.raises(UserError, match="no clock"):
        await stage.start(1, hosted=True, seconds=20)
    assert (await stage.start(1, hosted=True, seconds=None)) == 1


async def test_clicks_on_their_way_when_the_host_reveals(stage: Stage) -> None:
    """What was clicked before the reveal counts though it arrives later; who is late is told that the answer is out."""
    await host(stage)
    card = stage.card()
    await stage.answer(ALWINA, after=1)
    await stage.wait(seconds=30)
    await show(stage)
    opened = snowflakes.created_at(card.message_id)
    shown = (stage.clock() - opened).total_seconds()
    assert (await stage.answer(BOB, post=card, after=shown - 0.5)).reveal_at is None
    with pytest.raises(UserError, match="answer was shown already"):
        await stage.answer(CLEMENTINE, post=card, after=shown + 0.5)
    await go_on(stage)
    assert await stage.check_points() == {ALWINA: 100, BOB: 100}


async def test_nobody_has_to_answer_a_hosted_question(stage: Stage) -> None:
    """Where all answer aloud, questions without an answer do not end the round."""
    round_id = await host(stage, questions=5)
    for _ in range(5):
        await show(stage)
        await go_on(stage)
    assert (await stage.round(round_id)).ending == "finished"
    assert len(revealed(stage)) == 5


async def test_a_question_that_is_left_open_ends_the_round(stage: Stage) -> None:
    """After a day the answer is shown, with what was given, and the standings follow; the points count."""
    round_id = await host(stage)
    await stage.answer(ALWINA, after=3)
    await stage.answer(BOB, after=4)
    opened = snowflakes.created_at(stage.card().message_id)
    await stage.until(opened + HOSTED_LIMIT)
    assert (await stage.round(round_id)).phase == "open"
    await stage.wait(seconds=1)
    assert [(c.outcome.answered, c.goes_on) for c in revealed(stage)] == [(2, False)]
    assert (standings(stage).questions, standings(stage).ending) == (1, "left")
    assert await stage.check_points() == {ALWINA: 100, BOB: 100}


async def test_an_answer_that_is_left_standing_ends_the_round(stage: Stage) -> None:
    """After a day without Next the standings come; on time, also if the bot was down then."""
    round_id = await host(stage)
    await stage.answer(ALWINA, after=3)
    await show(stage)
    await stage.wait(hours=23.9)
    assert (await stage.round(round_id)).phase == "pause"
    await stage.restart(hours=2)
    await stage.run()
    assert standings(stage).ending == "left"


async def test_stop_in_a_hosted_round(stage: Stage) -> None:
    """The open question waits for its reveal; asked again, the reveal comes at once; the standings follow."""
    round_id = await host(stage, questions=3)
    assert await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    await stage.wait(hours=1)
    assert (await stage.round(round_id)).phase == "open"
    assert await stage.bot.rounds.stop(channel_id=CHANNEL, user_id=ALWINA, may_manage=False)
    await stage.run()
    assert (len(revealed(stage)), standings(stage).ending) == (1, "stopped")


@pytest.mark.parametrize(
    ("method", "after", "skip"),
    [
        (m, after, skip)
        for m, n in (("post_question", 2), ("reveal_question", 2), ("post_standings", 1))
        for skip in range(n)
        for after in (False, True)
    ],
)
@pytest.mark.parametrize("error", [Crash(), unsent()], ids=["crash", "failure"])
async def test_whatever_fails_the_round_goes_on(
    stage: Stage, method: str, after: bool, skip: int, error: BaseException
) -> None:
    """Before or after any post or edit: each question comes once, is revealed, and counts once; no press is lost."""
    stage.sender.fail(method, error, after=after, skip=skip)
    round_id = await stage.start(2, hosted=True, seconds=None)
    for _ in range(60):
        round_ = await stage.round(round_id)
        if round_.phase == "ended":
            break
        try:
            if round_.phase == "open":
                for user_id, right in ((ALWINA, True), (BOB, False)):
                    await stage.answer(user_id, right=right)
                await show(stage)
            elif round_.phase == "pause" and round_.due_at - stage.clock() > timedelta(hours=1):
                await go_on(stage)
            else:
                due = await stage.next_due()
                assert due is not None
                await stage.until(max(due, stage.clock()))
        except Crash:
            await stage.restart()
    assert stage.sender.calls[method] > skip
    assert len(stage.sender.of_kind("question")) == 2
    assert {c.question_id for c in revealed(stage)} == {
        p.row_id for p in stage.sender.of_kind("question")
    }
    assert [(t.user_id, t.points) for _, t in standings(stage).standings] == [
        (ALWINA, 200),
        (BOB, 0),
    ]
    assert await stage.check_points() == {ALWINA: 200, BOB: 0}


async def test_status_of_a_hosted_round(stage: Stage) -> None:
    """It is found like any other, and is known to be hosted."""
    await host(stage)
    assert (await stage.bot.rounds.status(CHANNEL)).round.hosted
    assert (await stage.bot.rounds.options(1, GUILD, CHANNEL)).hosted
