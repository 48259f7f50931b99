"""An interview is seen by its member alone, on a Discord that keeps private what is private."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loopback.driver import CannotDo, Member
from tests.loopback.model import Channel, Message, parts
from tests.loopback.process import BotProcess
from tests.loopback.world import World

SECRET = "A sentence that only Ann may read, about attention."


def button(message: Message, label: str) -> str:
    """The custom id of a button."""
    return next(str(p["custom_id"]) for p in parts(message.components) if p.get("label") == label)


async def test_nobody_else_sees_an_interview(tmp_path: Path) -> None:
    """Question, feedback, model answer, report and a refused second text are for Ann alone."""
    async with World() as world:
        guild = world.add_guild()
        channel = world.add_channel(guild, "quiz")
        ann, bob = world.add_member(guild, "ann", manager=True), world.add_member(guild, "bob", manager=True)
        async with BotProcess(world, tmp_path) as bot:
            begun = await ann.slash(channel, "interview", questions=1)
            assert begun.ephemeral, bot.log
            card = newest(ann, channel)
            opened = await ann.click(card, button(card, "Answer"))
            late = await ann.click(card, button(card, "Answer"))
            await ann.submit(opened, SECRET)
            assert "key points" in newest(ann, channel).text, bot.log
            handed_back = await ann.submit(late, f"{SECRET} Again.")
            await world.until(lambda: f"{SECRET} Again." in handed_back.text)
            card = next(m for m in ann.sees(channel) if "key points" in m.text)
            await ann.click(card, button(card, "Your answer"))
            assert SECRET in card.text
            with pytest.raises(CannotDo):
                await bob.click(card, button(card, "Feedback"))
            await ann.click(card, button(card, "See the report"))
            assert "Your interview" in newest(ann, channel).text
            assert bob.sees(channel) == []
            code, _ = await bot.stop()
        assert SECRET not in bot.log
        assert (code, world.unknown, world.errors, world.violations) == (0, [], [], [])


def newest(member: Member, channel: Channel) -> Message:
    return member.sees(channel)[-1]
