"""What `/healthz` and `/metrics` are made of."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.util import await_only

from bot.chat.client import QuizBot
from bot.core.database import Database
from bot.health import HealthCache, _metrics, look
from tests.patience import PATIENCE


class FakeDatabase:
    async def write(self, _: object) -> None:
        pass

    async def read(self, _: object) -> int:
        return 3


def bot_with(latency: float, silence: float, database: Any = None) -> Any:
    return SimpleNamespace(
        latency=latency,
        silence=lambda: silence,
        is_ready=lambda: True,  # discord.py leaves this on after a disconnect
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
async def test_without_a_connection_it_is_not_well(
    latency: float, silence: float, connected: bool
) -> None:
    """Two minutes in which nothing comes, not even the answer to a heartbeat, are no connection."""
    bot = bot_with(latency, silence)
    health = await look(bot)
    assert (health.connected, health.ok, health.rounds_running) == (connected, connected, 3)
    assert f"quizformer_up {int(connected)}\n" in _metrics(bot, health)
    assert ("quizformer_gateway_latency_seconds" in _metrics(bot, health)) is math.isfinite(latency)
    assert "inf" not in _metrics(bot, health)


async def test_a_database_that_can_not_be_written(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that hangs is seen, although reads are answered; so is its end."""
    monkeypatch.setattr("bot.health._PATIENCE", PATIENCE)
    bot, over = bot_with(0.04, 0, database), threading.Event()

    def hang(_conn: Connection) -> None:
        wait = partial(over.wait, PATIENCE)
        assert wait() if not database.shared else await_only(asyncio.to_thread(wait))

    assert (await look(bot)).ok
    hanging = asyncio.create_task(database.write(hang))
    await asyncio.sleep(0)
    with monkeypatch.context() as hurry:
        hurry.setattr("bot.health._PATIENCE", 0.2)
        health = await look(bot)
    assert (health.ok, health.rounds_running) == (False, None)
    over.set()
    await hanging
    assert (await look(bot)).ok


def test_the_quietest_shard_counts() -> None:
    """Silence is told by each shard's heartbeat; one without a heart, or whose first beat is unanswered, is silent."""
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
    assert 10 <= QuizBot.silence(bot(well)) < 20
    assert 130 <= QuizBot.silence(bot(well, late)) < 140
    assert (
        QuizBot.silence(bot())
        == QuizBot.silence(bot(well, new))
        == QuizBot.silence(bot(well, None))
        == math.inf
    )


async def test_looks_soon_after_each_other_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many requests write to the database once; a later one looks again, and finds what has changed."""
    monkeypatch.setattr("bot.health._REMEMBERED", PATIENCE)
    writes, silence = 0, 0.0

    class Counting(FakeDatabase):
        async def write(self, _: object) -> None:
            nonlocal writes
            writes += 1

    bot = bot_with(0.04, 0, Counting())
    bot.silence = lambda: silence
    cache = HealthCache(bot)
    found = await asyncio.gather(*(cache.latest() for _ in range(10)))
    assert (writes, {health.ok for health in found}) == (1, {True})
    silence = 200.0
    assert (await cache.latest()).ok
    monkeypatch.setattr("bot.health._REMEMBERED", 0)
    assert not (await cache.latest()).ok
    assert writes == 2
