"""How a test starts and takes challenges on the stage."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bot.challenges import store
from bot.challenges.model import (
    Challenge,
    ChallengeOptions,
    NewChallenge,
    OpenCard,
    Person,
    PlayerQuestion,
    ResultCard,
    RunResult,
    Step,
)
from bot.core.clicks import Click
from bot.core.unstored import Notify
from tests.stage import ALWINA, CHANNEL, GUILD, NAMES, Stage, starter_in


async def start(stage: Stage, starter: int = ALWINA, **options: Any) -> int:
    """Start a challenge and let its card be posted."""
    started = await begin(stage, starter, **options)
    await stage.run()
    return started.id


async def begin(
    stage: Stage,
    starter: int = ALWINA,
    *,
    member: int | None = None,
    notify: Notify | None = None,
    roles: tuple[int, ...] = (),
    manages: bool = False,
    questions: int = 3,
    **options: Any,
) -> NewChallenge:
    """Start a challenge; its card is still to be posted."""
    who = replace(starter_in(user_id=starter), roles=roles, manages=manages)
    whom = Person(member, NAMES.get(member)) if member else None
    wanted = ChallengeOptions(questions, **options)
    return await stage.bot.challenges.start(who, wanted, whom, notify)


async def row(stage: Stage, challenge_id: int) -> Challenge:
    found = await stage.database.read(store.get, challenge_id)
    assert found is not None
    return found


async def press_take(stage: Stage, challenge_id: int, user_id: int) -> Step:
    """Press "Take it", and get what it shows."""
    message_id = (await row(stage, challenge_id)).message_id or 0
    players = stage.bot.challenge_players
    step = await players.take(challenge_id, user_id, GUILD, stage.clock(), message_id)
    await players.arrived(step)
    return step


async def take(stage: Stage, challenge_id: int, user_id: int) -> PlayerQuestion:
    """Press "Take it", and get a question."""
    return asked(await press_take(stage, challenge_id, user_id))


def asked(step: Step) -> PlayerQuestion:
    assert isinstance(step, PlayerQuestion)
    return step


def ended(step: Step) -> RunResult:
    assert isinstance(step, RunResult)
    return step


def click(
    stage: Stage,
    asked: PlayerQuestion,
    *,
    right: bool = True,
    user_id: int | None = None,
    **options: Any,
) -> Click:
    wanted = (
        asked.item.right
        if right
        else {i for i in range(len(asked.order)) if i not in asked.item.right}
    )
    picks = tuple(position for position, index in enumerate(asked.order) if index in wanted)
    if asked.item.kind == "choice":
        picks = picks[:1]
    text = None
    if asked.item.kind == "typed":
        text = asked.item.accept[0] if right else "certainly not this"
    usual = {"at": stage.clock(), "picks": picks, "text": text, **options}
    return Click(asked.question_id, 1, GUILD, CHANNEL, user_id or asked.user_id, **usual)


async def give(
    stage: Stage, asked: PlayerQuestion, *, right: bool = True, after: float = 2.0, **options: Any
) -> Step:
    """Answer some seconds after the question was shown, and get what comes next."""
    stage.clock.turn(seconds=after)
    step = await stage.bot.challenge_players.answer(click(stage, asked, right=right, **options))
    await stage.bot.challenge_players.arrived(step)
    return step


async def skip(stage: Stage, asked: PlayerQuestion, after: float = 1.0) -> Step:
    stage.clock.turn(seconds=after)
    players = stage.bot.challenge_players
    step = await players.skip(asked.question_id, asked.user_id, GUILD, stage.clock())
    await players.arrived(step)
    return step


async def play(
    stage: Stage, challenge_id: int, user_id: int, *, right: bool = True, after: float = 2.0
) -> RunResult:
    """Take all of it."""
    step = await press_take(stage, challenge_id, user_id)
    while isinstance(step, PlayerQuestion):
        step = await give(stage, step, right=right, after=after)
    return step


def counts(stage: Stage) -> list[int]:
    """The counts that cards got."""
    return [e.card.finished for e in stage.sender.edits_of("count") if isinstance(e.card, OpenCard)]


def results(stage: Stage) -> list[ResultCard]:
    return [e.card for e in stage.sender.edits_of("result") if isinstance(e.card, ResultCard)]
