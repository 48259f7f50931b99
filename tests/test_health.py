"""Tests of `/healthz` and `/metrics`."""

from __future__ import annotations

import asyncio
import math
import resource
import socket
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from sqlalchemy import URL, Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.util import await_only

from bot import __version__
from bot.chat.client import QuizBot
from bot.config import Settings, database_url
from bot.core.backup import RegularBackups
from bot.core.database import Database
from bot.core.migrate import HEAD
from bot.core.notes import set_note
from bot.core.outages import QUIET_SECONDS, Outage
from bot.health import Health, HealthCache, LoopLag, check_health, measure, serving
from tests.patience import PATIENCE
from tests.virtual import virtual


class FakeDatabase:
    outage = Outage()

    async def check(self) -> None:
        pass

    async def read(self, _: object) -> tuple[int, float]:
        return 3, 0.5


SQLITE = Settings(database=database_url("sqlite:///quiz.db"))


def bot_with(latency: float, silence: float, database: Any = None) -> Any:
    return SimpleNamespace(
        latency=latency,
        seconds_since_heard=lambda: silence,
        is_ready=lambda: True,  # discord.py doesn't reset this after a disconnect
        is_closed=lambda: False,
        context=SimpleNamespace(
            database=database or FakeDatabase(),
            scheduler=SimpleNamespace(overdue=lambda conn: timedelta(seconds=7)),
        ),
        guilds=[],
        shards_up=lambda longest: int(silence < longest),
        shard_count=2,
    )


def metrics_of(
    bot: Any,
    health: Health,
    backups: RegularBackups | None = None,
    settings: Settings = SQLITE,
) -> str:
    return "".join(measure(bot, health, settings, backups, LoopLag()))


@pytest.mark.parametrize(
    ("latency", "silence", "connected"),
    [
        (0.04, 60, True),
        (0.04, 121, False),
        (math.nan, math.inf, False),
        (math.inf, math.inf, False),
    ],
)
async def test_without_a_connection_it_is_unhealthy(
    latency: float, silence: float, connected: bool
) -> None:
    """Two minutes without anything from Discord, not even an acknowledgement, count as
    disconnected.
    """
    bot = bot_with(latency, silence)
    health = await check_health(bot)
    assert (health.connected, health.ok, health.rounds_running) == (connected, connected, 3)
    metrics = metrics_of(bot, health)
    assert f"quizformer_up {int(connected)}\n" in metrics
    assert f"quizformer_shards_up {int(connected)}\n" in metrics
    assert "quizformer_shards_configured 2\n" in metrics
    assert ("quizformer_gateway_latency_seconds" in metrics) is math.isfinite(latency)
    assert " inf" not in metrics


async def test_the_metrics_tell_of_backups(tmp_path: Path) -> None:
    """Interval and time of the newest copy are there in whole seconds, once there is one."""
    bot = bot_with(0.04, 0)
    health = await check_health(bot)
    assert "backup" not in metrics_of(bot, health)
    database = tmp_path / "quiz.db"
    sqlite3.connect(database).close()
    backups = RegularBackups(database, timedelta(hours=6), keep=2)
    assert "quizformer_backup_interval_seconds 21600\n" in metrics_of(bot, health, backups)
    assert "last_backup" not in metrics_of(bot, health, backups)
    backups.make(datetime(2026, 1, 4, 12, tzinfo=UTC))
    assert "quizformer_last_backup_timestamp_seconds 1767528000\n" in metrics_of(
        bot, health, backups
    )


async def test_the_metrics_tell_of_the_machine(database: Database, url: URL) -> None:
    """The program's version and memory, the late work, and where the bot can see them the sizes of
    the database and its disk.
    """
    bot = bot_with(0.04, 0, database)
    metrics = metrics_of(bot, await check_health(bot), settings=Settings(database=url))
    values = dict(line.rsplit(" ", 1) for line in metrics.splitlines() if line[0] != "#")
    kind = url.get_backend_name()
    (build,) = (name for name in values if name.startswith("quizformer_build_info{"))
    assert f'version="{__version__}",schema="{HEAD}",database="{kind}",python="3.' in build
    assert float(values["process_resident_memory_bytes"]) > 10e6
    assert float(values["quizformer_due_lag_seconds"]) == 7
    assert ("quizformer_database_bytes" in values) is not database.shared
    assert ("quizformer_disk_free_bytes" in values) is not database.shared


async def test_failed_writes_are_not_well(database: Database) -> None:
    """While a write fails now and then, it stays so, whatever succeeds in between. Two minutes
    after the last one it is well, and after a fault of the bot's too.
    """
    now = 1000.0
    database.outage = Outage(lambda: now)
    bot = bot_with(0.04, 0, database)

    async def fail(error: Exception) -> None:
        def work(_conn: Connection) -> None:
            raise error

        with pytest.raises(type(error)):
            await database.write(work)

    assert (await check_health(bot)).ok
    await fail(LookupError())
    assert (await check_health(bot)).ok
    for _ in range(5):
        await fail(OperationalError("INSERT", None, Exception("database or disk is full")))
        for _ in range(11):
            health = await check_health(bot)
            assert (health.ok, health.rounds_running) == (False, 0)
            now += 10
    now += 10
    assert (await check_health(bot)).ok


@pytest.mark.only("sqlite")
async def test_a_full_disk_is_not_well_before_a_member_reads_so(database: Database) -> None:
    """An idle bot finds it too, although its next write would still fit into the log."""
    now = 1000.0
    database.outage = Outage(lambda: now)
    bot = bot_with(0.04, 0, database)
    assert (await check_health(bot)).ok
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, limits[1]))
    try:
        await database.write(set_note, "key", "value")
        assert not (await check_health(bot)).ok
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not (await check_health(bot)).ok
    now += QUIET_SECONDS
    assert (await check_health(bot)).ok


@virtual
async def test_the_lag_of_the_loop() -> None:
    """A callback that blocks the loop makes the others late, for as long as a minute remembers."""
    lag, late = LoopLag(), 0.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bot.health.time.monotonic", lambda: asyncio.get_running_loop().time() + late)
        lag.start()
        await asyncio.sleep(10.5)
        assert lag.worst < 0.1
        late = 3.0
        await asyncio.sleep(1)
        assert lag.worst == pytest.approx(3.0, abs=0.1)
        await asyncio.sleep(70)
        assert lag.worst < 0.1
        lag.stop()


async def test_a_database_that_can_not_be_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that hangs is noticed even if reads work, and so is its end."""
    monkeypatch.setattr("bot.health._PATIENCE", PATIENCE)
    bot, over = bot_with(0.04, 0, database), threading.Event()

    def hang(_conn: Connection) -> None:
        wait = partial(over.wait, PATIENCE)
        assert wait() if not database.shared else await_only(asyncio.to_thread(wait))

    assert (await check_health(bot)).ok
    hanging = asyncio.create_task(database.write(hang))
    await asyncio.sleep(0)
    with monkeypatch.context() as hurry:
        hurry.setattr("bot.health._PATIENCE", 0.2)
        health = await check_health(bot)
    assert (health.ok, health.rounds_running) == (False, None)
    over.set()
    await hanging
    assert (await check_health(bot)).ok


def test_the_quietest_shard_counts() -> None:
    """The quietest shard's heartbeat counts; without an acknowledgement it is infinitely silent."""
    now = time.perf_counter()

    def bot(*hearts: Any) -> Any:
        gateways = [SimpleNamespace(_keep_alive=heart) for heart in hearts]
        return SimpleNamespace(
            shards={
                n: SimpleNamespace(_parent=SimpleNamespace(ws=g)) for n, g in enumerate(gateways)
            }
        )

    well = SimpleNamespace(latency=0.04, _last_recv=now - 10)
    late = SimpleNamespace(latency=0.04, _last_recv=now - 130)
    new = SimpleNamespace(latency=math.inf, _last_recv=now)
    assert 10 <= QuizBot.seconds_since_heard(bot(well)) < 20
    assert 130 <= QuizBot.seconds_since_heard(bot(well, late)) < 140
    assert (
        QuizBot.seconds_since_heard(bot())
        == QuizBot.seconds_since_heard(bot(well, new))
        == QuizBot.seconds_since_heard(bot(well, None))
        == math.inf
    )


@pytest.mark.parametrize(("silence", "status"), [(0, 200), (121, 503)])
async def test_what_is_served(silence: float, status: int) -> None:
    """`/healthz` has the state as status and JSON, `/metrics` the gauges as text."""
    well = status == 200
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    async with (
        serving(bot_with(0.04, silence), replace(SQLITE, health_port=port), None),
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{address}/healthz") as response:
            assert response.status == status
            assert await response.json() == {"ok": well, "discord": well, "database": True}
        async with client.get(f"{address}/metrics") as response:
            assert response.content_type == "text/plain"
            assert f"quizformer_up {int(well)}\n" in await response.text()


async def test_the_result_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several requests within two seconds write to the database once; a later one checks again."""
    monkeypatch.setattr("bot.health._CACHE_SECONDS", PATIENCE)
    writes, silence = 0, 0.0

    class Counting(FakeDatabase):
        async def check(self) -> None:
            nonlocal writes
            writes += 1

    bot = bot_with(0.04, 0, Counting())
    bot.seconds_since_heard = lambda: silence
    cache = HealthCache(bot)
    found = await asyncio.gather(*(cache.get() for _ in range(10)))
    assert (writes, {health.ok for health in found}) == (1, {True})
    silence = 200.0
    assert (await cache.get()).ok
    monkeypatch.setattr("bot.health._CACHE_SECONDS", 0)
    assert not (await cache.get()).ok
    assert writes == 2
