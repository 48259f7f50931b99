"""End-to-end tests of exporting and erasing a member's data, and of leaving a server."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.loopback.losses import add_bot, end_outage, outage, remove_bot
from tests.loopback.process import BotProcess
from tests.loopback.world import World

NAME = "Unfindable Zoe"


def departures(database: Path) -> list[tuple[int, str]]:
    """Return the servers that are due to be erased, and their state."""
    with closing(sqlite3.connect(database)) as conn:
        return conn.execute("SELECT guild_id, state FROM erasures").fetchall()


async def test_what_is_erased_is_in_no_file(tmp_path: Path) -> None:
    """After the bot ends, neither id nor name is left in the database's files or the log."""
    async with World() as world, BotProcess(world, tmp_path) as bot:
        channel = await world.opened()
        zoe = world.add_member(channel.guild, NAME)
        secret = zoe.id.to_bytes(8, "big")
        await zoe.slash(channel, "practice")
        await zoe.slash(channel, "interview")
        profile = (await zoe.slash(channel, "profile")).interaction.reply
        assert profile is not None
        remind = (await zoe.click(profile, "remind:v1")).interaction.reply
        assert remind is not None
        form = await zoe.click(remind, "reminder:v1:on")
        await zoe.submit(form, {"Time, for example 09:00 or 18:30": "09:00", "Time zone": "UTC"})
        mine = (await zoe.click(profile, "mydata:v1")).interaction.reply
        assert mine is not None
        exported = await zoe.click(mine, "mydata:v1:export")
        assert exported.interaction.reply is not None
        assert [a["filename"] for a in exported.interaction.reply.attachments] == [
            "quizformer-data.json"
        ]
        wal = bot.database.with_name("bot.db-wal")
        await world.until(
            lambda: NAME.encode() in bot.database.read_bytes() + wal.read_bytes(), what="a name"
        )
        await zoe.click(mine, "mydata:v1:ask")
        await zoe.click(mine, "mydata:v1:yes")
        await world.until(lambda: "is deleted" in mine.text)
        assert (await bot.stop())[0] == 0
        left = b"".join(file.read_bytes() for file in tmp_path.iterdir())
        assert NAME.encode() not in left
        assert secret not in left
        assert str(zoe.id).encode() not in left
        assert [call for call in world.calls if call.status not in {200, 204}] == []


@pytest.mark.thorough
async def test_a_server_removes_the_bot(tmp_path: Path) -> None:
    """Removing the bot is recorded, and undone when it returns, even while it is off."""
    async with World() as world, BotProcess(world, tmp_path) as bot:
        channel = await world.opened()
        guild = channel.guild
        gone = [(guild.id, "waiting")]

        async def departed(expected: list[tuple[int, str]]) -> None:
            await world.until(lambda: departures(bot.database) == expected)

        await world.add_member(guild, "annegret").slash(channel, "today")
        await world.until(lambda: "ready: " in bot.log)
        assert departures(bot.database) == []
        await outage(world, guild)
        await end_outage(world, guild)
        await remove_bot(world, guild)
        await departed(gone)
        await add_bot(world, guild)
        await departed([])
        await world.until(lambda: "keeps its data" in bot.log)
        for change, expected in ((remove_bot, gone), (add_bot, [])):
            assert (await bot.stop())[0] == 0
            await change(world, guild)
            await bot.start()
            await departed(expected)
        assert (await bot.stop())[0] == 0
