"""/remind, and the reminders that members get."""

from __future__ import annotations

from datetime import UTC, datetime

from fsrs import Rating

from bot.answers.store import Review
from bot.chat import messages
from bot.memory import store as memory
from bot.reminders import store as reminders
from bot.reminders.store import Reminder
from bot.reminders.views import state
from tests.practice.test_cog import Practised
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Question, Stage, answer_to, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = 24 * 3600


async def test_reminders(stage: Stage) -> None:
    """It comes at the member's time if something is due; its buttons start a practice and pause it."""
    assert "Off." in reply(await stage.alwina.slash(stage.quiz, "remind"))
    said = reply(
        await stage.alwina.slash(stage.quiz, "remind", time="09:00", timezone="Europe/Berlin")
    )
    assert (
        "It comes every day at **09:00** (Europe/Berlin), by direct message, if something is due."
        in said
    )
    practice = Practised(stage, stage.alwina)
    await practice.open()
    missed = practice.question.item
    await practice.answer(right=False)
    await practice.press("End")
    await stage.wait(DAY)
    inbox = stage.alwina.user.dm_channel.history()
    assert [m.created_at.strftime("%H:%M") for m in inbox] == ["08:00"]
    assert (
        inbox[0].content == "**1 question is due today.** A few minutes keep them fresh."
    )  # what a phone shows
    started = await stage.alwina.user.click(inbox[0], label="Practise now")
    assert started.response.ephemeral
    assert Question(stage, started.response.message).item == missed
    assert "due today" in text_of(
        stage.alwina.user.dm_channel.history()[0]
    )  # the reminder stays as it is
    paused = await stage.alwina.user.click(inbox[0], label="Pause")
    assert "Paused." in text_of(paused.response.message)
    await stage.wait(2 * DAY)
    assert (
        len([m for m in stage.alwina.user.dm_channel.history() if "due today" in text_of(m)]) == 1
    )
    await stage.alwina.user.click(answer_to(paused), label="Resume")
    await stage.wait(DAY)
    assert (
        len([m for m in stage.alwina.user.dm_channel.history() if "due today" in text_of(m)]) == 2
    )


async def test_the_next_practice_says_why_it_paused(stage: Stage) -> None:
    """The reason comes once, in a message of its own after the question."""
    await stage.alwina.slash(stage.quiz, "remind", time="09:00", timezone="UTC")
    reminder = await stage.services.reminders.get(stage.alwina.id)
    assert reminder is not None
    await stage.database.write(
        reminders.change, reminder, next_at=None, problem="Your reminders are paused, because."
    )
    first = await stage.alwina.slash(stage.quiz, "practice")
    assert [text_of(m.message) for m in first.followups] == ["Your reminders are paused, because."]
    assert (await stage.alwina.slash(stage.quiz, "practice")).followups == []


async def test_a_refused_reminder_pauses(stage: Stage) -> None:
    """If Discord refuses the message (403, code 50007), it pauses, and /remind says why."""
    closed = stage.env.create_user(
        "bartleby", bot=True
    )  # Discord refuses messages between bots with the same code
    user_id = closed.id
    first = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    await stage.database.write(reminders.save, Reminder(user_id, "00:10", "UTC", first))
    missed = [Review(user_id, Rating.Again, first)]
    await stage.database.write(memory.record, next(iter(BANK.asked)), missed)
    await stage.wait(DAY)
    reminder = await stage.services.reminders.get(user_id)
    assert reminder is not None
    assert reminder.next_at is None
    assert "because Discord won't let me message you. Allow direct messages" in messages.text_of(
        state(reminder)
    )


async def test_wrong_options(stage: Stage) -> None:
    """An invalid time, an unknown zone and a zone without a time are refused with a sentence."""
    for options, words in (
        ({"time": "25:00"}, 'I don\'t know the time "25:00"'),
        ({"time": "09:00", "timezone": "Berlin"}, "Did you mean Europe/Berlin?"),
        ({"timezone": "UTC"}, "I need a time as well."),
    ):
        assert words in reply(await stage.alwina.slash(stage.quiz, "remind", **options))
    assert "Off." in reply(await stage.alwina.slash(stage.quiz, "remind"))
