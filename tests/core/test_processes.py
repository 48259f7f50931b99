"""How processes on one database share the work."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, Connection

from bot.core.database import open_database
from bot.core.processes import is_only_process
from bot.core.snowflakes import TAKE_OVER
from bot.daily import schedule_store
from bot.daily.model import Schedule
from bot.games.model import Starter
from bot.rounds import store as rounds
from bot.rounds.model import RoundOptions
from tests.patience import PATIENCE

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINE = 7


def start(conn: Connection, guild_id: int) -> int:
    key = rounds.create(
        conn,
        Starter(guild_id=guild_id, channel_id=guild_id, user_id=1),
        RoundOptions(seconds=20),
        [("lora-1", "0123", 20)],
        now=AT,
        first_at=AT,
    )
    assert key is not None
    return key


def schedule(conn: Connection, guild_id: int) -> int:
    return schedule_store.add_schedule(
        conn,
        Schedule(
            guild_id=guild_id,
            channel_id=10,
            at="12:00",
            zone="UTC",
            settled_until=AT - TAKE_OVER,
            next_at=AT,
        ),
    )


@pytest.mark.only("postgresql")
async def test_a_locked_schedule_is_not_waited_for(url: URL) -> None:
    """While one process decides about a server, another one continues with the next."""
    async with open_database(url) as one, open_database(url, visiting=True) as two:
        key = await one.write(schedule, MINE)
        inner: list[Schedule | None] = []

        def hold(conn: Connection) -> None:
            from sqlalchemy.util import await_only

            assert schedule_store.schedule(conn, key, claim=True) is not None
            inner.append(await_only(two.write(schedule_store.schedule, key, claim=True)))

        await one.write(hold)
        assert inner == [None]
        assert await two.write(schedule_store.schedule, key, claim=True) is not None


async def test_the_only_process_or_not(url: URL) -> None:
    """Other processes are found by their PostgreSQL connections; a SQLite file has one process."""
    async with open_database(url) as one:
        assert await one.write(is_only_process, rounds.rounds)
        async with open_database(url, visiting=True) as two:
            await two.write(start, 1)
            assert await one.write(is_only_process, rounds.rounds) is (not one.shared)
        async with asyncio.timeout(PATIENCE):
            while not await one.write(is_only_process, rounds.rounds):  # noqa: ASYNC110 - PostgreSQL notices the end later
                await asyncio.sleep(0.01)
