"""Time jumps where nothing is done, and stands still where sockets, threads or queries are at work."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import discord
import pytest
from sqlalchemy import Connection, text

from bot.config import database_url
from bot.core.database import open_database
from soak.month.clock import JumpingLoop, Machine

pytestmark = pytest.mark.thorough

START = datetime(2026, 10, 12, tzinfo=UTC)


def test_a_day_passes_at_once_and_work_takes_no_time(tmp_path: Path) -> None:
    """A day's sleep takes no time outside; a socket, a thread and a database take none inside."""

    async def live(loop: JumpingLoop, machine: Machine) -> None:
        await asyncio.sleep(86_400)
        began = loop.time()
        await asyncio.to_thread(time.sleep, 0.05)

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readline())
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        assert await asyncio.wait_for(reader.readline(), 3) == b"hello\n"
        writer.close()
        server.close()

        async with open_database(database_url(f"sqlite:///{tmp_path / 'bot.db'}")) as database:
            assert await asyncio.wait_for(database.write(_one), 3) == 1
        assert loop.time() == began
        assert machine.discord_now() == START + timedelta(days=1)

    real = time.perf_counter()
    loop = JumpingLoop()
    machine = Machine(loop, START)
    with machine.in_place(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(live(loop, machine))
        assert time.time() == (START + timedelta(days=1)).timestamp()
        machine.off = 10
        assert discord.utils.utcnow() == START + timedelta(days=1, seconds=10)
    assert time.perf_counter() - real < 60
    assert abs(time.time() - datetime.now(UTC).timestamp()) < 5


def _one(conn: Connection) -> int:
    return int(conn.execute(text("SELECT 1")).scalar_one())
