"""The card of the reminder, and the reminders that members get."""

from __future__ import annotations

from bot.reminders import store as reminders
from tests.practice.test_cog import Practised
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Question, Stage, answer_to, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = 24 * 3600


async def test_reminders(stage: Stage) -> None:
    """It comes at the member's time if something is due; its buttons start a practice and turn it off."""
    pressed = await stage.press(stage.alwina, "remind:v1")
    form = await stage.alwina.click(
        answer_to(pressed), label="Yes"
    )  # asks for the zone, because nothing tells it
    await stage.alwina.submit_modal(form, {"at": "9:00", "zone": ["Europe/Berlin"], "other": ""})
    assert "I'll write to you every day at **09:00** (Europe/Berlin)" in text_of(answer_to(pressed))
    practice = Practised(stage, stage.alwina)
    await practice.open()
    missed = practice.question.item
    await practice.answer(right=False)
    await practice.press("End")
    await stage.wait(DAY)
    inbox = stage.alwina.user.dm_channel.history()
    assert [m.created_at.strftime("%H:%M") for m in inbox] == ["08:00"]
    assert inbox[0].content.startswith("**1 question is due today.**")  # what a phone shows
    started = await stage.alwina.user.click(inbox[0], label="Practise now")
    assert started.response.ephemeral
    assert Question(stage, started.response.message).item == missed
    assert "due today" in text_of(
        stage.alwina.user.dm_channel.history()[0]
    )  # the reminder stays as it is
    off = await stage.alwina.user.click(inbox[0], label="Turn off")
    assert "if something is due?" in text_of(off.response.message)
    await stage.wait(2 * DAY)
    assert len(stage.alwina.user.dm_channel.history()) == 1
    await stage.alwina.user.click(off.response.message, label="Yes")
    await stage.wait(DAY)
    assert len(stage.alwina.user.dm_channel.history()) == 2


async def test_a_known_zone_is_not_asked_for(stage: Stage) -> None:
    """ "Yes" is enough where the server's zone is known; the form refuses what it can't read."""
    await stage.services.settings.set_zone(stage.guild.id, "Asia/Tokyo")
    pressed = await stage.press(stage.alwina, "remind:v1")
    await stage.alwina.click(answer_to(pressed), label="Yes")
    assert "every day at **19:00** (Asia/Tokyo)" in text_of(answer_to(pressed))
    for given, words in (
        ({"at": "25:00", "other": ""}, 'I don\'t know the time "25:00"'),
        ({"at": "09:00", "other": "Berl"}, "Did you mean Europe/Berlin?"),
    ):
        form = await stage.alwina.click(answer_to(pressed), label="Another time")
        refused = await stage.alwina.submit_modal(form, {"zone": ["UTC"], **given})
        assert words in reply(refused)
    assert "every day at **19:00** (Asia/Tokyo)" in text_of(answer_to(pressed))


async def test_the_next_practice_says_why_it_is_off(stage: Stage) -> None:
    """The reason comes once, in a message of its own after the question."""
    reminder, _ = await stage.services.reminders.set(stage.alwina.id, None, "09:00", "UTC")
    await stage.database.write(
        reminders.change, reminder, next_at=None, problem="Your reminders are off, because."
    )
    first = await stage.alwina.slash(stage.quiz, "practice")
    assert [text_of(m.message) for m in first.followups] == ["Your reminders are off, because."]
    assert (await stage.alwina.slash(stage.quiz, "practice")).followups == []
