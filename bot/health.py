"""`/healthz` and `/metrics` for whoever monitors the bot; off unless HEALTH_PORT is set."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from bot.chat.client import QuizBot
from bot.config import SettingsError
from bot.core.database import DatabaseBroken, StorageError
from bot.core.migrate import touch
from bot.rounds.store import count_running

_PATIENCE = 2.0
_REMEMBERED = 2.0
"""Seconds for which a look counts."""
_SILENCE = 120.0
"""Seconds after which a gateway that says nothing, not even that it is there, counts as gone."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a look at the bot found. `rounds_running` is None if the database could not be written or read in time."""

    connected: bool
    rounds_running: int | None

    @property
    def ok(self) -> bool:
        return self.connected and self.rounds_running is not None


async def look(bot: QuizBot) -> Health:
    """Whether every shard hears Discord and the database stores and answers."""
    running: int | None = None
    with suppress(StorageError, DatabaseBroken, TimeoutError, OSError):
        async with asyncio.timeout(_PATIENCE):
            await bot.context.database.write(touch)  # waits its turn: a write that hangs is seen
            running = await bot.context.database.read(count_running)
    return Health(bot.is_ready() and not bot.is_closed() and bot.silence() < _SILENCE, running)


class HealthCache:
    """Keeps the latest look at the bot for two seconds, for all who ask, as each look writes to the database."""

    def __init__(self, bot: QuizBot) -> None:
        self._bot = bot
        self._one_at_a_time = asyncio.Lock()
        self._found: Health | None = None
        self._at = -math.inf

    async def latest(self) -> Health:
        """What the latest look found; a new one if it is too old."""
        async with self._one_at_a_time:
            if self._found is None or time.monotonic() - self._at >= _REMEMBERED:
                self._found = await look(self._bot)
                self._at = time.monotonic()
            return self._found


@asynccontextmanager
async def serving(bot: QuizBot, host: str, port: int | None) -> AsyncIterator[None]:
    """Serve while the block runs; nothing if `port` is None. Raises SettingsError if the port can't be used."""
    if port is None:
        yield
        return
    from aiohttp import web

    app = web.Application()

    cache = HealthCache(bot)

    async def healthz(_request: web.Request) -> web.Response:
        health = await cache.latest()
        state = {
            "ok": health.ok,
            "discord": health.connected,
            "database": health.rounds_running is not None,
        }
        return web.json_response(state, status=200 if health.ok else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(text=_metrics(bot, await cache.latest()), content_type="text/plain")

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise SettingsError.of(
                "HEALTH_PORT", f"can't be used on {host} ({error.strerror})", "8080"
            ) from error
        yield
    finally:
        await runner.cleanup()


def _metrics(bot: QuizBot, health: Health) -> str:
    """Gauges in Prometheus' text format."""
    gauges: dict[str, float | None] = {
        "quizformer_up": health.ok,
        "quizformer_guilds": len(bot.guilds),
        "quizformer_shards": len(bot.shards),
        "quizformer_gateway_latency_seconds": bot.latency if math.isfinite(bot.latency) else None,
        "quizformer_rounds_running": health.rounds_running,
    }
    return "".join(
        f"# TYPE {name} gauge\n{name} {float(value):g}\n"
        for name, value in gauges.items()
        if value is not None
    )
