"""Virtual time for a process whose sockets and threads are real.

The simulated Discord and the bot run in one event loop. Work in progress is either in a socket of
this machine or in a thread that the loop waits for. When neither has anything, everybody waits for
a timer, and time jumps to it. So timers and members take time; requests, queries and computing take
none. SQLite's connections work without their threads here: switching to a thread costs more than
the query, and a month has a million queries.
"""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

_LONG = 0.2
"""Before a jump of this many seconds the sockets are polled once more: it could be a timeout."""
_REAL_WAIT = 5.0


class _Selector(selectors.DefaultSelector):
    loop: JumpingLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.busy_threads or timeout is None:
            return super().select(_REAL_WAIT)
        if timeout > _LONG and (ready := super().select(0)):
            return ready
        self.loop.passed += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stops during work, and jumps to the next timer otherwise."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.busy_threads = 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.passed

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Run in a thread, and let no time pass until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self.busy_threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _future: object) -> None:
        self.busy_threads -= 1

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's
        """Wait for threads without a timeout: when time jumps, every timeout is over at once."""
        await super().shutdown_default_executor()


class _LoopConnection:
    """The part of `aiosqlite.Connection` that the bot uses, run by the loop instead of a thread."""

    def __init__(self, connector: Callable[[], sqlite3.Connection], iter_chunk_size: int) -> None:
        self._connector = connector
        self._connection: sqlite3.Connection

    def __await__(self) -> Generator[None, None, None]:
        self._connection = self._connector()
        yield

    @property
    def total_changes(self) -> int:
        return self._connection.total_changes

    async def execute_fetchall(self, statement: str) -> list[Any]:
        return self._connection.execute(statement).fetchall()

    async def set_progress_handler(self, handler: Callable[[], bool], steps: int) -> None:
        self._connection.set_progress_handler(handler, steps)

    async def commit(self) -> None:
        self._connection.commit()
        await asyncio.sleep(0)  # so that other tasks run, like while a thread works

    async def close(self) -> None:
        self._connection.close()


class Clocks:
    """The clocks of Discord and of the host, both driven by the loop.

    `offset`: seconds that the host's clock is ahead.
    """

    def __init__(self, loop: JumpingLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start
        self.offset = 0.0

    def discord_now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.passed)

    def host_now(self) -> datetime:
        return self.discord_now() + timedelta(seconds=self.offset)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Replace this process's clocks: the bot reads `utcnow`, the simulated Discord `time`."""
        since_epoch = (self._start - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        with (
            patch("discord.utils.utcnow", self.host_now),
            patch.object(time, "time", lambda: since_epoch + self._loop.passed),
            patch.object(time, "monotonic", self._loop.time),
            patch("aiosqlite.Connection", _LoopConnection),
        ):
            yield
