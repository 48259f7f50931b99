"""Tests of `/healthz` and `/metrics`."""

from __future__ import annotations

import asyncio
import math
import socket
import sqlite3
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from bot.chat.client import QuizBot
from bot.core.backup import RegularBackups
from bot.core.database import Database
from bot.health import HealthCache, _metrics, check_health, serving
from tests.patience import PATIENCE


class FakeDatabase:
    async def write(self, _: object) -> None:
        pass

    async def read(self, _: object) -> int:
        return 3


def bot_with(latency: float, silence: float, database: Any = None) -> Any:
    return SimpleNamespace(
        latency=latency,
        seconds_since_heard=lambda: silence,
        is_ready=lambda: True,  # discord.py doesn't reset this after a disconnect
        is_closed=lambda: False,
        context=SimpleNamespace(database=database or FakeDatabase()),
        guilds=[],
        shards={},
    )


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
    assert f"quizformer_up {int(connected)}\n" in _metrics(bot, health)
    assert ("quizformer_gateway_latency_seconds" in _metrics(bot, health)) is math.isfinite(latency)
    assert "inf" not in _metrics(bot, health)


async def test_the_metrics_tell_of_backups(tmp_path: Path) -> None:
    """Interval and time of the newest copy are there in whole seconds, once there is one."""
    bot = bot_with(0.04, 0)
    health = await check_health(bot)
    assert "backup" not in _metrics(bot, health)
    database = tmp_path / "quiz.db"
    sqlite3.connect(database).close()
    backups = RegularBackups(database, timedelta(hours=6), keep=2)
    assert "quizformer_backup_interval_seconds 21600\n" in _metrics(bot, health, backups)
    assert "last_backup" not in _metrics(bot, health, backups)
    backups.make(datetime(2026, 1, 4, 12, tzinfo=UTC))
    assert "quizformer_last_backup_timestamp_seconds 1767528000\n" in _metrics(bot, health, backups)


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
        serving(bot_with(0.04, silence), "127.0.0.1", port, None),
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
        async def write(self, _: object) -> None:
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
