"""The question of the day as managers and members live it."""

from __future__ import annotations

from datetime import timedelta

import discord
import pytest
from simcord.backend.errors import SetupError

from tests.simcord.stage import Stage, labels, reply, text_of

DAY = timedelta(days=1).total_seconds()


async def set_up(stage: Stage, **options: object) -> str:
    chosen = {"channel": stage.daily, "time": "09:00", "timezone": "Europe/Berlin"} | options
    return reply(await stage.manager.slash(stage.quiz, "daily setup", **chosen))


async def test_a_week_of_dailies(stage: Stage) -> None:
    """One post a day at the local time, each closed before or when the next one comes."""
    answer = await set_up(stage)
    assert "09:00 (Europe/Berlin)" in answer
    await stage.wait(7 * DAY)
    history = stage.daily.history()
    assert len(history) == 7
    assert {m.created_at.strftime("%H:%M") for m in history} == {"08:00"}  # winter: Berlin is UTC+1
    assert len({m.created_at.date() for m in history}) == 7
    assert all("closed" in text_of(m) for m in history[:-1])
    assert "Your answer stays private" in text_of(history[-1])


async def test_answering(stage: Stage) -> None:
    """A member reads at once and alone whether they were right, and keeps a streak; the close shows all of it."""
    await set_up(stage)
    for day in range(1, 4):
        await stage.wait(DAY)
        question = stage.question(stage.daily)
        verdict = await question.answer(stage.ada, right=True)
        assert verdict.startswith("✅ **Right**")
        assert "+100 points" in verdict
        assert f"Streak: {day} day" in verdict
    missed = await question.answer(stage.bob, right=False)
    assert missed.startswith("**Not quite**")
    assert (await question.answer(stage.bob, right=True)).startswith("You locked in **")
    assert "Your streak: **3 days**" in reply(await stage.ada.slash(stage.quiz, "today"))
    await stage.wait(7.5 * 3600)  # it was posted at 08:00 UTC and closes 23 hours later; now it is midnight
    closed = stage.question(stage.daily)
    assert "2 answers · 50 % right" in closed.text
    assert f"Longest streaks: <@{stage.ada.id}> 3 days" in closed.text
    assert labels(closed.message) == ["Why not mine?", "Report"]


async def test_once_a_day_whatever_is_tried(stage: Stage) -> None:
    """Posting by hand, setting up again and a restart never make a second daily of one date."""
    await set_up(stage, time="12:00")
    posted = reply(await stage.manager.slash(stage.quiz, "daily post"))
    assert "on its way" in posted
    await stage.wait(1)
    again = reply(await stage.manager.slash(stage.quiz, "daily post"))
    assert again.startswith("Today's question is posted already: https://discord.com/channels/")
    await set_up(stage, time="18:00")
    await stage.restart()
    await stage.wait(DAY * 0.9)
    assert len(stage.daily.history()) == 1


async def test_catching_up_after_an_outage(stage: Stage) -> None:
    """Up to six hours late is posted, later is skipped, and status says so."""
    await set_up(stage)
    await stage.bot.services.close()
    await stage.wait(8 * 3600 + 5 * 3600)  # 2026-01-01 00:00 UTC + 13 h: five hours late
    await stage.restart()
    await stage.wait(1)
    assert len(stage.daily.history()) == 1
    await stage.bot.services.close()
    await stage.wait(DAY + 3 * 3600)  # eight hours late
    await stage.restart()
    await stage.wait(1)
    assert len(stage.daily.history()) == 1
    status = reply(await stage.manager.slash(stage.quiz, "daily status"))
    assert "⚠️ No question on 02 January: I was offline at the time" in status


async def test_pause_resume_and_skip(stage: Stage) -> None:
    """A post time within a pause is left out, and so is one that a manager skips."""
    await set_up(stage)
    assert reply(await stage.manager.slash(stage.quiz, "daily pause")).startswith("Paused")
    assert "paused already" in reply(await stage.manager.slash(stage.quiz, "daily pause"))
    await stage.wait(DAY)
    assert stage.daily.history() == []
    assert "Friday 2 January, 09:00" in reply(await stage.manager.slash(stage.quiz, "daily resume"))
    left_out = reply(await stage.manager.slash(stage.quiz, "daily skip"))
    assert left_out.startswith("Left out: Friday 2 January, 09:00 (Europe/Berlin).")
    assert "Saturday 3 January, 09:00" in left_out
    await stage.wait(DAY)
    assert stage.daily.history() == []
    await stage.wait(DAY)
    assert len(stage.daily.history()) == 1


async def test_role_and_thread(stage: Stage) -> None:
    """The role is pinged once, at posting, and a thread is opened on the card."""
    role = stage.guild.create_role("learners", mentionable=True)
    await set_up(stage, role=role, thread=True)
    await stage.wait(DAY)
    message = stage.daily.history()[0]
    assert f"<@&{role.id}>" in text_of(message)
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    assert [thread.id for thread in guild.threads] == [message.id]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": "25:00"}, 'I don\'t know the time "25:00": write it as HH:MM'),
        ({"timezone": "Berlin"}, "did you mean Europe/Berlin?"),
        ({"topic": "cooking"}, "I don't know that topic"),
    ],
)
async def test_wrong_settings_change_nothing(stage: Stage, options: dict[str, str], words: str) -> None:
    """A wrong time, zone or topic is one helpful sentence, and no schedule."""
    assert words in await set_up(stage, **options)
    assert "No daily is set up" in reply(await stage.manager.slash(stage.quiz, "daily status"))


async def test_missing_permissions_are_named_at_setup(stage: Stage) -> None:
    """Where the bot can't post, setup says what it needs."""
    locked = stage.guild.create_text_channel(
        "locked", overwrites={stage.guild.default_role: discord.PermissionOverwrite(send_messages=False)}
    )
    answer = await set_up(stage, channel=locked)
    assert answer.startswith(f"I can't post in <#{locked.id}>: I need Send Messages")


async def test_members_without_manage_server_do_not_see_the_command(stage: Stage) -> None:
    """Discord hides /daily from them."""
    with pytest.raises(SetupError, match="default-member-permissions"):
        await stage.ada.slash(stage.quiz, "daily status")
