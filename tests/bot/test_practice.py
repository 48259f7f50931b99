"""Practice as a member lives it, in a server and by direct message."""

from __future__ import annotations

from typing import Any

import discord
from simcord.actors import MemberActor

from tests.bot.stage import Question, Stage, labels, reply, text_of

DAY = 24 * 3600


class Practised:
    """A member's practice: the one private message that each step edits."""

    def __init__(self, stage: Stage, member: MemberActor) -> None:
        self.stage = stage
        self.member = member
        self.shown: Any = None

    async def open(self, **options: Any) -> str:
        return self.see(await self.member.slash(self.stage.quiz, "practice", **options))

    def see(self, result: Any) -> str:
        assert result.response.ephemeral
        self.shown = result.response
        return reply(result)

    @property
    def message(self) -> discord.Message:
        message: discord.Message = self.shown.message
        return message

    @property
    def question(self) -> Question:
        return Question(self.stage, self.message)

    async def answer(self, *, right: bool = True) -> str:
        """Answer the question that is shown; the message becomes the verdict."""
        before = self.message.id
        await self.question.answer(self.member, right=right)
        assert self.message.id == before
        return text_of(self.message)

    async def press(self, label: str) -> str:
        return self.see(await self.member.click(self.message, label=label))


async def test_question_verdict_next_end(stage: Stage) -> None:
    """One private message goes from question to verdict to the next question to the summary."""
    practice = Practised(stage, stage.ada)
    question = await practice.open()
    assert question.startswith("-# Practice · question 1 · ")
    assert "new to you" in question
    assert "Only you see this · 19 more new" in question
    message_id = practice.message.id
    verdict = await practice.answer(right=True)
    assert "✅ **Right**" in verdict
    assert "Comes back in your practice in 2 days" in verdict
    assert labels(practice.message)[0] == "Next"
    assert labels(practice.message)[-1] == "End"
    question = await practice.press("Next")
    assert question.startswith("-# Practice · question 2 · ")
    verdict = await practice.answer(right=False)
    assert "**Not quite**" in verdict
    assert "Comes back in your practice today" in verdict
    summary = await practice.press("End")
    assert "**1 of 2 right**" in summary
    assert "1 question comes back today" in summary
    assert "1 question comes back in 2 days" in summary
    assert practice.message.id == message_id
    assert stage.quiz.history() == []


async def test_every_kind_of_question(stage: Stage) -> None:
    """Letters, a list and a modal; formulas have their picture, and it goes with the question."""
    practice = Practised(stage, stage.ada)
    await practice.open()
    kinds = set()
    for number in range(20):
        item = practice.question.item
        kinds.add((item.kind, item.formula is not None))
        assert [a.filename for a in practice.message.attachments] == (["formula.png"] if item.formula else [])
        verdict = await practice.answer(right=number % 2 == 0)
        assert ("✅ **Right**" in verdict) is (number % 2 == 0)
        assert [a.filename for a in practice.message.attachments] == (["formula.png"] if item.formula else [])
        shown = await practice.press("Next")
    assert {kind for kind, _ in kinds} == {"choice", "multiple", "typed"}
    assert "10 of 20 right" in shown
    assert "waits" in shown or "wait for you today" in shown


async def test_a_miss_in_a_round_is_first_in_practice(stage: Stage) -> None:
    """The same day, before everything else; what was answered well does not come back that day."""
    asked = {}
    question = await stage.play(questions=2, seconds=5)
    for right in (True, False):
        asked[right] = question.item
        await question.answer(stage.ada, right=right)
        await stage.wait(11)
        question = stage.question()
    practice = Practised(stage, stage.ada)
    shown = await practice.open()
    assert practice.question.item == asked[False]
    assert "to remember" in shown
    await practice.answer(right=True)
    for _ in range(20):
        await practice.press("Next")
        assert practice.question.item not in asked.values()
        await practice.answer(right=True)
    assert "That is all for today" in await practice.press("Next")
    again = reply(await stage.ada.slash(stage.quiz, "practice"))
    assert again == "Nothing is due now, and you have met your new questions of today: more come tomorrow."
