"""Rows of schedules, dailies, their answers and streaks."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from functools import partial

from msgspec.structs import replace
from sqlalchemy import Connection

from bot.core import servers
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


async def create(
    database: Database,
    n: int = 0,
    *,
    state: str = "open",
    guild_id: int = 1,
    schedule_id: int | None = None,
    **values: object,
) -> int:
    """A daily of the n-th day; the first schedule of a server has its id."""
    schedule = replace(SCHEDULE, guild_id=guild_id, id=schedule_id or guild_id)
    values = {"state": state, "scheduled_at": AT, "item_id": f"item-{n}", **values}
    if "message_id" in values:
        values = {"opened_at": AT + timedelta(days=n), **values}
    daily_id = await database.write(
        lambda conn: store.create(conn, schedule, DAY + timedelta(days=n), **values)
    )
    assert daily_id is not None
    return daily_id


async def test_a_schedule_is_kept_and_replaced(database: Database) -> None:
    """A schedule is stored with every field but the zone, which is the server's."""
    assert await database.read(schedule_store.schedules_of, 1) == []
    key = await database.write(schedule_store.add_schedule, SCHEDULE)
    second = replace(SCHEDULE, name="Warm-up")
    other = await database.write(schedule_store.add_schedule, second)
    assert await database.read(schedule_store.schedule, key) == replace(SCHEDULE, id=key)
    await database.write(servers.set_zone, 1, "Europe/Berlin")
    changed = replace(
        SCHEDULE,
        id=key,
        zone="Europe/Berlin",
        channel_id=2**62,
        asks="topics:lora",
        role_id=7,
        thread=True,
        paused=True,
        next_at=None,
        name="Deep dive",
    )
    await database.write(schedule_store.save_schedule, changed)
    assert await database.read(schedule_store.schedule, key) == changed
    await database.write(lambda conn: schedule_store.change_schedule(conn, key, at="10:00"))
    second = replace(second, id=other, zone="Europe/Berlin")
    found = await database.read(schedule_store.schedules_of, 1)
    assert found == [replace(changed, at="10:00"), second]
    await database.write(schedule_store.delete_schedule, other)
    assert await database.read(schedule_store.schedules_of, 1) == found[:1]
    assert (
        await database.write(schedule_store.add_schedule, second) > other
    )  # buttons hold the old id


async def test_which_schedules_are_due(database: Database) -> None:
    """Due are servers whose post time has come, longest waiting first; paused ones never."""
    for guild_id, next_at in [(1, AT), (2, AT - HOUR), (3, AT + HOUR), (4, None)]:
        await database.write(
            schedule_store.add_schedule,
            replace(SCHEDULE, guild_id=guild_id, next_at=next_at, paused=next_at is None),
        )
    assert await database.read(schedule_store.SCHEDULES.due, AT, 10) == [2, 1]
    assert await database.read(schedule_store.SCHEDULES.due, AT, 1) == [2]
    await create(database, 3, guild_id=2)
    await create(database, -1, guild_id=2)
    active = partial(schedule_store.active_schedules, since=DAY)
    found = await database.read(active, after=0, limit=2)
    assert [(s.guild_id, taken) for s, taken in found] == [
        (1, set()),
        (2, {DAY + timedelta(days=3)}),
    ]
    assert [s.guild_id for s, _ in await database.read(active, after=2, limit=2)] == [3]
    assert await database.read(schedule_store.SCHEDULES.next_due) == AT - HOUR


async def test_one_daily_a_date(database: Database) -> None:
    """A date of a schedule is given once, also when asked for at the same time; others have their own."""

    def one(conn: Connection, schedule_id: int) -> int | None:
        schedule = replace(SCHEDULE, id=schedule_id)
        return store.create(conn, schedule, DAY, state="posting", scheduled_at=AT)

    ids = await asyncio.gather(*(database.write(one, 1) for _ in range(5)))
    assert sum(i is not None for i in ids) == 1
    assert await database.write(one, 2) is not None
    assert await database.write(one, 2) is None
    for schedule_id in (1, 2):
        assert await database.read(store.taken, schedule_id, DAY) == {DAY}
    assert await database.read(store.taken, 3, DAY) == set()
    assert await database.read(store.taken, 1, DAY + timedelta(days=1)) == set()
