"""End-to-end tests with a wrong machine clock: deadlines follow Discord's clock."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from discord.utils import snowflake_time

from tests.loopback.model import Message
from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.patience import PATIENCE


@pytest.mark.parametrize("ahead", [-600.0, pytest.param(600.0, marks=pytest.mark.thorough)])
async def test_the_machines_clock_is_wrong(tmp_path: Path, ahead: float) -> None:
    """A round goes on at Discord's time after a kill, and while the machine's clock is set."""
    async with World() as world:
        bot = BotProcess(world, tmp_path)
        bot.set_host_clock(ahead)
        async with bot:
            channel = await world.opened()
            annegret = world.add_member(channel.guild, "annegret")
            line = (await annegret.slash(channel, "quiz", questions=1, seconds=5)).text
            promised = re.search(r"<t:(\d+):T>", line)
            assert promised is not None
            await bot.restart()

            def cards() -> list[Message]:
                return [m for m in channel.messages.values() if "Question 1 " in m.text]

            card = (await world.until(cards))[0]
            posted = snowflake_time(card.id).timestamp()
            assert 0 <= posted - int(promised[1]) < PATIENCE  # not ten minutes off
            bot.set_host_clock(-ahead)
            await world.until(lambda: "answer:" not in "".join(card.custom_ids), what="the reveal")
            assert 5 <= (card.edited_at or 0) - posted < PATIENCE
            assert "clock is" not in bot.log  # it received a single event
