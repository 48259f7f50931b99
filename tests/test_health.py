"""What `/healthz` and `/metrics` are made of."""

from __future__ import annotations

import math
import time
from types import SimpleNamespace
from typing import Any

import pytest

from bot.chat.client import QuizBot
from bot.health import _metrics, look


def bot_with(latency: float, silence: float) -> Any:
    async def read(_: object) -> int:
        return 3

    return SimpleNamespace(
        latency=latency,
        silence=lambda: silence,
        is_ready=lambda: True,  # discord.py leaves this on after a disconnect
        is_closed=lambda: False,
        context=SimpleNamespace(database=SimpleNamespace(read=read)),
        guilds=[],
        shards={},
    )


@pytest.mark.parametrize(
    ("latency", "silence", "connected"),
    [(0.04, 60, True), (0.04, 121, False), (math.nan, math.inf, False), (math.inf, math.inf, False)],
)
async def test_without_a_connection_it_is_not_well(latency: float, silence: float, connected: bool) -> None:
    """Two minutes in which nothing comes, not even the answer to a heartbeat, are no connection."""
    bot = bot_with(latency, silence)
    health = await look(bot)
    assert (health.connected, health.ok, health.rounds_running) == (connected, connected, 3)
    assert f"quizformer_up {int(connected)}\n" in _metrics(bot, health)
    assert ("quizformer_gateway_latency_seconds" in _metrics(bot, health)) is math.isfinite(latency)
    assert "inf" not in _metrics(bot, health)


def test_the_quietest_shard_counts() -> None:
    """Silence is told by each shard's heartbeat; one without a heart, or whose first beat is unanswered, is silent."""
    now = time.perf_counter()

    def bot(*hearts: Any) -> Any:
        gateways = [SimpleNamespace(_keep_alive=heart) for heart in hearts]
        return SimpleNamespace(
            shards={n: SimpleNamespace(_parent=SimpleNamespace(ws=g)) for n, g in enumerate(gateways)}
        )

    well = SimpleNamespace(latency=0.04, _last_recv=now - 10)
    late = SimpleNamespace(latency=0.04, _last_recv=now - 130)
    new = SimpleNamespace(latency=math.inf, _last_recv=now)
    assert 10 <= QuizBot.silence(bot(well)) < 20
    assert 130 <= QuizBot.silence(bot(well, late)) < 140
    assert QuizBot.silence(bot()) == QuizBot.silence(bot(well, new)) == QuizBot.silence(bot(well, None)) == math.inf
