"""End-to-end tests with a wrong machine clock: deadlines follow Discord's clock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from discord.utils import snowflake_time

from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.patience import PATIENCE


@pytest.mark.parametrize("ahead", [600.0, pytest.param(-600.0, marks=pytest.mark.thorough)])
async def test_a_new_process_that_has_heard_of_no_event(tmp_path: Path, ahead: float) -> None:
    """After being killed before the first question, the bot uses Discord's Date headers."""
    async with World(ahead) as world, BotProcess(world, tmp_path) as bot:
        guild = world.add_guild()
        channel = world.add_channel(guild, "quiz")
        await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
        await world.until(lambda: world.commands and world.gateway.connected)
        line = (await world.add_member(guild, "annegret").slash(channel, "quiz", questions=1)).text
        promised = re.search(r"<t:(\d+):T>", line)
        assert promised is not None
        await bot.restart()
        card = await world.until(
            lambda: [m for m in channel.messages.values() if "Question 1 " in m.text]
        )
        assert (
            0 <= snowflake_time(card[0].id).timestamp() - int(promised[1]) < PATIENCE
        )  # not ten minutes off
        assert "clock is" not in bot.log  # it received a single event
