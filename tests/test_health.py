"""What `/healthz` and `/metrics` are made of."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from bot.health import _metrics, look


def bot_with(latency: float) -> Any:
    async def read(_: object) -> int:
        return 3

    return SimpleNamespace(
        latency=latency,
        is_ready=lambda: True,  # discord.py leaves this on after a disconnect
        is_closed=lambda: False,
        context=SimpleNamespace(database=SimpleNamespace(read=read)),
        guilds=[],
        shards={},
    )


@pytest.mark.parametrize(("latency", "connected"), [(0.04, True), (math.nan, False), (math.inf, False)])
async def test_without_a_connection_it_is_not_well(latency: float, connected: bool) -> None:
    """A latency that is no number, as before the first heartbeat and after a closed socket, is no connection."""
    bot = bot_with(latency)
    health = await look(bot)
    assert (health.connected, health.ok, health.rounds_running) == (connected, connected, 3)
    assert ("quizformer_gateway_latency_seconds" in _metrics(bot, health)) is connected
    assert f"quizformer_up {int(connected)}\n" in _metrics(bot, health)
