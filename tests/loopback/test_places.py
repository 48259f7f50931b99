"""Where the bot isn't, or may not post, `/quiz` and `/daily` say what to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.loopback.model import Channel
from tests.loopback.panel import EVERY_DAY, fill_in, open_panel
from tests.loopback.process import BotProcess
from tests.loopback.world import World


@pytest_asyncio.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Run the bot on a server with one channel, and check that Discord refused nothing."""
    async with World() as world, BotProcess(world, tmp_path) as bot:
        await world.opened()
        yield world
        assert (await bot.stop())[0] == 0
    assert [call for call in world.calls if call.status not in {200, 204}] == []


def quiz(world: World) -> Channel:
    return next(iter(world.channels.values()))


async def test_a_server_that_has_the_commands_only(world: World) -> None:
    """On a server without the bot, a manager gets the link to add it, and no daily is set up."""
    channel = world.add_channel(world.add_guild("without", bot=False), "quiz")
    annegret = world.add_member(channel.guild, "annegret", manager=True)
    for result in (
        await annegret.slash(channel, "quiz"),
        await annegret.slash(channel, "daily"),
    ):
        assert result.ephemeral
        assert result.text.startswith(
            "My commands are on this server, but I'm not, so I can't post here. Ask a"
        )
        assert f"&permissions=377957223424&guild_id={channel.guild.id}>)" in result.text
    assert "Question 1" in (await annegret.slash(channel, "practice")).text


async def test_a_private_thread(world: World) -> None:
    """In a private thread permissions look fine, but posting works only once the bot is invited."""
    thread = world.add_channel(quiz(world).guild, "private", parent=quiz(world))
    thread.private = True
    annegret = world.add_member(thread.guild, "annegret")
    result = await annegret.slash(thread, "quiz")
    assert result.ephemeral
    assert result.text.endswith("Mention me here to let me in, then try again.")
    thread.invited = True
    await world.gateway.emit("THREAD_CREATE", thread.payload())
    assert "starts 2 easy" in (await annegret.slash(thread, "quiz")).text


async def test_a_time_out(world: World) -> None:
    """In time-out the bot says so, instead of naming permissions that it has."""
    channel = quiz(world)
    annegret = world.add_member(channel.guild, "annegret", manager=True)
    me = {**channel.guild.payload(world.bot)["members"][0], "guild_id": str(channel.guild.id)}
    await world.gateway.emit(
        "GUILD_MEMBER_UPDATE", {**me, "communication_disabled_until": "2999-01-01T00:00:00+00:00"}
    )
    words = "I can't post on this server: I'm in time-out until <t:32472144000:f>. Ask a moderator to end that."
    assert (await annegret.slash(channel, "quiz")).text == words
    panel = await open_panel(annegret, channel)
    filled = {"Channel": channel, "Time": "09:00", "Days": EVERY_DAY, "Open for answers": "23"}
    refused = await fill_in(annegret, panel, "Set it up", {**filled, "Time zone": "UTC"})
    assert refused.text == words
    await world.gateway.emit("GUILD_MEMBER_UPDATE", {**me, "communication_disabled_until": None})
    assert "starts 2 easy" in (await annegret.slash(channel, "quiz")).text
