"""The hello on a new server, and /help."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import discord
from simcord.builders import ChannelHandle

from bot.chat.messages import text_of as text_of_view
from bot.help import views
from bot.help.service import HelpStep
from tests.messages import PHONE, height
from tests.messages import custom_ids as custom_ids_of
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
    """Everyone can start a round or practise; managers open the form of the daily."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    start, practise, set_up = labels(hello)
    practice = await stage.alwina.click(hello, label=practise)
    assert "Practice" in reply(practice)
    assert answer_to(practice).flags.ephemeral
    assert await announced_in(stage) == stage.quiz.id
    assert "Manage Server" in reply(await stage.alwina.click(hello, label=set_up))
    started = await stage.alwina.click(hello, label=start)
    assert "**alwina** starts" in reply(started)
    await stage.wait(8)
    assert "Question 1 of " in stage.question().text

    form = await stage.manager.click(hello, label=set_up)
    filled = {"channel": [stage.daily], "time": "9:00", "zone": ["Europe/Berlin"]}
    filled |= {"days": list("0123456"), "hours": ["23"]}
    panel = await stage.manager.submit_modal(form, filled)
    assert "Next: **" in reply(panel)
    assert not hellos(stage.daily)


async def announced_in(stage: Stage) -> int | None:
    """Return the channel where suggestions are announced."""
    return (await stage.services.settings.read(stage.guild.id)).server.suggestions_channel_id


async def test_another_hello(stage: Stage) -> None:
    """It doesn't change where a manager wants suggestions to be announced."""
    await stage.services.settings.announce_suggestions(stage.guild.id, stage.daily.id)
    await join(stage)
    assert hellos(stage.quiz)
    assert await announced_in(stage) == stage.daily.id


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


async def test_help_suggests_next_steps(stage: Stage) -> None:
    """It suggests up to three steps that a member has not taken, or practice that is due."""

    async def steps() -> list[str]:
        shown = labels(answer_to(await stage.alwina.slash(stage.quiz, "help")))
        return shown[: shown.index("All commands")]

    assert await steps() == ["Start a round", "Practise", "Make a plan"]
    question = await stage.play(questions=1, seconds=5)
    await question.answer(stage.alwina, right=False)
    await stage.wait(30)
    assert await steps() == ["Practise (1 due)", "Make a plan", "Mock interview"]
    day = (stage.services.context.now() + timedelta(days=30)).date().isoformat()
    await stage.services.plans.set(stage.alwina.id, stage.guild.id, day)
    await stage.services.reminders.set(stage.alwina.id, stage.guild.id, "08:00")
    await stage.alwina.slash(stage.quiz, "interview")
    assert await steps() == ["Practise (1 due)"]
    for_managers = labels(answer_to(await stage.manager.slash(stage.quiz, "help")))
    assert for_managers[0] == "Set up the question of the day"


async def test_the_steps_of_help(stage: Stage) -> None:
    """Its buttons do what they say."""
    help_ = answer_to(await stage.alwina.slash(stage.quiz, "help"))
    started = await stage.alwina.click(help_, label="Start a round")
    assert "**alwina** starts" in reply(started)
    assert "Practice" in reply(await stage.alwina.click(help_, label="Practise"))
    interview = views.help_page(
        [HelpStep.INTERVIEW, HelpStep.REMIND], 0, on_server=True, install=None
    )
    begin, remind, *_ = custom_ids_of(interview)
    assert "Interview" in reply(await stage.press(stage.alwina, begin))
    assert "Remind me" in reply(await stage.press(stage.alwina, remind))


async def test_all_commands(stage: Stage) -> None:
    """Members read theirs, managers read all, and both have buttons for what has no command."""
    help_ = await stage.alwina.slash(stage.quiz, "help")
    page = await stage.alwina.click(answer_to(help_), label="All commands")
    assert re.search(r"</practice:\d+>: ", reply(page))
    assert "/settings" not in reply(page)
    assert labels(answer_to(page)) == ["Remind me", "Anki deck", "My data"]
    help_ = await stage.manager.slash(stage.quiz, "help")
    page = await stage.manager.click(answer_to(help_), label="All commands")
    listed = re.findall(r"^</([a-z]+):\d+>: ", reply(page), re.MULTILINE)
    tree = stage.bot.tree.get_commands(type=discord.AppCommandType.chat_input)
    assert set(listed) == {command.name for command in tree}


def test_help_fits_a_phone() -> None:
    """It takes twelve lines at most, a row of buttons counting as two; each command takes one."""
    for steps in (
        [HelpStep.SET_UP, HelpStep.TODAY, HelpStep.PLAY],
        [HelpStep.PRACTISE, HelpStep.PLAN, HelpStep.REMIND],
    ):
        page = views.help_page(steps, 3, on_server=False, install="https://example.com")
        assert height(page) <= 12
    everything = text_of_view(views.commands(on_server=True, manages=True))
    lines = everything.splitlines()[:13]
    assert max(len(re.sub("[<>]", "", line)) for line in lines) <= PHONE
    assert all(line.startswith("</") for line in lines)
