"""`/healthz` and `/metrics` for monitoring; off unless HEALTH_PORT is set."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from msgspec import Struct

from bot.chat.client import QuizBot
from bot.config import SettingsError
from bot.core.backup import RegularBackups
from bot.core.database import DatabaseBroken, StorageError
from bot.core.migrate import check_writable
from bot.rounds.store import count_running

_PATIENCE = 2.0
"""Seconds that the database has to respond."""
_CACHE_SECONDS = 2.0
_MAX_SILENCE = 120.0
"""A gateway that sends nothing for this many seconds, not even acknowledgements, counts as lost."""


class Health(Struct, frozen=True):
    """The result of a health check.

    `rounds_running` is None if the database couldn't be written or read in time.
    """

    connected: bool
    rounds_running: int | None

    @property
    def ok(self) -> bool:
        return self.connected and self.rounds_running is not None


async def check_health(bot: QuizBot) -> Health:
    """Check that every shard is connected and that the database can be written and read."""
    running: int | None = None
    with suppress(StorageError, DatabaseBroken, TimeoutError, OSError):
        async with asyncio.timeout(_PATIENCE):
            # queues with other writes, so a hang is seen
            await bot.context.database.write(check_writable)
            running = await bot.context.database.read(count_running)
    connected = bot.is_ready() and not bot.is_closed()
    return Health(connected and bot.seconds_since_heard() < _MAX_SILENCE, running)


class HealthCache:
    """Reuses a health check for two seconds, because each one writes to the database."""

    def __init__(self, bot: QuizBot) -> None:
        self._bot = bot
        self._lock = asyncio.Lock()
        self._health: Health | None = None
        self._checked_at = -math.inf

    async def get(self) -> Health:
        """Return the latest result, or check again if it is too old."""
        async with self._lock:
            if self._health is None or time.monotonic() - self._checked_at >= _CACHE_SECONDS:
                self._health = await check_health(self._bot)
                self._checked_at = time.monotonic()
            return self._health


@asynccontextmanager
async def serving(
    bot: QuizBot, host: str, port: int | None, backups: RegularBackups | None
) -> AsyncIterator[None]:
    """Serve health checks while the block runs, unless `port` is None.

    Raises SettingsError if the port can't be used.
    """
    if port is None:
        yield
        return
    from aiohttp import web

    app = web.Application()
    cache = HealthCache(bot)

    async def healthz(_request: web.Request) -> web.Response:
        health = await cache.get()
        state = {
            "ok": health.ok,
            "discord": health.connected,
            "database": health.rounds_running is not None,
        }
        return web.json_response(state, status=200 if health.ok else 503)

    async def metrics(_request: web.Request) -> web.Response:
        return web.Response(
            text=_metrics(bot, await cache.get(), backups), content_type="text/plain"
        )

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


def _metrics(bot: QuizBot, health: Health, backups: RegularBackups | None = None) -> str:
    """Return gauges in Prometheus' text format."""
    newest = backups.newest(datetime.now(UTC)) if backups is not None else None
    gauges: dict[str, float | None] = {
        "quizformer_up": health.ok,
        "quizformer_guilds": len(bot.guilds),
        "quizformer_shards": len(bot.shards),
        "quizformer_gateway_latency_seconds": bot.latency if math.isfinite(bot.latency) else None,
        "quizformer_rounds_running": health.rounds_running,
        "quizformer_backup_interval_seconds": backups.every.total_seconds() if backups else None,
        "quizformer_last_backup_timestamp_seconds": newest.timestamp() if newest else None,
    }
    return "".join(
        f"# TYPE {name} gauge\n{name} {float(value):.15g}\n"
        for name, value in gauges.items()
        if value is not None
    )
