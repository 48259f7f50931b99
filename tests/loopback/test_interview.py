"""An interview stays private from end to end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loopback.driver import CannotDo, Member
from tests.loopback.model import Channel, Message
from tests.loopback.panel import click
from tests.loopback.process import BotProcess
from tests.loopback.world import World

SECRET = "A sentence that only Annegret may read, about attention."


async def test_nobody_else_sees_an_interview(tmp_path: Path) -> None:
    """Only Annegret sees question, feedback, model answer, report and a refusal."""
    async with World() as world:
        channel = world.add_channel(world.add_guild(), "quiz")
        annegret, bob = [
            world.add_member(channel.guild, name, manager=True) for name in ("annegret", "bob")
        ]
        async with BotProcess(world, tmp_path) as bot:
            begun = await annegret.slash(channel, "interview")
            assert begun.ephemeral, bot.log
            card = newest(annegret, channel)
            opened = await click(annegret, card, "Answer")
            late = await click(annegret, card, "Answer")
            await annegret.submit(opened, SECRET)
            await world.until(lambda: "By your words" in newest(annegret, channel).text)
            handed_back = await annegret.submit(late, f"{SECRET} Again.")
            await world.until(lambda: f"{SECRET} Again." in handed_back.text)
            card = next(m for m in annegret.sees(channel) if "By your words" in m.text)
            await click(annegret, card, "Check my ticks")
            assert SECRET in card.text
            with pytest.raises(CannotDo):
                await click(bob, card, "Back")
            await click(annegret, card, "See the report")
            assert "Your interview" in newest(annegret, channel).text
            assert bob.sees(channel) == []
            code, _ = await bot.stop()
        assert SECRET not in bot.log
        assert (code, world.wrong) == (0, [])


def newest(member: Member, channel: Channel) -> Message:
    return member.sees(channel)[-1]
