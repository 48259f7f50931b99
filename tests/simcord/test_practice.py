"""Practice as a member lives it, in a server and by direct message."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import discord
from fsrs import Rating
from simcord.actors import MemberActor

from bot.memory import store as memory
from bot.memory.store import ReviewedAnswer
from bot.practice.views import reminder_state
from bot.questions import views as cards
from bot.reminders import store as reminders
from bot.reminders.store import Reminder
from tests.simcord.stage import BANK, Question, Stage, labels, reply, text_of

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
    assert question.splitlines()[0].endswith(" · new")
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
    stage.bot.services.practices._rng = random.Random(2)  # with it the first twenty are of every kind
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
    assert shown.splitlines()[0].endswith(" · again")
    await practice.answer(right=True)
    for _ in range(20):
        await practice.press("Next")
        assert practice.question.item not in asked.values()
        await practice.answer(right=True)
    assert "That is all for today" in await practice.press("Next")
    again = reply(await stage.ada.slash(stage.quiz, "practice"))
    assert again == "Nothing is due now, and you have had your 20 new questions of today: more come tomorrow."


async def test_it_goes_on_after_a_restart(stage: Stage) -> None:
    """The card on the screen still works, and /practice shows the same question again."""
    practice = Practised(stage, stage.ada)
    await practice.open()
    await practice.answer()
    await stage.restart()
    question = await practice.press("Next")
    await stage.restart()
    again = Practised(stage, stage.ada)
    assert await again.open() == question
    await practice.answer(right=True)
    assert "-# Practice · question 2 · " in text_of(practice.message)


async def test_an_old_card_shows_the_way_on(stage: Stage) -> None:
    """Answered elsewhere: the verdict on the first answer, and Next; ended elsewhere: a sentence with the command."""
    old, new = Practised(stage, stage.ada), Practised(stage, stage.ada)
    await old.open()
    await new.open()
    await new.answer(right=True)
    if old.question.item.kind == "typed":
        said = reply(await stage.ada.click(old.message, label="Answer"))
        assert said.startswith("You locked in **")
    else:
        shown = await old.answer(right=False)
        assert "You answered this one already: the first answer counts." in shown
        assert "✅ **Right**" in shown
        assert labels(old.message)[0] == "Next"
    await new.press("End")
    stale = await stage.ada.click(old.message, label="End")
    assert "**1 of 1 right**" in reply(stale)


async def test_an_old_question_of_an_ended_practice(stage: Stage) -> None:
    """A sentence, and the command that leads on."""
    old, new = Practised(stage, stage.ada), Practised(stage, stage.ada)
    await old.open(topic="temperature")
    await new.open(topic="temperature")
    assert "You answered nothing this time." in await new.press("End")
    said = await old.question.answer(stage.ada)
    assert said == "This practice has ended: start another with /practice."


async def test_by_direct_message(stage: Stage) -> None:
    """The same practice goes on in the member's direct messages with the bot."""
    practice = Practised(stage, stage.ada)
    question = await practice.open()
    shown = await stage.ada.user.slash("practice")
    assert text_of(shown.response.message) == question
    pressed = await stage.ada.user.click(shown.response.message, label="End")
    assert "Your practice" in text_of(pressed.response.message)


async def test_a_topic(stage: Stage) -> None:
    """Only its questions, found by autocomplete as in a round."""
    practice = Practised(stage, stage.ada)
    found = await stage.ada.autocomplete(stage.quiz, "practice", "topic", "temperature")
    await practice.open(topic=found[0]["value"])
    topic = practice.question.item.topic_id
    assert topic == found[0]["value"]
    await practice.answer()
    await practice.press("Next")
    assert practice.question.item.topic_id == topic
    assert "I don't know that topic" in reply(await stage.ada.slash(stage.quiz, "practice", topic="cooking"))


async def test_a_daily_enters_practice(stage: Stage) -> None:
    """Its verdict says when it comes back, and a miss is first in practice the same day."""
    await stage.manager.slash(stage.quiz, "daily setup", channel=stage.daily, time="00:30", timezone="UTC")
    await stage.wait(3600)
    card = stage.question(stage.daily)
    assert "Comes back in your practice in 2 days" in await card.answer(stage.bob, right=True)
    assert "Comes back in your practice today" in await card.answer(stage.ada, right=False)
    practice = Practised(stage, stage.ada)
    await practice.open()
    assert practice.question.item == card.item


async def test_reminders(stage: Stage) -> None:
    """By direct message at the member's time if something is due; its buttons start a practice and turn it off."""
    assert "Off." in reply(await stage.ada.slash(stage.quiz, "remind"))
    said = reply(await stage.ada.slash(stage.quiz, "remind", time="09:00", timezone="Europe/Berlin"))
    assert "Every day at **09:00** (Europe/Berlin), by direct message, if something is due." in said
    practice = Practised(stage, stage.ada)
    await practice.open()
    missed = practice.question.item
    await practice.answer(right=False)
    await practice.press("End")
    await stage.wait(DAY)
    inbox = stage.ada.user.dm_channel.history()
    assert [m.created_at.strftime("%H:%M") for m in inbox] == ["08:00"]
    assert "**1 question is** due today" in text_of(inbox[0])
    started = await stage.ada.user.click(inbox[0], label="Practise")
    assert started.response.ephemeral
    assert Question(stage, started.response.message).item == missed
    assert "due today" in text_of(stage.ada.user.dm_channel.history()[0])  # the reminder stays as it is
    off = await stage.ada.user.click(inbox[0], label="Turn off")
    assert "Off." in text_of(off.response.message)
    await stage.wait(2 * DAY)
    assert len([m for m in stage.ada.user.dm_channel.history() if "Time to practise" in text_of(m)]) == 1


async def test_a_reminder_that_can_not_be_sent(stage: Stage) -> None:
    """Where Discord refuses the message (403, code 50007), it stops, and /remind says so."""
    closed = stage.env.create_user("closed", bot=True)  # Discord refuses messages between bots with the same code
    user_id = closed.id
    first = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    await stage.database.write(reminders.save, Reminder(user_id, "00:10", "UTC", first, None))
    missed = [ReviewedAnswer(user_id, Rating.Again, first)]
    await stage.database.write(memory.record, "round", 1, next(iter(BANK.items)), missed)
    await stage.wait(DAY)
    reminder = await stage.bot.services.reminders.get(user_id)
    assert reminder is not None
    assert (reminder.next_at, reminder.problem) == (None, "Discord does not let me write to you.")
    shown = reminder_state(reminder)
    assert "⚠️ Stopped. Discord does not let me write to you. Allow direct messages" in cards.text_of(shown)


async def test_a_wrong_reminder(stage: Stage) -> None:
    """A time that is none, a zone that is none, and a zone without a time."""
    for options, words in (
        ({"time": "25:00"}, 'I don\'t know the time "25:00"'),
        ({"time": "09:00", "timezone": "Berlin"}, "did you mean Europe/Berlin?"),
        ({"timezone": "UTC"}, "I need a time as well"),
    ):
        assert words in reply(await stage.ada.slash(stage.quiz, "remind", **options))
    assert "Off." in reply(await stage.ada.slash(stage.quiz, "remind"))
