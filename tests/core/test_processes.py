"""How processes on one database share the work."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, Connection

from bot.core.database import Database, open_database
from bot.core.processes import is_only_process
from bot.core.snowflakes import ALL, TAKE_OVER, Shards
from bot.daily import schedule_store
from bot.daily.model import Schedule
from bot.games.model import Starter
from bot.rounds import store as rounds
from bot.rounds.model import RoundOptions
from tests.patience import PATIENCE

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINE, THEIRS = (5 << 22) * 3 + 7, (5 << 22) * 3 + (1 << 22)
ONE_OF_THREE = Shards(3, (0,))


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


async def test_due_work_is_left_to_the_process_of_its_server(database: Database) -> None:
    """A process takes its own servers' work at once, and that of others only after a wait."""
    mine, theirs = await database.write(start, MINE), await database.write(start, THEIRS)
    one, other = [await database.write(schedule, guild_id) for guild_id in (MINE, THEIRS)]
    later = AT + TAKE_OVER
    assert await database.read(rounds.QUEUE.due, AT, 9, ONE_OF_THREE) == [mine]
    assert set(await database.read(rounds.QUEUE.due, AT, 9, ALL)) == {mine, theirs}
    assert set(await database.read(rounds.QUEUE.due, later, 9, ONE_OF_THREE)) == {mine, theirs}
    assert await database.read(schedule_store.SCHEDULES.due, AT, 9, ONE_OF_THREE) == [one]
    assert set(await database.read(schedule_store.SCHEDULES.due, later, 9, ONE_OF_THREE)) == {
        one,
        other,
    }


async def test_one_of_many_claims_wins(url: URL) -> None:
    """If processes claim the same rows at the same moment, each row goes to one of them."""
    async with open_database(url) as one, open_database(url, visiting=True) as two:
        ids = [await one.write(start, n) for n in range(1, 31)]

        async def claim(database: Database, keys: list[int]) -> list[int]:
            claims = (
                database.write(rounds.QUEUE.claim, key, expect="ask", now=AT, phase="asking")
                for key in keys
            )
            won = await asyncio.gather(*claims)
            return [key for key, is_won in zip(keys, won, strict=True) if is_won]

        first, second = await asyncio.gather(claim(one, ids), claim(two, ids[::-1]))
        left = await one.read(rounds.QUEUE.due, AT, 99)
        assert sorted([*first, *second, *left]) == ids
        assert not left


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
