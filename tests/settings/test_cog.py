"""/settings, as managers use it."""

from __future__ import annotations

from typing import Any

import discord

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import BANK, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def change(stage: Stage, panel: Any, label: str, **given: Any) -> Any:
    """Fill in the form of a setting."""
    form = await stage.manager.click(answer_to(panel), label=label)
    return await stage.manager.submit_modal(form, given)


async def test_the_settings_panel(stage: Stage) -> None:
    """Each form stores its setting at once, and the panel shows it with the others unchanged."""
    shown = await stage.manager.slash(stage.quiz, "settings")
    assert shown.ephemeral
    said = reply(shown)
    assert "Time zone: **UTC** · 00:00 there now" in said
    assert "Rounds: **everyone**" in said
    assert "Suggestions go to: **no channel**" in said
    assert "Weekly recap: **off**" in said

    learners = stage.guild.create_role("learners")
    await change(stage, shown, "Rounds", role=[learners])
    await change(stage, shown, "Suggestions", channel=[stage.daily])
    await change(stage, shown, "Recap", channel=[stage.daily], day=["1"])
    await change(stage, shown, "Time zone", zone=["Asia/Tokyo"], other="")
    said = text_of(answer_to(shown))
    assert f"<#{stage.daily.id}>, next **Tuesday 6 January, 09:00**" in said
    assert "Time zone: **Asia/Tokyo** · 09:00 there now" in said
    assert "now begin by that clock" in said
    assert f"Rounds: <@&{learners.id}>" in said
    assert f"Suggestions go to: <#{stage.daily.id}>" in said

    await change(stage, shown, "Time zone", zone=["Asia/Tokyo"], other="lisbon")
    await change(stage, shown, "Rounds", role=[])
    await change(stage, shown, "Suggestions", channel=[])
    await change(stage, shown, "Recap", channel=[], day=["1"])
    said = text_of(answer_to(shown))
    assert "Time zone: **Europe/Lisbon**" in said
    assert "Weekly recap: **off**" in said
    assert "Rounds: **everyone**" in said
    assert "Suggestions go to: **no channel**" in said


async def test_a_new_zone_and_the_daily(stage: Stage) -> None:
    """The panel says at once when the question of the day comes in the new zone."""
    await stage.add_daily(zone="UTC")
    shown = await stage.manager.slash(stage.quiz, "settings")
    await change(stage, shown, "Time zone", zone=["America/New_York"], other="")
    said = text_of(answer_to(shown))
    assert "A question that's open closes at the time on its card." in said
    assert "Next: **Thursday 1 January, 09:00** (America/New_York)" in said
    panel = await stage.manager.slash(stage.quiz, "daily")
    assert "America/New_York" in reply(panel)


async def test_unusable_settings_are_refused(stage: Stage) -> None:
    """An unknown zone or a channel where the bot can't post is refused, and nothing changes."""
    panel = await stage.manager.slash(stage.quiz, "settings")
    denied: dict[Any, discord.PermissionOverwrite] = {
        stage.guild.default_role: discord.PermissionOverwrite(send_messages=False)
    }
    locked = stage.guild.create_text_channel("locked", overwrites=denied)
    refused = await change(stage, panel, "Suggestions", channel=[locked])
    assert "I need Send Messages and Attach Files there" in reply(refused)
    wrong = await change(stage, panel, "Time zone", zone=["UTC"], other="berl")
    assert "Did you mean Europe/Berlin?" in reply(wrong)
    found = await stage.services.settings.read(stage.guild.id)
    assert (found.server.zone, found.server.suggestions_channel_id) == ("UTC", None)


async def test_the_role_that_may_start_rounds(stage: Stage) -> None:
    """Members without the role are told which one they need; others and managers start rounds."""
    learners = stage.guild.create_role("learners")
    await stage.services.settings.set_starters(stage.guild.id, learners.id)
    refused = await stage.alwina.slash(stage.quiz, "quiz")
    assert refused.ephemeral
    assert f"Only members with <@&{learners.id}> can start one on this server." in reply(refused)
    dagobert = stage.guild.add_member(stage.env.create_user("dagobert"), roles=[learners])
    assert "**dagobert** starts" in reply(await dagobert.slash(stage.quiz, "quiz"))
    assert "**mechthild** starts" in reply(await stage.manager.slash(stage.daily, "quiz"))


async def test_a_deleted_role_is_reported(stage: Stage) -> None:
    """The panel says that the role that members need is gone."""
    await stage.services.settings.set_starters(stage.guild.id, 4242)
    said = reply(await stage.manager.slash(stage.quiz, "settings"))
    assert "⚠️ The role that can start rounds was deleted" in said


async def test_the_topic_of_the_week(stage: Stage) -> None:
    """A form takes a title or a part of it; several topics are buttons; an empty field ends it."""
    topics = [topic for topic in BANK.asked_topics.values() if topic.items]
    shown = await stage.manager.slash(stage.quiz, "settings")
    await change(stage, shown, "Topic of the week", topic=topics[0].title.upper())
    said = text_of(answer_to(shown))
    assert f"Topic of the week: **{topics[0].title}, until Wednesday 7 January**" in said
    assert "take its questions first" in said
    started = await stage.alwina.slash(stage.quiz, "quiz")
    assert f"this week: {topics[0].title}" in reply(started)

    await change(stage, shown, "Topic of the week", topic="")
    assert "Topic of the week: **none**" in text_of(answer_to(shown))
    await change(stage, shown, "Topic of the week", topic="e")
    names = labels(answer_to(shown))
    assert len(names) == 5
    chosen = await stage.manager.click(answer_to(shown), label=names[0])
    assert f"Topic of the week: **{names[0]}, until" in reply(chosen).replace("…", "")
    other = await stage.manager.slash(stage.quiz, "settings")
    await change(stage, other, "Topic of the week", topic="zzzz")
    assert 'No topic here is called "zzzz".' in text_of(answer_to(other))
    other = await stage.manager.slash(stage.quiz, "settings")
    await change(stage, other, "Topic of the week", topic="history")
    assert "Do you mean this topic?" in text_of(answer_to(other))
