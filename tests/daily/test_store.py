"""Rows of schedules, dailies, their answers and streaks."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.core.database import Database
from bot.daily import schedule_store, store
from bot.daily.model import Schedule

AT = datetime(2027, 1, 4, 12, 0, 0, 456_000, tzinfo=UTC)
DAY = date(2027, 1, 4)
HOUR = timedelta(hours=1)
SCHEDULE = Schedule(
    guild_id=1,
    channel_id=10,
    at="09:00",
    zone="UTC",
    settled_until=AT,
    next_at=AT + HOUR,
    id=1,
)


def create(conn: Connection, schedule_id: int, day: date = DAY) -> int | None:
    """Store a daily; the first schedule of a server has its id."""
    schedule = replace(SCHEDULE, guild_id=schedule_id, id=schedule_id)
    return store.create(conn, schedule, day, state="posting", scheduled_at=AT)


async def test_no_schedule_gets_an_old_id(database: Database) -> None:
    """Buttons hold the ids of removed ones."""
    first, last = [await database.write(schedule_store.add_schedule, SCHEDULE) for _ in range(2)]
    await database.write(schedule_store.delete_schedule, last)
    assert await database.read(schedule_store.schedules_of, 1) == [replace(SCHEDULE, id=first)]
    assert await database.write(schedule_store.add_schedule, SCHEDULE) > last


async def test_schedules_that_are_not_paused(database: Database) -> None:
    """They come in pages, each with the dates that are decided."""
    for guild_id in (1, 2, 3, 4):
        added = replace(SCHEDULE, guild_id=guild_id, paused=guild_id == 4)
        await database.write(schedule_store.add_schedule, added)
    for days in (3, -1):
        await database.write(create, 2, DAY + timedelta(days=days))
    active = partial(schedule_store.active_schedules, since=DAY)
    found = await database.read(active, after=0, limit=2)
    assert [(s.guild_id, taken) for s, taken in found] == [
        (1, set()),
        (2, {DAY + timedelta(days=3)}),
    ]
    assert [s.guild_id for s, _ in await database.read(active, after=2, limit=2)] == [3]


async def test_one_daily_a_date(database: Database) -> None:
    """A date of a schedule is given once, also when asked for at the same time; others have their own."""

    ids = await asyncio.gather(*(database.write(create, 1) for _ in range(5)))
    assert sum(i is not None for i in ids) == 1
    assert await database.write(create, 2) is not None
    assert await database.write(create, 2) is None
    for schedule_id in (1, 2):
        assert await database.read(store.taken, schedule_id, DAY) == {DAY}
    assert await database.read(store.taken, 3, DAY) == set()
    assert await database.read(store.taken, 1, DAY + timedelta(days=1)) == set()
