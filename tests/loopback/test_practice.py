"""Practice stays private from end to end, through a crash."""

from __future__ import annotations

from pathlib import Path

from tests.loopback.driver import COMPONENT, Member, Result
from tests.loopback.model import Channel, Message, parts
from tests.loopback.process import BotProcess
from tests.loopback.world import World


def button(message: Message, label: str) -> str:
    """Return the custom id of a button on a message."""
    return next(str(p["custom_id"]) for p in parts(message.components) if p.get("label") == label)


def shown(result: Result) -> Message:
    assert result.interaction.reply is not None
    return result.interaction.reply


async def answer(member: Member, message: Message) -> Result:
    """Pick the first choice, or type an answer."""
    custom_id = message.custom_ids[0]
    if custom_id.startswith("choose:"):
        return await member.submit(
            await member.click(message, custom_id), {"Tick all that are right": ["0"]}
        )
    if custom_id.startswith("write:"):
        return await member.submit(await member.click(message, custom_id), "a guess")
    return await member.click(message, custom_id)


async def test_two_members_practise_in_one_channel(tmp_path: Path) -> None:
    """Each member sees only their own practice, and forged ids of another's are refused."""
    async with World() as world, BotProcess(world, tmp_path) as bot:
        guild = world.add_guild()
        channel = world.add_channel(guild, "quiz")
        await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
        annegret, bob = world.add_member(guild, "annegret"), world.add_member(guild, "bob")
        await world.until(lambda: world.commands and world.gateway.connected)
        first = shown(await annegret.slash(channel, "practice"))
        assert "question 1 of 9 · " in first.text
        await _refused(bob, channel, first, first.custom_ids[0])
        assert shown(await answer(annegret, first)) is first  # the same message, edited
        assert "Back in your practice" in first.text
        await _refused(bob, channel, first, button(first, "Next"))
        await bot.restart()
        assert shown(await annegret.click(first, button(first, "Next"))) is first
        assert "question 2 of 9 · " in first.text
        second = shown(await bob.slash(channel, "practice"))
        assert "question 1 of 9 · " in second.text
        await _refused(annegret, channel, second, button(second, "End"))
        assert " of 1 right" in (await annegret.click(first, button(first, "End"))).text
        assert {m.audience for m in world.messages} == {annegret.id, bob.id}
        assert first not in bob.sees(channel)
        assert second not in annegret.sees(channel)
        posts = [c for c in world.calls if c.method == "POST" and "/messages" in c.template]
        assert posts == []  # only responses to interactions were sent
        assert (await bot.stop())[0] == 0
    assert (world.unknown, world.errors, world.violations) == ([], [], [])


async def _refused(member: Member, channel: Channel, message: Message, custom_id: str) -> None:
    """Send a forged click with the id of another member's message."""
    before = message.text
    data = {"custom_id": custom_id, "component_type": 2, "id": 1, "values": ["0"]}
    result = await member._act(COMPONENT, channel, data, message)
    assert "That practice is gone" in result.text
    assert shown(result).audience == member.id
    assert message.text == before
