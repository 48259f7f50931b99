"""Hello on a new server, the test round, and /help."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from simcord.builders import ChannelHandle

from bot.chat.messages import text_of as text_of_view
from bot.help import views
from bot.help.rules import Done
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def join(stage: Stage) -> None:
    """Dispatch discord.py's event for a server that has added the bot."""
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    stage.bot.dispatch("guild_join", guild)
    await stage.wait(1)


def hellos(channel: ChannelHandle) -> list[discord.Message]:
    return [message for message in channel.history() if "Hello, I'm Quizformer" in text_of(message)]


async def test_the_buttons_of_hello(stage: Stage) -> None:
    """They start a short round and open the form of the daily."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    assert re.search(r"</quiz start:\d+>", text_of(hello))
    assert labels(hello) == ["Set up the question of the day", "Start a test round"]

    started = await stage.manager.click(hello, label="Start a test round")
    assert "**mechthild** starts 3 questions" in reply(started)
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


async def test_the_buttons_of_hello_are_for_managers(stage: Stage) -> None:
    """Other members are refused with a sentence."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    for label in labels(hello):
        assert "Manage Server" in reply(await stage.alwina.click(hello, label=label))
    assert len(stage.quiz.history()) == 1


async def test_hello_needs_a_channel(stage: Stage) -> None:
    """Closed channels are skipped; if all are closed, nothing is posted and nothing fails."""
    silent = {
        "id": str(stage.guild.id),
        "type": 0,
        "allow": "0",
        "deny": str(discord.Permissions.send_messages.flag),
    }
    for handle in (stage.quiz, stage.daily):
        channel: Any = stage.bot.get_channel(handle.id)
        channel._fill_overwrites({"permission_overwrites": [silent]})
        await join(stage)
    assert len(hellos(stage.daily)) == 1
    assert hellos(stage.quiz) == []


async def test_help_for_members_and_managers(stage: Stage) -> None:
    """Everyone sees clickable commands; managers also see how to set up the daily."""
    member = reply(await stage.alwina.slash(stage.quiz, "help"))
    assert re.search(r"</quiz start:\d+> starts a round", member)
    assert re.search(r"</practice:\d+> quizzes you on what you missed", member)
    assert "To run it here" not in member
    assert re.search(
        r"1\. </daily setup:\d+>: this server has no question",
        reply(await stage.manager.slash(stage.quiz, "help")),
    )


async def test_help_suggests_next_steps(stage: Stage) -> None:
    """It suggests up to three steps that a member has not taken, or practice that is due."""

    async def steps() -> list[str]:
        return re.findall(
            r"^\d\. </([a-z ]+):\d+>",
            reply(await stage.alwina.slash(stage.quiz, "help")),
            re.MULTILINE,
        )

    assert await steps() == ["quiz start", "practice", "plan"]
    question = await stage.play(questions=1, seconds=5)
    await question.answer(stage.alwina, right=False)
    await stage.wait(30)
    assert await steps() == ["practice", "plan", "interview"]
    assert "1 question due today" in reply(await stage.alwina.slash(stage.quiz, "help"))
    await stage.alwina.slash(stage.quiz, "plan", date="2026-06-01")
    await stage.services.reminders.set(stage.alwina.id, stage.guild.id, "08:00")
    await stage.alwina.slash(stage.quiz, "interview")
    assert await steps() == ["practice"]


@pytest.mark.parametrize(
    "install", [None, "https://discord.com/oauth2/authorize?client_id=1&integration_type=1"]
)
def test_help_away_from_servers(install: str | None) -> None:
    """Direct messages list only what works there, and a button adds the bot to the member's account."""
    message = views.help_alone(Done(), install)
    named = set(re.findall(r"</([a-z ]+)>", text_of_view(message)))
    assert named == {"practice", "plan", "profile", "interview", "topics"}
    links = [item.url for item in message.walk_children() if isinstance(item, discord.ui.Button)]
    assert links == ([install] if install else [])
