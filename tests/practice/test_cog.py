"""Practice as a member uses it, on a server and in direct messages."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import discord
import pytest
from simcord.actors import MemberActor

from bot.chat.replies import defer_if_slow
from bot.questions.model import Item
from bot.questions.store import reports_since
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Question, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


class Practised:
    """A member's practice: one private message that each step edits."""

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
    """One private message goes from question to verdict to the next question to the day's page."""
    practice = Practised(stage, stage.alwina)
    question = await practice.open()
    assert question.startswith("-# Question 1 of 5 · ")
    assert question.splitlines()[0].endswith(" · new")
    message_id = practice.message.id
    verdict = await practice.answer(right=True)
    assert "✅ **Right**" in verdict
    assert "Comes back" not in verdict
    assert labels(practice.message)[0] == "Next"
    assert labels(practice.message)[-1] == "End"
    question = await practice.press("Next")
    assert question.startswith("-# Question 2 of 5 · ")
    verdict = await practice.answer(right=False)
    assert "**Not quite**" in verdict
    assert "Comes back in your practice" in verdict
    await practice.press("Next")
    await practice.answer(right=True)
    assert "Counts as a miss · Comes back in your practice" in await practice.press("I guessed")
    assert "I guessed" not in labels(practice.message)
    assert (await practice.press("End")).startswith("### 2 questions, about 1 minute")
    assert practice.message.id == message_id
    assert stage.quiz.history() == []


async def test_a_day_to_its_end(stage: Stage) -> None:
    """Misses come once more, the last verdict leads to the end, and what follows is grey."""
    practice = Practised(stage, stage.alwina)
    await practice.open()
    for number in range(1, 6):
        await practice.answer(right=number > 1)
        shown = await practice.press("Next")
    assert shown.startswith("-# Once more · 1 question · ")
    assert "Comes back" not in await practice.answer(right=True)
    assert labels(practice.message)[0] == "Finish"
    done = await practice.press("Finish")
    assert done.startswith("### Done for today ✓\n**1 day so far** · tomorrow: 10 questions")
    assert labels(practice.message) == ["Remind me tomorrow at this time", "More"]
    assert (await practice.press("More")).startswith("-# Question 1 of 5 · ")
    assert await practice.press("End") == done
    assert await practice.open() == done


async def test_slow_steps_may_defer(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step may wait for its turn, so its reply can be deferred before Discord gives up."""
    deferrable: list[bool] = []

    async def recorded(interaction: discord.Interaction, work: Any, *, edits: bool = False) -> Any:
        deferrable.append(edits)
        return await defer_if_slow(interaction, work, edits=edits)

    monkeypatch.setattr("bot.chat.replies.defer_if_slow", recorded)
    practice = Practised(stage, stage.alwina)
    await practice.open()
    await practice.answer()
    await practice.press("Next")
    await practice.press("End")
    assert deferrable == [False, True, True, True]


@pytest.mark.parametrize("of", [lambda item: item.kind, lambda item: item.formula is not None])
async def test_every_kind_of_question(stage: Stage, of: Callable[[Item], object]) -> None:
    """Questions have letters, a modal or a page of their own; a formula's picture is removed with its
    question."""
    topic = max(BANK.topics.values(), key=lambda topic: len({*map(of, topic.items)}))
    practice = Practised(stage, stage.alwina)
    await practice.open(topic=topic.id)
    left = {*map(of, topic.items)}
    assert len(left) in {2, 4}
    while left:
        item = practice.question.item
        left.discard(of(item))
        assert [a.filename for a in practice.message.attachments] == (
            ["formula.png"] if item.formula else []
        )
        right = item.kind != "multiple"
        verdict = await practice.answer(right=right)
        assert ("✅ **Right**" in verdict) is right
        assert [a.filename for a in practice.message.attachments] == (
            ["formula.png"] if item.formula else []
        )
        following = await practice.press(labels(practice.message)[0])
        if left and following.startswith("###"):
            assert f" right in {topic.title}**" in following
            await practice.open(topic=topic.id)


async def test_dont_ask_again_and_the_way_back(stage: Stage) -> None:
    """A missed item that is set aside comes back only if it is chosen from the list in /topics."""
    practice = Practised(stage, stage.alwina)
    await practice.open(topic="temperature")
    item = practice.question.item
    await practice.answer(right=False)
    assert "You won't be asked this one again." in await practice.press("Don't ask again")
    assert "Comes back in your practice" in await practice.press("Ask again")
    await practice.press("Don't ask again")
    assert (await practice.press("End")).startswith("### 4 questions, about 2 minutes")
    topics = answer_to(await stage.alwina.slash(stage.quiz, "topics"))
    opened = await stage.alwina.click(topics, label="Set aside (1)")
    assert "1 question you don't want to be asked again." in reply(opened)
    chosen = await stage.alwina.select(answer_to(opened), [item.id])
    assert "1 question is back in your practice. Nothing is set aside." in " ".join(
        reply(chosen).split()
    )
    await stage.wait(24 * 3600)
    await practice.open()
    assert practice.question.item == item


async def test_an_old_card_shows_the_way_on(stage: Stage) -> None:
    """An old card shows the verdict on the first answer, or says that the practice has ended."""
    old, new = Practised(stage, stage.alwina), Practised(stage, stage.alwina)
    await old.open()
    await new.open()
    await new.answer(right=True)
    if old.question.item.kind != "choice":  # which ask in a form, that doesn't open any more
        label = "Answer" if old.question.item.kind == "typed" else "Choose"
        said = reply(await stage.alwina.click(old.message, label=label))
        assert said.startswith("You already locked in **")
    else:
        shown = await old.answer(right=False)
        assert "You already answered this one, and your first answer counts." in shown
        assert "✅ **Right**" in shown
        assert labels(old.message)[0] == "Next"
    await new.press("End")
    stale = await stage.alwina.click(old.message, label="End")
    assert reply(stale).startswith("### 4 questions, about 2 minutes")


@pytest.mark.parametrize("direct", [False, True])
async def test_a_report(stage: Stage, caplog: pytest.LogCaptureFixture, direct: bool) -> None:
    """A report is stored with its item; the log names the item but not the member's words."""
    member: Any = stage.alwina.user if direct else stage.alwina
    shown = await (member.slash("practice") if direct else member.slash(stage.quiz, "practice"))
    question = Question(stage, shown.response.message)
    item = question.item
    await question.answer(member)
    pressed = await member.click(shown.response.message, label="Report")
    with caplog.at_level(logging.INFO):
        assert reply(await member.submit_modal(pressed, {"text": "A typo."})).startswith("Thanks.")
    assert [r.getMessage() for r in caplog.records if "reported" in r.getMessage()] == [
        f"{item.id} was reported: `python -m bot reports` prints what was said"
    ]
    (found,) = await stage.database.read(reports_since, datetime(2020, 1, 1, tzinfo=UTC))
    assert (found.item_id, found.text) == (item.id, "A typo.")
