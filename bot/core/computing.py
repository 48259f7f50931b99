"""Long work: threads and a process that run one call at a time, and a lock with turns.

One long computation at most delays clicks: each further thread that computes would delay every
click as much as the first one does, and none would finish sooner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

from bot.core.child_process import CallEnded, Limits, Process
from bot.core.limits import MAX_FILE_MEMORY, MAX_FILE_MESSAGE, MAX_FILE_SECONDS

P = ParamSpec("P")
T = TypeVar("T")
TOO_MUCH = f"more than {MAX_FILE_SECONDS} seconds or too much memory"
"""The limits of the process, in words for those whose file it did not finish."""


def for_future(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function whose errors a future accepts.

    Futures refuse StopIteration, so that whoever awaits them would wait forever:
    https://docs.python.org/3/library/asyncio-future.html#asyncio.Future.set_exception
    """

    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except StopIteration as error:
            raise RuntimeError(f"{function!r} raised StopIteration") from error

    return call


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a short function that may block, as `asyncio.to_thread` does, whatever it raises."""
    return await asyncio.to_thread(for_future(function), *args, **kwargs)


class SingleThread:
    """A thread for what would block the event loop: long Python, or waiting for a child process.

    The few threads of `in_thread` are for short work: name look-ups need them too.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function like `in_thread`, but after the calls that came before."""
        call = partial(copy_context().run, for_future(function), *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        """Wait, blocking, for all calls made so far, and end the thread."""
        self._pool.shutdown()


compute = SingleThread("computing").run
"""Runs long computations, in one thread for all features."""


class FairLock:
    """A lock that serves one waiter of each key before the second waiter of any key."""

    def __init__(self) -> None:
        self._locked = False
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        """Waiters by key; the next key to serve is first."""

    @asynccontextmanager
    async def acquire(self, key: int) -> AsyncIterator[None]:
        """Wait for the lock, and hold it until the block ends."""
        if self._locked:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(key, deque()).append(waiter)
            try:
                await waiter
            except asyncio.CancelledError:
                if not waiter.cancelled():  # the lock was handed over just before the cancellation
                    self._hand_over()
                raise
        self._locked = True
        try:
            yield
        finally:
            self._hand_over()

    def _hand_over(self) -> None:
        """Give the lock to the longest waiter of the next key."""
        while self._waiting:
            key = next(iter(self._waiting))
            queue = self._waiting.pop(key)
            waiter = queue.popleft()
            if queue:
                self._waiting[key] = queue
            if not waiter.cancelled():
                waiter.set_result(None)
                return
        self._locked = False


_PROCESS = Process(
    Limits(seconds=MAX_FILE_SECONDS, memory=MAX_FILE_MEMORY, message=MAX_FILE_MESSAGE)
)
_WAITING = SingleThread("files")
"""Waits for the child process, which reads and writes one file at a time."""


class FileTooMuch(Exception):
    """A file took more time or memory than the process for files has."""


class FileProcess:
    """Runs functions in the process for files, in the order of the calls."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Return or raise what `work` does; raises FileTooMuch at the limits."""
        async with self._lock:
            try:
                return await _WAITING.run(_PROCESS.call, work)
            except asyncio.CancelledError:  # otherwise the bot's shutdown would wait for the thread
                _PROCESS.kill()
                raise
            except (CallEnded, MemoryError) as error:
                raise FileTooMuch(f"the file took {TOO_MUCH}") from error
