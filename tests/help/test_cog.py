"""The hello on a new server, and /help."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import discord
from msgspec.structs import replace
from simcord.builders import ChannelHandle

from bot.chat.messages import text_of as text_of_view
from bot.help import views
from bot.help.service import MOST_STEPS, HelpStep
from bot.memory.views import amount
from tests.memory.test_today import Member
from tests.messages import PHONE, height
from tests.messages import custom_ids as custom_ids_of
from tests.practice.test_cog import Practised
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Question, Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


async def join(stage: Stage) -> None:
    """Dispatch discord.py's event for a server that has added the bot."""
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    stage.bot.dispatch("guild_join", guild)
    await stage.wait(1)


def hellos(channel: ChannelHandle) -> list[discord.Message]:
    return [message for message in channel.history() if "Hello, I'm Quizformer" in text_of(message)]


async def try_out(practice: Practised) -> str:
    """Answer three questions, the first one wrong, also once more, and return the last page."""
    for number in range(1, 4):
        assert practice.question.text.startswith(f"-# Question {number} of 3 · ")
        assert " · easy" in practice.question.text
        await practice.answer(right=number > 1)
        await practice.press("Next")
    await practice.answer(right=False)
    return await practice.press("Next")


async def test_the_first_five_minutes(stage: Stage) -> None:
    """Hello has a button to try some questions alone, which lead to a round, and one for managers."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    assert labels(hello) == ["Try one question", "Start a round", "Set up the question of the day"]
    practice = Practised(stage, stage.alwina)
    practice.see(await stage.alwina.click(hello, label="Try one question"))
    assert (await try_out(practice)).startswith("### 2 of 3 right\n")
    assert labels(practice.message) == ["2 more for today", "Start a round with others"]
    started = await stage.alwina.click(practice.message, label="Start a round with others")
    assert "**alwina** starts" in reply(started)
    await stage.wait(8)
    assert "Question 1 of " in stage.question().text

    form = await stage.manager.click(hello, label="Set up the question of the day")
    filled = {"channel": [stage.daily], "time": "9:00", "zone": ["Europe/Berlin"]}
    filled |= {"days": list("0123456"), "hours": ["23"]}
    panel = await stage.manager.submit_modal(form, filled)
    assert "Next: **" in reply(panel)
    assert await announced_in(stage) == stage.quiz.id
    assert not hellos(stage.daily)


async def test_who_may_not_use_a_button_of_hello(stage: Stage) -> None:
    """They read one sentence with what they can do instead."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    await stage.services.settings.set_starters(stage.guild.id, stage.guild.roles["managers"].id)
    for label, words in (
        ("Start a round", "Only members with"),
        ("Set up the question of the day", "Only members with Manage Server"),
    ):
        refused = await stage.alwina.click(hello, label=label)
        assert answer_to(refused).flags.ephemeral
        assert reply(refused).startswith(words)
    assert "or go on with </practice:" in reply(refused)


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
    """It says what today holds, and suggests three steps: what today holds, what was never tried,
    what can always be done."""

    async def steps() -> list[str]:
        page = answer_to(await stage.alwina.slash(stage.quiz, "help"))
        day = await stage.services.days.today(stage.alwina.id, stage.guild.id)
        assert ("Today: " if day.to_do else "") + amount(day) in text_of(page)
        return labels(page)[: labels(page).index("All commands")]

    assert await steps() == ["Try one question", "Start a round", "Make a plan"]
    practice = Practised(stage, stage.alwina)
    await practice.open()
    await practice.answer()
    assert await steps() == ["Practise", "Start a round", "Make a plan"]
    question = await stage.play(questions=1, seconds=5)
    await question.answer(stage.alwina, right=False)
    await stage.wait(30)
    assert await steps() == ["Practise", "Make a plan", "Mock interview"]
    for _ in range(4):
        await practice.press("Next")
        await practice.answer()
    assert await steps() == ["Make a plan", "Mock interview", "Remind me"]
    day = (stage.services.context.now() + timedelta(days=30)).date().isoformat()
    await stage.services.plans.set(stage.alwina.id, stage.guild.id, day, "5")
    await stage.services.reminders.set(stage.alwina.id, stage.guild.id, "08:00")
    await stage.alwina.slash(stage.quiz, "interview")
    assert await steps() == ["Practise", "Start a round", "Mock interview"]
    await stage.services.plans.set(stage.bob.id, stage.guild.id, day, "5")
    with_a_plan = labels(answer_to(await stage.bob.slash(stage.quiz, "help")))
    assert with_a_plan[:3] == ["Practise", "Start a round", "Mock interview"]
    for_managers = labels(answer_to(await stage.manager.slash(stage.quiz, "help")))
    assert for_managers[:2] == ["Set up the question of the day", "Try one question"]


async def test_an_open_daily_comes_first(stage: Stage) -> None:
    """Its button shows it; once it is set up, managers are not asked to do so again."""
    await stage.add_daily(zone="UTC", time="00:00")
    await stage.wait(24 * 3600)
    for member in (stage.manager, stage.alwina):
        help_ = answer_to(await member.slash(stage.quiz, "help"))
        assert labels(help_)[:2] == ["Question of the day", "Try one question"]
    shown = await stage.alwina.click(help_, label="Question of the day")
    assert Question(stage, answer_to(shown)).item


async def test_the_first_five_minutes_in_direct_messages(stage: Stage) -> None:
    """The questions lead to a reminder at a click, which asks for the zone because nothing tells it."""
    user: Any = stage.alwina.user
    help_ = answer_to(await user.slash("help"))
    assert labels(help_)[:3] == ["Try one question", "Make a plan", "Mock interview"]
    practice = Practised(stage, user)
    practice.see(await user.click(help_, label="Try one question"))
    page = await try_out(practice)
    assert page.startswith("### 2 of 3 right\n")
    assert page.endswith("\n**Make it daily: 5 minutes at 19:00?**")
    assert labels(practice.message) == ["Yes", "Another time"]
    form = await user.click(practice.message, label="Yes")
    set_ = await user.submit_modal(form, {"at": "19:00", "zone": ["Europe/Berlin"], "other": ""})
    assert "every day at 19:00\n-# Next: today, Berlin time." in reply(set_)


async def test_the_steps_of_help(stage: Stage) -> None:
    """Its buttons do what they say."""
    today = await stage.services.days.today(stage.alwina.id, stage.guild.id)
    words = {
        HelpStep.TRY: "Question 1 of 3",
        HelpStep.PRACTISE: "Question 1 of 5",
        HelpStep.PLAY: "**alwina** starts",
        HelpStep.INTERVIEW: "Question 1 of 1",
        HelpStep.REMIND: "Every evening at 19:00?",
    }
    page = views.help_page([*words], today, on_server=True, install=None)
    for custom_id, said in zip(custom_ids_of(page), words.values(), strict=False):
        assert said in reply(await stage.press(stage.alwina, custom_id))


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
    today = Member().today(datetime(2027, 1, 4, tzinfo=UTC))
    today = replace(today, ahead=100, minutes=100, dailies=((1, "Question of the day"),))
    for steps in combinations(HelpStep, MOST_STEPS):
        page = views.help_page(steps, today, on_server=False, install="https://example.com")
        assert height(page) <= 12
    everything = text_of_view(views.commands(on_server=True, manages=True))
    lines = everything.splitlines()[:13]
    assert max(len(re.sub("[<>]", "", line)) for line in lines) <= PHONE
    assert all(line.startswith("</") for line in lines)
