"""Helpers for tests of rounds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from bot.rounds.model import QuestionCard, RevealCard, StandingsCard
from tests.fakes import Crash
from tests.stage import ALWINA, BOB, Stage


async def open_round(stage: Stage, questions: int = 1, **options: Any) -> int:
    """Start a round and post its first question."""
    round_id = await stage.start(questions, **options)
    await stage.run()
    return round_id


async def answer_both(stage: Stage) -> None:
    """Answer the newest question: Alwina right after 1 s, Bob wrong after 2 s."""
    await stage.answer(ALWINA, after=1)
    await stage.answer(BOB, right=False, after=2)


async def play(
    stage: Stage,
    round_id: int,
    *,
    recover: bool = True,
    work: Callable[[Stage], Awaitable[object]] = Stage.work,
) -> int:
    """Play a round to its end, with two answers to each question; return the number of crashes.

    A process that crashes is replaced, and recovers its work or not. `work` does what is due.
    """
    answered: set[int] = set()
    crashes = 0
    while (round_ := await stage.round(round_id)).phase != "ended":
        posted = stage.sender.of_kind("question")
        if posted and posted[-1].row_id not in answered and round_.phase in {"asking", "open"}:
            answered.add(posted[-1].row_id)
            await answer_both(stage)
        phase = (await stage.round(round_id)).phase  # an answer may have opened the question
        if round_.hosted and phase in {"open", "pause"}:
            await press(stage, phase)
        due = await stage.next_due()
        assert due is not None
        stage.clock.at = max(stage.clock.at, due)
        try:
            await work(stage)
        except Crash:
            crashes += 1
            if recover:
                await stage.restart()
            else:
                stage.bot = stage.process()
        assert crashes < 5
    return crashes


async def press(stage: Stage, phase: str, user_id: int = ALWINA, **how: Any) -> None:
    """Press the host's button of a phase: "Reveal" or "Next"."""
    rounds, card = stage.bot.rounds, how.pop("post", None) or stage.card()
    move_on = rounds.show_answer if phase == "open" else rounds.go_on
    await move_on(card.row_id, card.message_id, user_id, **{"may_manage": False, **how})


async def stop(
    stage: Stage, round_id: int, user_id: int = ALWINA, *, may_manage: bool = False
) -> bool:
    """Press "Stop"."""
    return await stage.bot.rounds.stop(round_id, user_id, may_manage=may_manage)


def cards(stage: Stage) -> list[QuestionCard]:
    """Return all questions as they were posted."""
    return [p.card for p in stage.sender.of_kind("question") if isinstance(p.card, QuestionCard)]


def reveals(stage: Stage) -> list[RevealCard]:
    return [e.card for e in stage.sender.edits if isinstance(e.card, RevealCard)]


def standings(stage: Stage) -> StandingsCard:
    """Return the standings, which must have been posted once."""
    (post,) = stage.sender.of_kind("standings")
    assert isinstance(post.card, StandingsCard)
    return post.card
