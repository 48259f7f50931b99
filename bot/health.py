"""`/healthz` and `/metrics` for monitoring; off unless HEALTH_PORT is set."""

from __future__ import annotations

import asyncio
import math
import os
import platform
import shutil
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from bot import __version__
from bot.chat.client import QuizBot
from bot.config import Settings, SettingsError, sqlite_file
from bot.core import counters
from bot.core.backup import RegularBackups
from bot.core.database import Connection, DatabaseBroken, StorageError
from bot.core.migrate import HEAD
from bot.rounds.store import count_running

_PATIENCE = 2.0
"""Seconds that the database has to respond."""
_CACHE_SECONDS = 2.0
_MAX_SILENCE = 120.0
"""A gateway that sends nothing for this many seconds, not even acknowledgements, counts as lost."""
_STARTED = time.time()


class Health(Struct, frozen=True):
    """The result of a health check.

    `rounds_running` and `overdue` are None if the database couldn't be written or read in time.
    """

    connected: bool
    stores: bool
    rounds_running: int | None
    overdue: float | None
    """Seconds that the work which has waited longest has been due."""

    @property
    def ok(self) -> bool:
        return self.connected and self.stores


async def check_health(bot: QuizBot) -> Health:
    """Check that every shard is connected, and that the database can be written and read.

    If writes fail now and then, as on a full disk, it is not well until none has failed for
    `outages.QUIET_SECONDS`.
    """
    database = bot.context.database
    running: int | None = None
    overdue: float | None = None

    def read(conn: Connection) -> tuple[int, float]:
        return count_running(conn), bot.context.scheduler.overdue(conn).total_seconds()

    with suppress(StorageError, DatabaseBroken, TimeoutError, OSError):
        async with asyncio.timeout(_PATIENCE):
            # queues with other writes, so a hang is seen
            await database.check()
            running, overdue = await database.read(read)
    connected = bot.is_ready() and not bot.is_closed()
    return Health(
        connected=connected and bot.seconds_since_heard() < _MAX_SILENCE,
        stores=running is not None and not database.outage.is_on,
        rounds_running=running,
        overdue=overdue,
    )


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


class LoopLag:
    """Measures how late the event loop calls what is due, once a second."""

    def __init__(self) -> None:
        self._late = deque([0.0], maxlen=60)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def worst(self) -> float:
        """The longest delay of the last minute, in seconds."""
        return max(self._late)

    def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(1.0, self._wake, time.monotonic() + 1.0)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wake(self, due: float) -> None:
        self._late.append(max(0.0, time.monotonic() - due))
        self.start()


@asynccontextmanager
async def serving(
    bot: QuizBot, settings: Settings, backups: RegularBackups | None
) -> AsyncIterator[None]:
    """Serve health checks while the block runs, unless HEALTH_PORT is not set.

    Raises SettingsError if the port can't be used.
    """
    if settings.health_port is None:
        yield
        return
    from aiohttp import web

    app = web.Application()
    cache = HealthCache(bot)
    lag = LoopLag()

    async def healthz(_request: web.Request) -> web.Response:
        health = await cache.get()
        state = {"ok": health.ok, "discord": health.connected, "database": health.stores}
        return web.json_response(state, status=200 if health.ok else 503)

    async def metrics(_request: web.Request) -> web.Response:
        text = "".join(measure(bot, await cache.get(), settings, backups, lag))
        return web.Response(text=text, content_type="text/plain")

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    lag.start()
    try:
        try:
            await web.TCPSite(runner, settings.health_host, settings.health_port).start()
        except OSError as error:
            raise SettingsError.of(
                "HEALTH_PORT", f"can't be used on {settings.health_host} ({error.strerror})", "8080"
            ) from error
        yield
    finally:
        lag.stop()
        await runner.cleanup()


def measure(
    bot: QuizBot,
    health: Health,
    settings: Settings,
    backups: RegularBackups | None,
    lag: LoopLag,
) -> Iterator[str]:
    """Yield every metric in Prometheus' text format, except those that are unknown now.

    No label names a member or a server.
    """
    file = sqlite_file(settings.database)
    newest = backups.newest(datetime.now(UTC)) if backups is not None else None
    labels = {
        "version": __version__,
        "schema": HEAD,
        "database": settings.database.get_backend_name(),
        "python": platform.python_version(),
    }
    named = ",".join(f'{name}="{value}"' for name, value in labels.items())
    yield from _lines("quizformer_build_info", "gauge", 1, f"{{{named}}}")
    gauges = {
        "quizformer_up": health.ok,
        "quizformer_guilds": len(bot.guilds),
        "quizformer_shards_up": bot.shards_up(_MAX_SILENCE),
        "quizformer_shards_configured": bot.shard_count,
        "quizformer_gateway_latency_seconds": bot.latency if math.isfinite(bot.latency) else None,
        "quizformer_rounds_running": health.rounds_running,
        "quizformer_due_lag_seconds": health.overdue,
        "quizformer_loop_lag_seconds": lag.worst,
        "quizformer_children_memory_bytes": _memory_of(_children()),
        "quizformer_database_bytes": _size(file) if file else None,
        "quizformer_disk_free_bytes": shutil.disk_usage(file.parent).free if file else None,
        "quizformer_backup_interval_seconds": backups.every.total_seconds() if backups else None,
        "quizformer_last_backup_timestamp_seconds": newest.timestamp() if newest else None,
        "process_resident_memory_bytes": _memory_of([os.getpid()]),
        "process_start_time_seconds": _STARTED,
    }
    for name, value in gauges.items():
        yield from _lines(name, "gauge", value)
    counted = {
        "quizformer_answers_total": counters.answers,
        "quizformer_errors_shown_total": counters.errors_shown,
        "quizformer_failed_writes_total": counters.failed_writes,
        "quizformer_given_up_total": counters.given_up,
        "quizformer_rate_limit_wait_seconds_total": counters.rate_limit_wait,
        "quizformer_rate_limited_total": counters.rate_limited,
    }
    for name, counter in counted.items():
        yield from _lines(name, "counter", counter.value)


def _lines(name: str, kind: str, value: float | None, labels: str = "") -> Iterator[str]:
    if value is not None:
        yield f"# TYPE {name} {kind}\n{name}{labels} {float(value):.15g}\n"


def _children() -> Sequence[int]:
    """Return the process ids of the bot's children; Linux tells them by thread."""
    found: list[int] = []
    for listing in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found += map(int, listing.read_text().split())
    return found


def _memory_of(processes: Sequence[int]) -> int | None:
    """Return the resident bytes of processes; None where there is no /proc."""
    if not Path("/proc/self/statm").exists():
        return None
    pages = 0
    for process in processes:
        with suppress(OSError):  # it has ended
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _size(file: Path) -> int:
    """Return the bytes of a SQLite database with its write-ahead log."""
    parts = (file, file.with_name(f"{file.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
