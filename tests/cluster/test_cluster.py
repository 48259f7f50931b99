"""Several processes on one PostgreSQL: they share work, one dies, two have the same shard."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import URL, Connection, text

from bot.app import all_tables
from bot.core.database import Database, open_database
from bot.core.servers import set_zone
from bot.core.transfer import transfer
from bot.daily import schedule_store
from bot.daily.model import Schedule
from tests.crash import invariants
from tests.crash.play import cards, give, revealed, soon, standings
from tests.crash.stage import local_time, noon_zone, texts
from tests.loopback.model import Channel, Message
from tests.loopback.panel import add_daily, press, set_extras
from tests.loopback.process import BotProcess
from tests.loopback.world import World
from tests.patience import PATIENCE
from tests.postgres import Postgres, running
from tests.shipped import first_topic

pytestmark = pytest.mark.postgres

SHARDS = 3
SERVERS = 210


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running() as postgres:
        yield postgres


@dataclass
class Cluster:
    """A loopback Discord and a database; `start` runs processes of the bot on them."""

    world: World
    database: Database
    url: URL
    folder: Path
    stack: AsyncExitStack
    bots: list[BotProcess]

    async def start(self, name: str, **env: str) -> BotProcess:
        folder = self.folder / name
        folder.mkdir()
        address = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        settings = {"DATABASE_URL": address, "QUESTION_BANK": str(self.folder / "bank.json"), **env}
        bot = BotProcess(self.world, folder, settings, name)
        self.bots.append(await self.stack.enter_async_context(bot))
        return bot

    async def settle(self) -> None:
        """Wait until each daily is open and free, also those that a killed process had claimed."""
        query = "SELECT count(*) FROM dailies WHERE lease_until IS NOT NULL OR state <> 'open'"
        async with asyncio.timeout(PATIENCE):
            while await self.database.read(lambda conn: conn.exec_driver_sql(query).scalar_one()):  # noqa: ASYNC110 - processes tell nobody
                await asyncio.sleep(0.1)

    async def verdict(self) -> list[str]:
        """Stop, and return the broken invariants in a copy of the database as a SQLite file."""
        for bot in self.bots:
            if bot.running:
                await bot.stop()
        file = self.folder / "copy.db"
        async with open_database(URL.create("sqlite+aiosqlite", database=str(file))) as copy:
            await transfer(self.database, copy, "the cluster's", all_tables(), lambda _: None)
        return invariants.broken(file, self.world, "\n".join(bot.log for bot in self.bots))


@pytest_asyncio.fixture
async def cluster(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Cluster]:
    (tmp_path / "bank.json").write_text(json.dumps(first_topic()), "utf-8")
    url = postgres.migrated()
    async with World() as world, open_database(url) as database, AsyncExitStack() as stack:
        yield Cluster(world, database, url, tmp_path, stack, [])
    postgres.give_back(url)


def plan_dailies(conn: Connection, channels: list[Channel], at: datetime) -> None:
    """Schedule a daily on each server, all at the same time, every second one with a thread."""
    for number, channel in enumerate(channels):
        schedule = Schedule(
            guild_id=channel.guild.id,
            channel_id=channel.id,
            at=local_time(at),
            zone=noon_zone(),
            thread=number % 2 == 0,
            settled_until=at - timedelta(minutes=10),
            next_at=at,
        )
        schedule_store.add_schedule(conn, schedule)
        set_zone(conn, channel.guild.id, schedule.zone)


async def test_a_process_dies_while_two_hundred_dailies_are_due(cluster: Cluster) -> None:
    """Three processes post the dailies of one minute; one is killed, and each server gets one daily."""
    world = cluster.world
    first = world.snowflake()
    guilds = [world.add_guild(f"g{n}", guild_id=first + (n << 22)) for n in range(SERVERS)]
    channels = [world.add_channel(guild, "quiz") for guild in guilds]
    due = (datetime.now(UTC) + timedelta(seconds=100)).replace(second=0, microsecond=0)
    await cluster.database.write(plan_dailies, channels, due)
    bots = await asyncio.gather(
        *(cluster.start(f"p{n}", SHARD_COUNT=str(SHARDS), SHARD_IDS=str(n)) for n in range(SHARDS))
    )
    assert datetime.now(UTC) < due, "the machine is too slow: the processes were not up in time"

    def posted() -> list[Message]:
        return [m for channel in channels for m in cards(channel, "daily")]

    left_until_due = (due - datetime.now(UTC)).total_seconds()
    await world.until(lambda: len(posted()) >= 60, left_until_due + PATIENCE, "the first dailies")
    bots[0].kill()
    killed = time.monotonic()
    left = SERVERS - len(posted())
    await world.until(lambda: len(posted()) >= SERVERS, what=f"the other {left} dailies")
    took = time.monotonic() - killed
    await cluster.settle()
    per_server = Counter(m.channel.guild.id for m in posted())
    assert per_server == dict.fromkeys((g.id for g in guilds), 1)
    print(f"{left} dailies were left when a process was killed; all were posted {took:.1f} s later")
    assert not (wrong := await cluster.verdict()), texts(wrong)


async def test_two_processes_hold_the_same_shard(cluster: Cluster) -> None:
    """Both get every event; each command is carried out once, and has one reply."""
    world = cluster.world
    guild = world.add_guild()
    channel, daily_channel = world.add_channel(guild, "quiz"), world.add_channel(guild, "daily")
    annegret = world.add_member(guild, "annegret", manager=True)
    members = [annegret, *(world.add_member(guild, f"m{n}") for n in range(7))]
    for name in ("one", "two"):
        await cluster.start(name, SHARD_COUNT="1")
    assert len([s for s in world.gateway.sessions.values() if s.link is not None]) == 2

    local = local_time(datetime.now(UTC) - timedelta(minutes=2))
    panel = await add_daily(annegret, channel, posts_in=daily_channel, time=local, zone=noon_zone())
    await set_extras(annegret, panel, thread=True)
    await press(annegret, panel, "Post now")
    assert "The question of the day is on its way" in panel.text
    await press(annegret, panel, "Skip next")
    assert await soon(lambda: cards(daily_channel, "daily"))
    started = await annegret.slash(channel, "quiz", questions=3, seconds=8)
    assert " starts " in started.text, started.text
    answered: set[int] = set()
    while not standings(channel):
        for card in cards(channel):
            if card.id in answered:
                continue
            answered.add(card.id)
            results = await asyncio.gather(
                *(give(m, card, [n % 4], f"guess {n}") for n, m in enumerate(members))
            )
            said = [r.text for r in results if r is not None]
            assert len(said) == len(members)
            assert all(text.startswith("Locked in") for text in said), said
        await asyncio.sleep(0.05)
    daily = cards(daily_channel, "daily")[0]
    results = await asyncio.gather(
        *(give(m, daily, [n % 4], f"guess {n}") for n, m in enumerate(members))
    )
    assert await soon(
        lambda: all(r is not None and "Everyone sees the answer" in r.text for r in results)
    )
    why = revealed(channel)[0]
    report = next(i for i in why.custom_ids if i.startswith("report:"))
    sent = await annegret.submit(await annegret.click(why, report), "a typo")
    assert sent.text.startswith("Thanks"), sent.text

    assert await soon(lambda: any(" ended: finished" in bot.log for bot in cluster.bots))
    await asyncio.sleep(1)
    for act in world.interactions.values():
        assert len([m for m in (act.reply, *act.followups) if m is not None]) <= 2, act.name
    assert "is skipped" in panel.text
    tables = await counted(cluster)
    assert tables == {"rounds": 1, "dailies": 2, "reports": 1}
    assert not (wrong := await cluster.verdict()), texts(wrong)


async def test_a_process_meets_a_newer_schema(cluster: Cluster) -> None:
    """An old process stores nothing after a newer one has migrated, and ends with a line."""
    world = cluster.world
    guild = world.add_guild()
    channel, annegret = world.add_channel(guild, "quiz"), world.add_member(guild, "annegret")
    bot = await cluster.start("old", SHARD_COUNT="1")
    await cluster.database.write(
        Connection.execute, text("UPDATE alembic_version SET version_num = '9999'")
    )
    with suppress(TimeoutError):
        await annegret.slash(channel, "quiz")
    assert await bot.dead() == 1
    line = bot.log.strip().splitlines()[-1]
    assert line.startswith(
        "the database has been brought to schema 9999, and this program works with "
    )
    assert (
        await cluster.database.read(
            lambda conn: conn.exec_driver_sql("SELECT count(*) FROM rounds").scalar()
        )
        == 0
    )


async def counted(cluster: Cluster) -> dict[str, int]:
    """Return how many rounds, dailies and reports there are."""

    def count(conn: Connection, table: str) -> int:
        return int(conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    tables = ("rounds", "dailies", "reports")
    return {table: await cluster.database.read(count, table) for table in tables}
