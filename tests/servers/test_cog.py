"""Hello on a new server, and /help."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from simcord.builders import ChannelHandle

from bot.chat.messages import text_of as text_of_view
from bot.servers import views
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def join(stage: Stage) -> None:
    """What discord.py tells when the bot was added to a server."""
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    stage.bot.dispatch("guild_join", guild)
    await stage.wait(1)


def hellos(channel: ChannelHandle) -> list[discord.Message]:
    return [message for message in channel.history() if "Hello, I'm Quizformer" in text_of(message)]


async def test_hello_leads_a_manager_to_a_round_and_a_daily(stage: Stage) -> None:
    """Said in the first channel where the bot may write; its buttons start a short round and open the daily's form."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    assert re.search(r"</quiz start:\d+>", text_of(hello))
    assert labels(hello) == ["Set up the question of the day", "Start a test round"]

    started = await stage.manager.click(hello, label="Start a test round")
    assert "**mia** starts 3 questions" in reply(started)
    await stage.wait(8)
    assert "Question 1 of 3" in stage.question().text

    form = await stage.manager.click(hello, label="Set up the question of the day")
    filled = {"channel": [stage.daily], "time": "9:00", "zone": ["Europe/Berlin"], "hours": ["23"]}
    panel = await stage.manager.submit_modal(form, filled)
    assert "Next: **" in reply(panel)
    assert not hellos(stage.daily)
    await stage.manager.click(answer_to(panel), label="Post now")
    await stage.wait(1)
    assert "Your answer stays private" in stage.question(stage.daily).text


async def test_hello_is_for_managers(stage: Stage) -> None:
    """Its buttons, which everyone sees, are refused to others with a sentence."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    for label in labels(hello):
        assert "Manage Server" in reply(await stage.ada.click(hello, label=label))
    assert len(stage.quiz.history()) == 1


async def test_hello_goes_where_the_bot_may_write(stage: Stage) -> None:
    """A channel that is closed to the bot is passed over; with none left nothing is said, and nothing breaks."""
    silent = {"id": str(stage.guild.id), "type": 0, "allow": "0", "deny": str(discord.Permissions.send_messages.flag)}
    for handle in (stage.quiz, stage.daily):
        channel: Any = stage.bot.get_channel(handle.id)
        channel._fill_overwrites({"permission_overwrites": [silent]})
        await join(stage)
    assert len(hellos(stage.daily)) == 1
    assert hellos(stage.quiz) == []


async def test_help_for_members_and_managers(stage: Stage) -> None:
    """Clickable mentions of what to do first; managers read about the daily too."""
    member = reply(await stage.ada.slash(stage.quiz, "help"))
    assert re.search(r"</quiz start:\d+> starts a round", member)
    assert re.search(r"</practice:\d+> quizzes you on what you missed", member)
    assert "To run it here" not in member
    assert re.search(r"</daily setup:\d+>", reply(await stage.manager.slash(stage.quiz, "help")))


@pytest.mark.parametrize("install", [None, "https://discord.com/oauth2/authorize?client_id=1&integration_type=1"])
def test_help_away_from_servers(install: str | None) -> None:
    """By direct message only what works there is named; a button adds the bot to one's account, where that is on."""
    message = views.help_alone(install)
    named = set(re.findall(r"</([a-z ]+)>", text_of_view(message)))
    assert named == {"practice", "remind", "interview", "privacy export", "privacy delete"}
    links = [item.url for item in message.walk_children() if isinstance(item, discord.ui.Button)]
    assert links == ([install] if install else [])
