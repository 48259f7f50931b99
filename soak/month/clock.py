"""Time that jumps although sockets and threads are real.

The loopback Discord and the bot run in one event loop. Nothing is ever in flight but what lies in a socket of this
machine or is done by a thread that was asked from the loop: when neither has anything, everybody waits for a timer, and
time jumps to it. What takes time is what members and timers take; requests, queries and computing take none. SQLite's
connections do without their threads here: a hop into one costs more than the query, and a month has a million.
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
"""Seconds from which a jump could make somebody give up: the sockets are looked at once more before it."""
_REAL_WAIT = 5.0


class _Selector(selectors.DefaultSelector):
    loop: JumpingLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if self.loop.threads_at_work or timeout is None:
            return super().select(_REAL_WAIT)
        if timeout > _LONG and (ready := super().select(0)):
            return ready
        self.loop.passed += timeout
        return []


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while anything is done, and jumps to the next timer when nothing is."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.threads_at_work = 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.passed

    def await_thread(self, future: asyncio.Future[Any]) -> None:
        """Let no time pass until a thread has done what this future stands for."""
        self.threads_at_work += 1
        future.add_done_callback(self._thread_is_done)

    def _thread_is_done(self, _future: object) -> None:
        self.threads_at_work -= 1

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        future = super().run_in_executor(executor, func, *args)
        self.await_thread(future)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's
        """Wait for threads to end without a limit: by a clock that jumps, any is over at once."""
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
        await asyncio.sleep(0)  # so that others get their turn, as they do while a thread works

    async def close(self) -> None:
        self._connection.close()


class Machine:
    """The clocks of this machine and of Discord: both go by the loop, and this machine's may be off by some seconds."""

    def __init__(self, loop: JumpingLoop, start: datetime) -> None:
        self._loop = loop
        self._start = start
        self.off = 0.0

    def discord_now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.passed)

    def host_now(self) -> datetime:
        return self.discord_now() + timedelta(seconds=self.off)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Be the clock of everything in this process: the bot and discord.py ask `utcnow`, the loopback `time`."""
        since_epoch = (self._start - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
        with (
            patch("discord.utils.utcnow", self.host_now),
            patch.object(time, "time", lambda: since_epoch + self._loop.passed),
            patch.object(time, "monotonic", self._loop.time),
            patch("aiosqlite.Connection", _LoopConnection),
        ):
            yield
