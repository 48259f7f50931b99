"""/remind, and the reminders that members get."""

from __future__ import annotations

from bot.reminders import store as reminders
from tests.practice.test_cog import Practised
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Question, Stage, answer_to, reply, text_of

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


async def test_wrong_options(stage: Stage) -> None:
    """An invalid time, an unknown zone and a zone without a time are refused with a sentence."""
    for options, words in (
        ({"time": "25:00"}, 'I don\'t know the time "25:00"'),
        ({"time": "09:00", "timezone": "Berlin"}, "Did you mean Europe/Berlin?"),
        ({"timezone": "UTC"}, "I need a time as well."),
    ):
        assert words in reply(await stage.alwina.slash(stage.quiz, "remind", **options))
    assert "Off." in reply(await stage.alwina.slash(stage.quiz, "remind"))
