"""Challenges as members live them, with the whole bot."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock, patch

import discord
import pytest
from simcord.actors import MemberActor
from sqlalchemy import select

from bot.challenges.store import challenge_shown
from bot.core.errors import DeliveryRefused
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import (
    Question,
    Stage,
    labels,
    reply,
    text_of,
)

__all__ = ["long_sleeps", "no_pace", "stage"]


class Player:
    """A member who takes a challenge in the one private message that each step edits."""

    def __init__(self, stage: Stage, member: MemberActor) -> None:
        self.stage = stage
        self.member = member
        self.shown: Any = None

    async def take(self, card: discord.Message) -> str:
        await self.stage.wait(0.002)
        return self.see(await self.member.click(card, label="Take it"))

    def see(self, result: Any) -> str:
        assert result.response.ephemeral
        self.shown = result.response
        return reply(result)

    @property
    def message(self) -> discord.Message:
        message: discord.Message = self.shown.message
        return message

    async def answer(self, *, right: bool = True) -> str:
        """Answer the question that is shown; the message says that it is locked in."""
        before = self.message.id
        await Question(self.stage, self.message).answer(self.member, right=right)
        assert self.message.id == before
        return text_of(self.message)

    async def press(self, label: str) -> str:
        await self.stage.wait(0.002)
        return self.see(await self.member.click(self.message, label=label))


async def card_of(stage: Stage, starter: MemberActor, **options: Any) -> discord.Message:
    """Start a challenge; returns its card."""
    result = await starter.slash(stage.quiz, "challenge", **options)
    assert result.response is not None
    assert result.response.ephemeral
    assert "on its way" in reply(result)
    await stage.wait(0.5)
    message = stage.quiz.last_message
    assert message is not None
    return message


async def test_two_take_one_with_a_restart_between(stage: Stage) -> None:
    """Both get the same questions in private and read nothing of how they did; then the card shows the standings."""
    card = await card_of(stage, stage.alwina, questions=2, topic="temperature", hours=1)
    opened = text_of(card)
    assert (
        "## ⚔️ Challenge\n**alwina** challenges everyone here\n-# 1 easy, 1 medium · Temperature · "
        in opened
    )
    assert labels(card) == ["Take it"]
    alwina, bob = Player(stage, stage.alwina), Player(stage, stage.bob)
    first = await alwina.take(card)
    assert first.startswith("-# Challenge · question 1 of 2 · ")
    said = await alwina.answer()
    assert said.startswith("Locked in **")
    assert labels(alwina.message) == ["Next question", "Report"]
    await bob.take(card)
    also = await bob.answer(right=False)
    assert [line for line in said.splitlines() if "**" not in line] == [
        line for line in also.splitlines() if "**" not in line
    ]
    await stage.restart()
    assert (await alwina.press("Next question")).startswith("-# Challenge · question 2 of 2 · ")
    assert (await alwina.answer()).count("That was the last one.") == 1
    assert (await bob.take(card)).startswith("-# Challenge · question 2 of 2 · ")
    await bob.answer(right=False)
    secret = await alwina.take(card)
    assert secret.startswith("You've been through all of it.")
    await stage.wait(60)
    counted = stage.quiz.last_message
    assert counted is not None
    assert " · 2 finished" in text_of(counted)
    assert "alwina** ·" not in text_of(counted)
    await stage.wait(3700)
    (closed,) = stage.quiz.history()
    assert closed.id == card.id
    standings = text_of(closed)
    assert "🥇 **alwina** · **" in standings
    assert "2 of 2 right" in standings
    assert "Also played: **bob**" in standings
    mine = await stage.bob.click(closed, label="My answers")
    assert reply(mine).startswith("### 0 of 2 right")
    practice = await stage.bob.click(closed, label="Practise my misses")
    assert reply(practice).startswith("-# Question 1 of ")
    board = reply(await stage.alwina.slash(stage.quiz, "leaderboard", period="today"))
    assert "**alwina** · **" in board
    assert (await stage.clementine.click(closed, label="My answers")).response is not None


async def test_a_pair(stage: Stage) -> None:
    """The card names both; it closes when both are done, and the loser challenges back."""
    card = await card_of(stage, stage.alwina, questions=1, topic="temperature", member=stage.bob)
    assert "**alwina** challenges **bob**" in text_of(card)
    refused = reply(await stage.clementine.click(card, label="Take it"))
    assert refused.startswith("This challenge is for two others.")
    for member in (stage.alwina, stage.bob):
        player = Player(stage, member)
        await player.take(card)
        assert "as soon as both of you are done" in await player.answer(
            right=member is stage.alwina
        )
        await stage.wait(3)
    (closed,) = stage.quiz.history()
    assert "1 easy question · Temperature · closed" in text_of(closed)
    assert labels(closed) == ["Practise my misses", "My answers", "Challenge back"]
    await stage.bob.click(closed, label="Challenge back")
    await stage.wait(1)
    again = stage.quiz.last_message
    assert again is not None
    assert "**bob** challenges **alwina**\n-# 1 easy question · Temperature" in text_of(again)


async def test_who_cannot_be_challenged(stage: Stage) -> None:
    """Not oneself, and no bot."""
    assert reply(await stage.alwina.slash(stage.quiz, "challenge", member=stage.alwina)).startswith(
        "You can't challenge"
    )
    assert stage.texts() == []


async def test_time_is_up_and_skip(stage: Stage) -> None:
    """An answer that comes too late shows the way on in the same message; so does Skip, at any time."""
    card = await card_of(stage, stage.alwina, questions=3, hours=1)
    alwina = Player(stage, stage.alwina)
    await alwina.take(card)
    running = reply(await stage.alwina.click(card, label="Take it"))
    assert running.startswith("Question 1 runs until <t:")
    await stage.wait(400)
    question = Question(stage, alwina.message)
    if question.item.kind == "choice":
        await question.answer(stage.alwina)
        assert text_of(alwina.message).startswith(
            "Question 1 has no answer from you, so it counts as a miss."
        )
        assert (await alwina.press("Next question")).startswith("-# Challenge · question 2 of 3")
    else:
        refused = await question.answer(stage.alwina)
        assert refused.startswith("Time was up")
        assert (await alwina.press("Skip")).startswith("-# Challenge · question 2 of 3")
    assert (await alwina.press("Skip")).startswith("-# Challenge · question 3 of 3")
    assert "That was the last one." in await alwina.press("Skip")


async def test_a_card_that_could_not_be_posted(stage: Stage) -> None:
    """The private line that announced it says why instead, and what to do."""
    refused = DeliveryRefused("permission", "I can't post here: I need Send Messages.")
    with patch.object(stage.services.context.sender, "post", side_effect=refused):
        result = await stage.alwina.slash(stage.quiz, "challenge")
        await stage.wait(1)
    assert reply(result).startswith(
        "Your challenge couldn't be posted. I can't post here: I need Send Messages."
    )
    assert "Once that's fixed, use </" in reply(result)
    await card_of(stage, stage.alwina)


GONE = discord.NotFound(Mock(status=404), {"code": 10062, "message": "Unknown interaction"})


ANSWERED = discord.HTTPException(Mock(status=400), {"code": 40060, "message": "Acknowledged"})


@pytest.mark.parametrize(
    ("errors", "shown"),
    [([GONE], 0), ([OSError("connection lost"), GONE], 1), ([ANSWERED], 1)],
)
async def test_a_question_that_discord_refuses(
    stage: Stage, errors: list[Exception], shown: int
) -> None:
    """A refused question comes again, unless it may have been shown.

    The second attempt came too late; or discord.py has tried again by itself, and Discord had it.
    """
    card = await card_of(stage, stage.alwina, questions=3)
    with patch.object(discord.InteractionResponse, "send_message", side_effect=errors):
        await stage.wait(0.002)
        await stage.alwina.click(card, label="Take it")
    stage.unanswered = 1
    stored = await stage.database.read(lambda conn: conn.execute(select(challenge_shown)).all())
    assert len(stored) == shown
    said = await Player(stage, stage.alwina).take(card)
    assert said.startswith("Question 1 runs" if shown else "-# Challenge · question 1 of 3")
