"""Command registration, autocomplete, events, and what members read when something fails."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, call

import aiohttp
import discord
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord import app_commands
from discord.ext import commands
from sqlalchemy.exc import OperationalError

from bot.boards.service import Boards
from bot.chat.client import QuizBot, command_differs
from bot.config import Settings
from bot.core import counters
from bot.core.errors import UserError
from bot.questions.model import Bank
from tests.fakes import START
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, buttons, reply

__all__ = ["long_sleeps", "no_pace", "stage"]


def test_a_refusal_is_counted() -> None:
    """discord.py says these words in its log, and nothing else anywhere."""
    words = "We are being rate limited. %s %s responded with 429. Retrying in %.2f seconds."
    assert words in Path(discord.http.__file__).read_text("utf-8")
    before = counters.rate_limited.value
    logging.getLogger("discord.http").warning(words, "GET", "/", 1.0)
    logging.getLogger("discord.http").warning("another")
    assert counters.rate_limited.value == before + 1


OPTIONS = {
    **{name: ["topic"] for name in ("practice", "topics")},
    "interview": ["topic", "kind"],
    "quiz": ["questions", "topic", "difficulty", "seconds", "mode"],
    "challenge": ["member", "topic", "questions", "difficulty", "hours"],
    "leaderboard": ["period", "board", "topic"],
}
RANGES = {
    "quiz questions": (1, 50),
    "quiz seconds": (5, 300),
    "challenge questions": (1, 20),
    "challenge hours": (1, 168),
}
CHOICES = {
    "quiz difficulty": ["easy", "medium", "hard"],
    "quiz mode": ["timed", "hosted"],
    "leaderboard period": ["today", "week", "month", "all"],
    "interview kind": ["question", "case"],
}


async def test_the_commands_are_those_of_the_specification(stage: Stage) -> None:
    """Options, ranges, choices, autocomplete and default permissions as sent to Discord."""
    kind = discord.AppCommandType.chat_input
    commands = {c.name: c.to_dict(stage.bot.tree) for c in stage.bot.tree.get_commands(type=kind)}

    def found(path: str) -> dict[str, Any]:
        command, *names = path.split()
        node: dict[str, Any] = commands[command]
        for name in names:
            node = next(option for option in node["options"] if option["name"] == name)
        return node

    for path, names in OPTIONS.items():
        assert [option["name"] for option in found(path)["options"]] == names
    for path, (least, most) in RANGES.items():
        assert (found(path)["min_value"], found(path)["max_value"]) == (least, most)
    for path, values in CHOICES.items():
        assert [choice["value"] for choice in found(path)["choices"]] == values
    for path in ("interview topic", "quiz topic", "challenge topic"):
        assert found(path)["autocomplete"]
    for name in ("daily", "settings", "bank"):
        assert (found(name)["options"], found(name)["default_member_permissions"]) == ([], 32)
    others = {name for name, each in commands.items() if not each["default_member_permissions"]}
    assert others == {"plan", "profile", "help", "today", *OPTIONS}
    for command in commands.values():
        for each in (command, *command["options"]):
            assert 3 <= len(each["description"]) <= 100
            assert not each["description"].endswith(".")


async def test_no_privileged_intent(stage: Stage) -> None:
    """Only the guilds intent is used, and no member, message or presence is cached."""
    assert [name for name, on in stage.bot.intents if on] == ["guilds"]
    assert not stage.bot._connection.member_cache_flags.value
    assert stage.bot._connection.max_messages is None


async def test_an_unresponsive_gateway_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections are cut if the gateway doesn't close in time; discord.py would wait 30 s."""
    monkeypatch.setattr("bot.chat.client._GATEWAY_SECONDS", 0.01)
    cut = asyncio.Event()

    async def wait_for_goodbye(_client: commands.AutoShardedBot) -> None:
        await cut.wait()

    monkeypatch.setattr(commands.AutoShardedBot, "close", wait_for_goodbye)
    bot = QuizBot(Settings(token="t"))
    bot.features = AsyncMock()
    bot.router = AsyncMock(stop_accepting=Mock())
    monkeypatch.setattr(bot.http, "close", AsyncMock(side_effect=cut.set))
    async with asyncio.timeout(5):
        await bot.close()


async def test_autocomplete(stage: Stage) -> None:
    """Topics are found by title, id, number and section."""
    complete = stage.alwina.autocomplete
    found = await complete(stage.quiz, "quiz", "topic", "lora")
    assert "LoRA" in found[0]["name"]
    assert len(await complete(stage.quiz, "quiz", "topic", "applications")) == 17


async def test_an_unexpected_failure_is_one_sentence_with_an_id(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The member reads an error id that is in the log with the traceback, and no class name."""

    async def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Boards, "board", broken)
    text = reply(await stage.alwina.slash(stage.quiz, "leaderboard"))
    error_id = re.fullmatch(
        r"Something went wrong on my side. Try again in a moment\. \(Error ([0-9a-f]{6})\)", text
    )
    assert error_id is not None
    assert f"error {error_id[1]} in application_command 'leaderboard' in guild" in caplog.text
    assert "secret detail" in caplog.text
    stage.expected_errors = 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (RuntimeError("broken"), "Something went wrong on my side"),
        (UserError("Not today."), "Not today."),
        (app_commands.CheckFailure(), "You can't use this command here"),
    ],
)
@pytest.mark.parametrize("where", ["check", "cog", "tree"])
async def test_a_failing_check(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    words: str,
    where: str,
) -> None:
    """If a check raises anything at any level, the member reads one sentence."""

    async def refuse(*_args: object) -> bool:
        raise error

    daily: Any = stage.bot.tree.get_command("daily")
    if where == "check":
        monkeypatch.setattr(daily, "checks", [refuse])
    else:
        checked = daily.binding if where == "cog" else stage.bot.tree
        monkeypatch.setattr(type(checked), "interaction_check", refuse)
    assert reply(await stage.manager.slash(stage.quiz, "daily")).startswith(words)
    stage.expected_errors = int(isinstance(error, RuntimeError))
    assert ("broken" in caplog.text) == bool(stage.expected_errors)


async def test_a_failing_converter(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """If converting an option's value raises, the member reads a sentence."""

    async def broken(*_args: object) -> object:
        raise RuntimeError("broken")

    monkeypatch.setattr(app_commands.transformers.IdentityTransformer, "transform", broken)
    said = reply(await stage.alwina.slash(stage.quiz, "leaderboard", topic="temperature"))
    assert said.startswith('I can\'t use "temperature" there')


@pytest.mark.parametrize("error", [RuntimeError("broken"), UserError("Not today.")])
async def test_failing_autocomplete(
    stage: Stage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """If autocomplete raises, the reply is an empty list and the log says why."""

    def broken(*_args: object) -> object:
        raise error

    monkeypatch.setattr(Bank, "search", broken)
    assert await stage.alwina.autocomplete(stage.quiz, "quiz", "topic", "lora") == []
    assert str(error) in caplog.text


async def test_events_that_trigger_retries(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes of the bot's permissions, and joining a server, trigger retries."""
    woken = AsyncMock()
    monkeypatch.setattr(stage.services, "wake", woken)
    state, guild_id = stage.bot._connection, str(stage.guild.id)
    channel: dict[str, Any] = {
        "id": str(stage.daily.id),
        "guild_id": guild_id,
        "type": 0,
        "name": "x",
        "position": 0,
    }
    denied = {"id": guild_id, "type": 0, "allow": "0", "deny": "2048"}
    role: dict[str, Any] = {"id": guild_id, "name": "@everyone", "permissions": "0", "position": 0}
    role |= {"color": 0, "hoist": False, "managed": False, "mentionable": False, "flags": 0}
    user = {"id": str(state.self_id), "username": "bot", "discriminator": "0", "avatar": None}
    me = {"guild_id": guild_id, "user": user, "roles": [], "flags": 0}
    for times, event, data in (
        (1, "channel_update", channel | {"permission_overwrites": [denied]}),
        (0, "channel_update", channel | {"permission_overwrites": [denied], "name": "y"}),
        (1, "guild_role_update", {"guild_id": guild_id, "role": role}),
        (0, "guild_role_update", {"guild_id": guild_id, "role": role | {"hoist": True}}),
        (1, "guild_member_update", me),
        (0, "guild_delete", {"id": guild_id}),
        (1, "guild_create", {"id": guild_id, "roles": [role], "name": "x"}),
    ):
        woken.reset_mock()
        getattr(state, f"parse_{event}")(data)
        await stage.env.settle()
        assert woken.await_args_list == [call(stage.guild.id)] * times


async def test_a_failing_database(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that can't be stored isn't confirmed. Members read the id of the outage, which is in
    the log's first line about it.
    """
    question = await stage.play(questions=1, seconds=30)

    async def locked(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    before = counters.errors_shown.value
    monkeypatch.setattr(stage.database._backend, "write", locked)
    for member in (stage.alwina, stage.bob):
        words = "I couldn't save that just now. Try again in a moment. (Error {})"
        assert await question.answer(member) == words.format(stage.database.outage.id)
    assert counters.errors_shown.value == before + 2
    stage.expected_errors = 1


async def test_commands_are_registered_only_when_discord_has_others(stage: Stage) -> None:
    """One request at the start is enough, unless Discord has different commands."""
    requests, ids = stage.env.http_requests, dict(stage.bot._command_ids)

    async def start() -> list[str]:
        before, stage.bot._command_ids = len(requests), {}
        await stage.bot._sync_commands()
        return [request.method for request in requests[before:]]

    assert await start() == ["GET"]
    assert stage.bot._command_ids == ids
    assert ids["quiz"] > 0
    removed = stage.bot.tree.remove_command("help")
    assert removed is not None
    await stage.bot.tree.sync()
    stage.bot.tree.add_command(removed)
    assert await start() == ["GET", "PUT"]
    assert set(stage.bot._command_ids) == set(ids)
    assert await start() == ["GET"]


@pytest.mark.parametrize(
    ("application", "link"),
    [
        (None, None),
        (SimpleNamespace(id=7, user_integration_config=None), None),
        (
            SimpleNamespace(id=7, user_integration_config=object()),
            "https://discord.com/oauth2/authorize?client_id=7&scope=applications.commands&integration_type=1",
        ),
    ],
)
async def test_adding_the_app_to_an_account(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, application: object, link: str | None
) -> None:
    """/help has the link if the application allows it, and no other link."""
    monkeypatch.setattr(stage.bot, "_application", application)
    shown = answer_to(await stage.alwina.slash(stage.quiz, "help"))
    assert [button.url for button in buttons(shown) if button.url] == ([link] if link else [])


@pytest.mark.parametrize(
    ("header", "told"), [("Mon, 04 Jan 2027 12:00:00 GMT", [call(START, 5.0)]), ("soon", [])]
)
async def test_one_response_in_some_seconds_tells_the_time(header: str, told: list[Any]) -> None:
    """Reading the Date of each one would cost too much. One that can't be read changes nothing."""

    async def respond(_request: web.Request) -> web.Response:
        return web.Response(headers={"Date": header})

    bot = QuizBot(Settings(token="t"))
    clock, timers = Mock(monotonic=lambda: 5.0), Mock()
    bot.context, bot.loop = SimpleNamespace(clock=clock), timers  # type: ignore[assignment]
    app = web.Application()
    app.router.add_get("/", respond)
    async with (
        TestServer(app) as server,
        aiohttp.ClientSession(trace_configs=[bot._trace]) as session,
    ):
        for requests in (1, 2):
            for _ in range(3):
                async with session.get(server.make_url("/")):
                    pass
            assert timers.call_later.call_count == requests
            seconds, act, *given = timers.call_later.call_args.args
            assert seconds == 10
            act(*given)
    assert clock.record_date.call_args_list == told * 2


OURS = {
    "name": "remind", "description": "words", "type": 1, "nsfw": False, "dm_permission": True, "contexts": None,
    "default_member_permissions": 32, "integration_types": [0, 1],
    "options": [{"name": "time", "description": "when", "type": 3, "required": False}],
}  # fmt: skip
THEIRS: dict[str, Any] = {
    "id": "7", "application_id": "8", "version": "9", "name": "remind", "description": "words", "type": 1,
    "contexts": [0], "default_member_permissions": "32", "integration_types": [0, 1], "name_localizations": None,
    "options": [{"name": "time", "description": "when", "type": 3}],
}  # fmt: skip


def test_command_differs() -> None:
    """Differences made by Discord itself are ignored; all that members could notice count."""
    (option,) = THEIRS["options"]
    changes: list[dict[str, Any]] = [
        {"description": "other words"},
        {"default_member_permissions": None},
        {"integration_types": [0]},
        *({"options": options} for options in ([], [option | {"required": True}])),
        {"options": [option | {"min_length": 3}]},
    ]
    assert not command_differs(OURS, THEIRS)
    assert command_differs(OURS, None)
    assert [change for change in changes if not command_differs(OURS, THEIRS | change)] == []
