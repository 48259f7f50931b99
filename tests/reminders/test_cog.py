"""The card of the reminder, and the reminders that members get."""

from __future__ import annotations

from bot.reminders import store as reminders
from tests.practice.test_cog import Practised
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Question, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]

DAY = 24 * 3600


async def test_reminders(stage: Stage) -> None:
    """It comes at the member's time if something is to do; its buttons start a practice and turn it off."""
    pressed = await stage.press(stage.alwina, "remind:v1")
    form = await stage.alwina.click(
        answer_to(pressed), label="Yes"
    )  # asks for the zone, because nothing tells it
    await stage.alwina.submit_modal(form, {"at": "9:00", "zone": ["Europe/Berlin"], "other": ""})
    assert "I'll write every day at 09:00" in text_of(answer_to(pressed))
    assert labels(answer_to(pressed)) == ["Another time", "Turn off"]
    practice = Practised(stage, stage.alwina)
    await practice.open()
    missed = practice.question.item
    await practice.answer(right=False)
    await practice.press("End")
    await stage.wait(DAY)
    inbox = stage.alwina.user.dm_channel.history()
    assert [m.created_at.strftime("%H:%M") for m in inbox] == ["08:00"]
    assert inbox[0].content == "**Today: 4 questions, about 2 minutes.**"  # a phone shows it
    started = await stage.alwina.user.click(inbox[0], label="Practise")
    assert started.response.ephemeral
    assert Question(stage, started.response.message).item == missed
    stays = stage.alwina.user.dm_channel.history()[0]
    assert text_of(stays) == text_of(inbox[0])
    await stage.wait(DAY)
    second = stage.alwina.user.dm_channel.history()[1]
    assert second.content == ("**Today: 10 questions, about 5 minutes.**\nyesterday 0 of 1 right")
    off = await stage.alwina.user.click(second, label="Turn off")
    assert "Your reminder is off.\n### Every day at 09:00?" in text_of(off.response.message)
    await stage.wait(2 * DAY)
    assert len(stage.alwina.user.dm_channel.history()) == 2
    await stage.alwina.user.click(off.response.message, label="Yes")
    await stage.wait(DAY)
    assert len(stage.alwina.user.dm_channel.history()) == 3


async def test_tomorrow_at_this_time(stage: Stage) -> None:
    """The done screen has it once; it asks for the zone alone, if at all, and says what was set."""
    practice = Practised(stage, stage.alwina)
    await practice.open()
    for _ in range(5):
        await practice.answer()
        await practice.press("Finish" if "Finish" in labels(practice.message) else "Next")
    tomorrow = "Remind me tomorrow at this time"
    form = await stage.alwina.click(practice.message, label=tomorrow)
    assert form.modal is not None
    fields = [label["component"]["custom_id"] for label in form.modal["components"]]
    assert fields == ["zone", "other"]
    refused = await stage.alwina.submit_modal(form, {"zone": [], "other": ""})
    assert reply(refused).startswith("I need your time zone.")
    form = await stage.alwina.click(practice.message, label=tomorrow)
    assert form.modal is not None
    assert not any(o.get("default") for o in form.modal["components"][0]["component"]["options"])
    await stage.alwina.submit_modal(form, {"zone": ["UTC"], "other": ""})
    at = f"{stage.env.now():%H:%M}"
    said = f"### I'll write every day at {at}\n-# Next: tomorrow, UTC."
    assert text_of(practice.message).startswith(said)
    await stage.alwina.click(practice.message, label="Turn off")
    assert tomorrow not in labels(answer_to(await stage.alwina.slash(stage.quiz, "practice")))
    known = await stage.press(stage.alwina, "reminder:v1:tomorrow")  # UTC was chosen
    assert said in reply(known)


async def test_a_known_zone_is_not_asked_for(stage: Stage) -> None:
    """ "Yes" is enough where the server's zone is known; the form refuses what it can't read."""
    await stage.services.settings.set_zone(stage.guild.id, "Asia/Tokyo")
    pressed = await stage.press(stage.alwina, "remind:v1")
    assert reply(pressed).startswith(
        "### Every evening at 19:00?\n-# A direct message, Tokyo time."
    )
    await stage.alwina.click(answer_to(pressed), label="Yes")
    assert "every day at 19:00" in text_of(answer_to(pressed))
    for given, words in (
        ({"at": "25:00", "other": ""}, 'I don\'t know the time "25:00"'),
        ({"at": "09:00", "other": "Berl"}, "Did you mean Europe/Berlin?"),
    ):
        form = await stage.alwina.click(answer_to(pressed), label="Another time")
        refused = await stage.alwina.submit_modal(form, {"zone": ["UTC"], **given})
        assert words in reply(refused)
    assert "every day at 19:00" in text_of(answer_to(pressed))


async def test_the_next_practice_says_why_it_is_off(stage: Stage) -> None:
    """The reason comes once, after the question, with the button that turns it on again."""
    reminder, _ = await stage.services.reminders.set(stage.alwina.id, None, "09:00", "UTC")
    await stage.database.write(
        reminders.change, reminder, next_at=None, problem="Your reminders are off, because."
    )
    first = await stage.alwina.slash(stage.quiz, "practice")
    (told,) = [m.message for m in first.followups]
    assert text_of(told).startswith("Your reminders are off, because.\n### Every day at 09:00?")
    assert labels(told) == ["Yes", "Another time"]
    assert (await stage.alwina.slash(stage.quiz, "practice")).followups == []
