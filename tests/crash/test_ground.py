"""The bot loses ground: channels, messages, permissions, roles, threads, servers. Each loss has one outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.crash.play import cards, revealed, soon, standings
from tests.crash.stage import SECONDS, Stage, staged, texts
from tests.loopback import losses
from tests.loopback.driver import Result
from tests.loopback.model import Channel


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path) as stage:
        await stage.bot.start()
        yield stage


async def start(stage: Stage, channel: Channel | None = None, questions: int = 1) -> Result:
    return await stage.annegret.slash(
        channel or stage.channel, "quiz start", questions=questions, seconds=SECONDS
    )


async def asked(stage: Stage, channel: Channel | None = None) -> None:
    """A round of one question is running and its card can be answered."""
    assert (await start(stage, channel)).acked
    await stage.world.until(lambda: cards(channel or stage.channel))


async def over(stage: Stage, ending: str) -> None:
    """The round has ended for this reason, with a line in the log."""
    assert await soon(stage.settled), stage.state()
    assert stage.rows("SELECT ending FROM rounds ORDER BY id DESC LIMIT 1") == [(ending,)]
    assert await soon(lambda: f" ended: {ending}" in stage.bot.log)


async def set_up_daily(stage: Stage, channel: Channel | None = None, **more: object) -> None:
    options = {"channel": channel or stage.channel, "time": "00:00", "timezone": "UTC", **more}
    result = await stage.annegret.slash(stage.channel, "daily setup", **options)
    assert "Next: **" in result.text, result.text


async def status(stage: Stage, what: str, channel: Channel | None = None) -> str:
    return (await stage.annegret.slash(channel or stage.channel, f"{what} status")).text


async def clean(stage: Stage) -> None:
    """The bot ends well, and every invariant holds."""
    await stage.stop()
    assert not (wrong := stage.verdict()), texts(wrong)


async def test_the_channel_of_a_round_is_deleted(stage: Stage) -> None:
    """The round ends, what was answered keeps its points, and a round can run elsewhere."""
    await asked(stage)
    await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    await losses.delete_channel(stage.world, stage.channel)
    await over(stage, "channel")
    assert await soon(lambda: stage.rows("SELECT count(*) FROM ledger") == [(1,)])
    other = stage.world.add_channel(stage.channel.guild, "other")
    await stage.world.gateway.emit("CHANNEL_CREATE", other.payload())
    await asked(stage, other)
    await stage.stop()
    assert "Traceback" not in stage.bot.log


async def test_the_channel_of_the_daily_is_deleted(stage: Stage) -> None:
    """/daily status says so and what to do; another channel takes the same day's question."""
    lost = stage.world.add_channel(stage.channel.guild, "lost")
    await stage.world.gateway.emit("CHANNEL_CREATE", lost.payload())
    await set_up_daily(stage, lost)
    await losses.delete_channel(stage.world, lost)
    words = await status(stage, "daily")
    assert "That channel is gone" in words
    assert "/daily setup" in words
    await set_up_daily(stage)
    await stage.annegret.slash(stage.channel, "daily post")
    assert await soon(lambda: cards(stage.channel, "daily"))
    assert "⚠️" not in await status(stage, "daily")
    await clean(stage)


async def test_the_message_of_a_question_is_deleted(stage: Stage) -> None:
    """The round ends with its standings, which say why; the points stay."""
    await asked(stage)
    await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    await losses.delete_message(stage.world, cards(stage.channel)[0])
    await over(stage, "message")
    assert "deleted" in standings(stage.channel)[0].text
    assert "ended early: The message was deleted" in await status(stage, "quiz")
    await stage.stop()
    assert stage.rows("SELECT count(*) FROM ledger") == [(1,)]


@pytest.mark.proven
async def test_a_permission_is_lost_during_a_round_and_comes_back(stage: Stage) -> None:
    """The round ends with the permission's name in /quiz status, a new one is refused, and then starts again."""
    assert (await start(stage, questions=2)).acked
    await stage.world.until(lambda: cards(stage.channel))
    await stage.world.deny(stage.channel, "send_messages")
    await over(stage, "permission")
    words = await status(stage, "quiz")
    assert "I need Send Messages" in words
    assert "I need Send Messages" in (await start(stage)).text
    await stage.world.deny(stage.channel)
    await asked(stage)
    assert await soon(lambda: len(standings(stage.channel)) == 1)
    await stage.stop()
    assert "Traceback" not in stage.bot.log


async def test_a_permission_is_lost_before_a_daily_and_comes_back(stage: Stage) -> None:
    """The post is refused, never counted, reported with the permission's name, and made once it is allowed."""
    await set_up_daily(stage)
    stage.channel.denied = 1 << 11  # the gateway has not told the bot yet
    await stage.annegret.slash(stage.channel, "daily post")
    assert await soon(lambda: stage.rows("SELECT problem FROM dailies WHERE problem IS NOT NULL"))
    await stage.world.deny(stage.channel, "send_messages")
    assert "I need Send Messages" in await status(stage, "daily")
    assert stage.daily_is("posting")
    await stage.world.deny(stage.channel)
    await stage.annegret.slash(stage.channel, "daily post")
    assert await soon(lambda: stage.daily_is("open"))
    assert "⚠️" not in await status(stage, "daily")
    await clean(stage)


@pytest.mark.proven
async def test_the_bot_is_removed_and_added_again(stage: Stage) -> None:
    """Its rounds there end, nothing is asked of Discord for that server, and afterwards the schedule is still there."""
    guild = stage.channel.guild
    await set_up_daily(stage)
    await asked(stage)
    await losses.remove_bot(stage.world, guild)
    await over(stage, "server")
    refused = [c for c in stage.world.calls if (c.status or 0) in {403, 404}]
    assert not refused
    await losses.add_bot(stage.world, guild)
    assert "Time: **00:00**, every day" in await status(stage, "daily")
    assert "I'm no longer on that server" in await status(stage, "quiz")
    await stage.annegret.slash(stage.channel, "daily post")
    assert await soon(lambda: stage.daily_is("open"))
    await stage.stop()
    assert "Traceback" not in stage.bot.log


async def test_a_server_has_an_outage(stage: Stage) -> None:
    """While Discord has lost the server its round waits; then it goes on where it was, and nothing is doubled."""
    await asked(stage)
    await stage.players.answer(stage.annegret, cards(stage.channel)[0])
    await losses.outage(stage.world, stage.channel.guild)
    assert await soon(lambda: "Discord has an outage on that server" in stage.bot.log)
    assert not revealed(stage.channel)
    await losses.end_outage(stage.world, stage.channel.guild)
    assert await soon(lambda: revealed(stage.channel))
    await stage.play(stage.settled)
    await clean(stage)


async def test_a_member_leaves_during_a_round(stage: Stage) -> None:
    """The bot is not told (it has no such intent): the round goes on, and the standings still name who left."""
    await asked(stage)
    await stage.players.answer(stage.bob, cards(stage.channel)[0])
    del stage.channel.guild.members[stage.bob.id]
    await stage.play(stage.settled)
    assert f"**{stage.bob.name}**" in standings(stage.channel)[0].text
    await clean(stage)


async def test_the_role_of_the_daily_is_deleted(stage: Stage) -> None:
    """The question is posted without a ping, and /daily status tells to choose another role."""
    role = await losses.add_role(stage.world, stage.channel.guild, "learners")
    await set_up_daily(stage, role=role)
    await losses.delete_role(stage.world, stage.channel.guild, role)
    assert "The role to ping was deleted" in await status(stage, "daily")
    await stage.annegret.slash(stage.channel, "daily post")
    assert await soon(lambda: cards(stage.channel, "daily"))
    assert str(role) not in cards(stage.channel, "daily")[0].text
    assert await soon(lambda: "the role that its daily pings was deleted" in stage.bot.log)
    await clean(stage)


async def test_a_thread_is_locked_during_a_round(stage: Stage) -> None:
    """The card that is there is still revealed; the round ends as the next can't be sent, and says who can help."""
    thread = stage.world.add_channel(stage.channel.guild, "talk", parent=stage.channel)
    await stage.world.gateway.emit("THREAD_CREATE", thread.payload())
    assert (await start(stage, thread, questions=2)).acked
    await stage.world.until(lambda: cards(thread))
    await losses.lock(stage.world, thread)
    await over(stage, "channel")
    assert len(revealed(thread)) == 1
    assert "is locked. Ask a moderator to unlock it" in await status(stage, "quiz", thread)
    await stage.stop()
    assert "Traceback" not in stage.bot.log
