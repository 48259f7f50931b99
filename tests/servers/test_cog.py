"""Hello on a new server, its settings, and /help."""

from __future__ import annotations

import re
from typing import Any

import discord
import pytest
from simcord.backend.errors import SetupError
from simcord.builders import ChannelHandle

from bot.chat.messages import text_of as text_of_view
from bot.servers import views
from bot.servers.rules import Done
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, alt_texts, answer_to, labels, reply, text_of

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


async def test_hello_is_for_managers(stage: Stage) -> None:
    """Its buttons, which everyone sees, are refused to others with a sentence."""
    await join(stage)
    (hello,) = hellos(stage.quiz)
    for label in labels(hello):
        assert "Manage Server" in reply(await stage.alwina.click(hello, label=label))
    assert len(stage.quiz.history()) == 1


async def test_hello_goes_where_the_bot_may_write(stage: Stage) -> None:
    """A channel that is closed to the bot is passed over; with none left nothing is said, and nothing breaks."""
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
    """Clickable mentions of what to do first; managers read about the daily too."""
    member = reply(await stage.alwina.slash(stage.quiz, "help"))
    assert re.search(r"</quiz start:\d+> starts a round", member)
    assert re.search(r"</practice:\d+> quizzes you on what you missed", member)
    assert "To run it here" not in member
    assert re.search(
        r"1\. </daily setup:\d+>: this server has no question",
        reply(await stage.manager.slash(stage.quiz, "help")),
    )


async def test_help_names_what_is_left_to_do(stage: Stage) -> None:
    """The first three things that a member has not done, by what is stored; then what waits for them."""

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
    await stage.alwina.slash(stage.quiz, "remind", time="08:00")
    await stage.alwina.slash(stage.quiz, "interview")
    assert await steps() == ["practice"]


@pytest.mark.parametrize(
    "install", [None, "https://discord.com/oauth2/authorize?client_id=1&integration_type=1"]
)
def test_help_away_from_servers(install: str | None) -> None:
    """By direct message only what works there is named; a button adds the bot to one's account, where that is on."""
    message = views.help_alone(Done(), install)
    named = set(re.findall(r"</([a-z ]+)>", text_of_view(message)))
    assert named == {
        "practice",
        "plan",
        "remind",
        "interview",
        "topics",
        "privacy export",
        "privacy delete",
    }
    links = [item.url for item in message.walk_children() if isinstance(item, discord.ui.Button)]
    assert links == ([install] if install else [])


async def test_the_settings_panel(stage: Stage) -> None:
    """Each list and form stores its setting at once; the same private message shows it, and the others as they were."""
    shown = await stage.manager.slash(stage.quiz, "settings")
    assert shown.ephemeral
    said = reply(shown)
    assert "Time zone: **UTC** · 00:00 there now" in said
    assert "Rounds and challenges can be started by: **everyone**" in said
    assert "Suggested questions are announced in: **nowhere**" in said

    learners = stage.guild.create_role("learners")
    await stage.manager.select(
        answer_to(shown), values=[learners], custom_id="settings:v1:starters"
    )
    await stage.manager.select(
        answer_to(shown), values=[stage.daily], custom_id="settings:v1:suggestions"
    )
    form = await stage.manager.click(answer_to(shown), label="Change time zone")
    await stage.manager.submit_modal(form, {"zone": ["Asia/Tokyo"], "other": ""})
    said = text_of(answer_to(shown))
    assert "Time zone: **Asia/Tokyo** · 09:00 there now" in said
    assert "now begin by that clock" in said
    assert f"started by: **only members with <@&{learners.id}>**" in said
    assert f"announced in: <#{stage.daily.id}>" in said

    form = await stage.manager.click(answer_to(shown), label="Change time zone")
    await stage.manager.submit_modal(form, {"zone": ["Asia/Tokyo"], "other": "lisbon"})
    await stage.manager.select(answer_to(shown), values=[], custom_id="settings:v1:starters")
    await stage.manager.select(answer_to(shown), values=[], custom_id="settings:v1:suggestions")
    said = text_of(answer_to(shown))
    assert "Time zone: **Europe/Lisbon**" in said
    assert "started by: **everyone**" in said
    assert "announced in: **nowhere**" in said


async def test_what_a_zone_does_to_the_daily(stage: Stage) -> None:
    """The panel says when the question of the day comes by the new clock, at once."""
    setup = {"channel": stage.daily, "time": "09:00", "timezone": "UTC"}
    await stage.manager.slash(stage.quiz, "daily setup", **setup)
    shown = await stage.manager.slash(stage.quiz, "settings")
    assert "The question of the day comes at 09:00 by this clock." in reply(shown)
    form = await stage.manager.click(answer_to(shown), label="Change time zone")
    await stage.manager.submit_modal(form, {"zone": ["America/New_York"], "other": ""})
    said = text_of(answer_to(shown))
    assert "A question that's open closes at the time on its card." in said
    assert "Next: **Thursday 1 January, 09:00** (America/New_York)" in said
    assert "America/New_York" in reply(await stage.manager.slash(stage.quiz, "daily status"))


async def test_settings_refuse_what_would_not_work(stage: Stage) -> None:
    """A zone that is none and a channel where the bot may not write: a sentence, and nothing changes."""
    panel = answer_to(await stage.manager.slash(stage.quiz, "settings"))
    denied: dict[Any, discord.PermissionOverwrite] = {
        stage.guild.default_role: discord.PermissionOverwrite(send_messages=False)
    }
    locked = stage.guild.create_text_channel("locked", overwrites=denied)
    refused = await stage.manager.select(
        panel, values=[locked], custom_id="settings:v1:suggestions"
    )
    assert "I need Send Messages and Attach Files there" in reply(refused)
    form = await stage.manager.click(panel, label="Change time zone")
    wrong = await stage.manager.submit_modal(form, {"zone": ["UTC"], "other": "berl"})
    assert "Did you mean Europe/Berlin?" in reply(wrong)
    found = await stage.services.settings.look(stage.guild.id)
    assert (found.server.zone, found.server.suggestions_channel_id) == ("UTC", None)


async def test_who_may_start_rounds(stage: Stage) -> None:
    """Members without the role read which one it takes; those with it and managers start rounds."""
    learners = stage.guild.create_role("learners")
    panel = answer_to(await stage.manager.slash(stage.quiz, "settings"))
    await stage.manager.select(panel, values=[learners], custom_id="settings:v1:starters")
    refused = await stage.alwina.slash(stage.quiz, "quiz start")
    assert refused.ephemeral
    assert f"Only members with <@&{learners.id}> can start one on this server." in reply(refused)
    dagobert = stage.guild.add_member(stage.env.create_user("dagobert"), roles=[learners])
    assert "**dagobert** starts" in reply(await dagobert.slash(stage.quiz, "quiz start"))
    assert "**mechthild** starts" in reply(await stage.manager.slash(stage.daily, "quiz start"))


async def test_the_recap_in_the_panel(stage: Stage) -> None:
    """A channel turns it on, a day moves it, no channel turns it off; then it comes by itself, with its picture."""
    shown = await stage.manager.slash(stage.quiz, "settings")
    assert "Weekly recap: **off**" in reply(shown)
    await stage.manager.select(
        answer_to(shown), values=[stage.daily], custom_id="settings:v1:recap"
    )
    assert f"<#{stage.daily.id}> · next: **Monday 5 January, 09:00**" in text_of(answer_to(shown))
    await stage.manager.select(answer_to(shown), values=["1"], custom_id="settings:v1:recapday")
    assert "next: **Tuesday 6 January, 09:00**" in text_of(answer_to(shown))
    await stage.manager.select(answer_to(shown), values=[], custom_id="settings:v1:recap")
    assert "Weekly recap: **off**" in text_of(answer_to(shown))
    await stage.manager.select(
        answer_to(shown), values=[stage.daily], custom_id="settings:v1:recap"
    )
    question = await stage.play(questions=1, seconds=10)
    await question.answer(stage.alwina)
    await question.answer(stage.bob, right=False)
    await stage.wait(5.5 * 86_400)
    (recap,) = stage.daily.history()
    assert text_of(recap).startswith(
        "### The week in review\n-# 29 December – 4 January\n🥇 **alwina** · **"
    )
    assert "2 people took part · 2 answers · 50% right" in text_of(recap)
    assert [file.filename for file in recap.attachments] == ["week.png"]
    (alt,) = alt_texts(recap)
    assert "Answers by day: Monday 0, Tuesday 0, Wednesday 0, Thursday 2" in alt


async def test_a_deleted_role_is_told(stage: Stage) -> None:
    """The panel says that a role is gone that members would need."""
    await stage.services.settings.set_starters(stage.guild.id, 4242)
    said = reply(await stage.manager.slash(stage.quiz, "settings"))
    assert "⚠️ The role that can start rounds was deleted" in said


async def test_settings_are_for_managers(stage: Stage) -> None:
    """Discord hides /settings from others."""
    with pytest.raises(SetupError, match="default-member-permissions"):
        await stage.alwina.slash(stage.quiz, "settings")
