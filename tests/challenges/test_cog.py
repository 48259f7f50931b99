"""Challenges as members live them, with the whole bot."""

from __future__ import annotations

import re
from typing import Any
from unittest.mock import Mock, patch

import discord
from simcord.actors import MemberActor
from sqlalchemy import select

from bot.challenges.store import challenge_shown
from bot.core.errors import DeliveryRefused
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import (
    Question,
    Stage,
    answer_to,
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
    """Both get the same questions, one tap each, and read how they did once they can't answer any
    more; then the card shows the standings."""
    card = await card_of(stage, stage.alwina, questions=2, topic="temperature", hours=1)
    opened = text_of(card)
    assert "## ⚔️ Challenge\n**alwina** challenges everyone here\n-# " in opened
    assert " · Temperature · " in opened
    assert labels(card) == ["Take it"]
    alwina, bob = Player(stage, stage.alwina), Player(stage, stage.bob)
    first = await alwina.take(card)
    assert first.startswith("-# Challenge · question 1 of 2 · ")
    said = await alwina.answer()
    await bob.take(card)
    also = await bob.answer(right=False)
    for text in (said, also):
        assert re.match(r"Locked in \*\*.+?\*\*\.\n-# Challenge · question 2 of 2 · ", text)
    await stage.restart()
    assert (await alwina.answer()).splitlines()[1] == "### 2 of 2. Who beats that?"
    assert labels(alwina.message)[-1] == "See the card"
    assert await bob.take(card) == also.partition("\n")[2]
    ended = await bob.answer(right=False)
    assert "### 0 of 2 this time." in ended
    assert (await bob.take(card)) == ended.partition("\n")[2]
    await stage.wait(60)
    counted = stage.quiz.last_message
    assert counted is not None
    assert "Done: **alwina**, **bob**" in text_of(counted)
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


def news_of(result: Any) -> list[str]:
    """Return the private messages that followed the reply."""
    return [text_of(followup.message) for followup in result.followups]


async def test_a_pair(stage: Stage) -> None:
    """One is told with a mention and with their next reply, takes it there, and closes it.

    The other reads of it with the next reply of theirs, once; the loser challenges back.
    """
    card = await card_of(stage, stage.alwina, questions=1, topic="temperature", member=stage.bob)
    assert "**alwina** challenges **bob**" in text_of(card)
    refused = reply(await stage.clementine.click(card, label="Take it"))
    assert refused.startswith("This challenge is for two others.")
    alwina, bob = Player(stage, stage.alwina), Player(stage, stage.bob)
    await alwina.take(card)
    assert "Beat that, **bob**." in await alwina.answer()
    await stage.wait(30)
    told = await stage.bob.slash(stage.quiz, "help")
    await stage.env.settle()
    (line,) = news_of(told)
    assert line.startswith("⚔️ **alwina** challenged you to 1 question on Temperature, open until")
    await stage.wait(0.002)
    bob.see(await stage.bob.click(told.followups[0].message, label="Take it"))
    assert "0 of 1. Next time you beat **alwina**'s 1." in await bob.answer(right=False)
    await stage.wait(3)
    for lines in (["⚔️ **bob** is done: 0 against your 1."], []):
        told = await stage.alwina.slash(stage.quiz, "help")
        await stage.env.settle()
        assert [line.splitlines()[0] for line in news_of(told)] == lines
    assert news_of(await stage.bob.slash(stage.quiz, "help")) == []
    (closed,) = stage.quiz.history()
    assert "1 easy question · Temperature · closed" in text_of(closed)
    assert labels(closed) == ["Practise my misses", "My answers", "Challenge back"]
    await stage.bob.click(closed, label="Challenge back")
    await stage.wait(1)
    again = stage.quiz.last_message
    assert again is not None
    assert "**bob** challenges **alwina**\n-# 1 easy question · Temperature" in text_of(again)


async def test_news_come_at_the_end_of_a_practice_and_with_no_answer(stage: Stage) -> None:
    """The end of a practice tells them, and a button that uses a command; answers don't."""
    practice = answer_to(await stage.bob.slash(stage.quiz, "practice"))
    await card_of(stage, stage.alwina, questions=1, member=stage.bob)
    await card_of(stage, stage.manager, questions=1, member=stage.clementine)
    silent = await Question(stage, practice).respond(stage.bob)
    ended = await stage.bob.click(practice, label="End")
    used = await stage.press(stage.clementine, "use:v1:today")
    await stage.env.settle()
    assert news_of(silent) == []
    assert [len(news_of(result)) for result in (ended, used)] == [1, 1]


async def test_who_cannot_be_challenged(stage: Stage) -> None:
    """Not oneself, and no bot."""
    assert reply(await stage.alwina.slash(stage.quiz, "challenge", member=stage.alwina)).startswith(
        "You can't challenge"
    )
    assert stage.texts() == []


async def test_time_is_up_and_skip(stage: Stage) -> None:
    """Take it shows what runs; an answer that comes too late leads on, and Skip does at any time."""
    card = await card_of(stage, stage.alwina, questions=3, hours=1)
    alwina = Player(stage, stage.alwina)
    first = await alwina.take(card)
    assert await alwina.take(card) == first
    await stage.wait(400)
    question = Question(stage, alwina.message)
    if question.item.kind == "choice":
        await question.answer(stage.alwina)
        said = text_of(alwina.message)
        assert said.startswith("Time was up for question 1, so it counts as a miss.\n")
        assert "-# Challenge · question 2 of 3" in said
    else:
        refused = await question.answer(stage.alwina)
        assert refused.startswith("Time was up")
        assert (await alwina.press("Skip")).startswith("-# Challenge · question 2 of 3")
    assert (await alwina.press("Skip")).startswith("-# Challenge · question 3 of 3")
    assert (await alwina.press("Skip")).startswith("### 0 of 3 this time.")


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


async def test_a_question_that_discord_refuses(stage: Stage) -> None:
    """A question that may not have been shown costs nothing: its time starts again."""
    card = await card_of(stage, stage.alwina, questions=3)
    gone = discord.NotFound(Mock(status=404), {"code": 10062, "message": "Unknown interaction"})
    with patch.object(discord.InteractionResponse, "send_message", side_effect=gone):
        await stage.wait(0.002)
        await stage.alwina.click(card, label="Take it")
    stage.unanswered = 1
    await stage.wait(400)
    alwina = Player(stage, stage.alwina)
    assert (await alwina.take(card)).startswith("-# Challenge · question 1 of 3")
    assert (await alwina.answer()).startswith("Locked in **")
    stored = await stage.database.read(lambda conn: conn.execute(select(challenge_shown)).all())
    assert [row.arrived for row in stored] == [True, True]
