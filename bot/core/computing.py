"""Long work, in queues that take turns between servers.

One long computation at most delays clicks: each further thread that computes would delay every
click as much as the first one does, and none would finish sooner.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakSet

from bot.core.child_process import CallEnded, Limits, Process
from bot.core.errors import UserError
from bot.core.limits import (
    MAX_FILE_MEMORY,
    MAX_FILE_MESSAGE,
    MAX_FILE_SECONDS,
    MAX_FILES_WAITING,
    MAX_SPENT_SECONDS,
    MAX_WAITING,
    PAUSE_MINUTES,
)

P = ParamSpec("P")
T = TypeVar("T")
OURS = 0
"""The key of the bot's own work, and of shipped content. It is never refused."""


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


class Refused(UserError):
    """A queue takes no more from this server for now. The sentence says when to try again."""


class TooMuch(Exception):
    """Work took more time or memory than its process has, so its server has to pause.

    The text is a sentence for the member that says for how long.
    """


class FairQueue:
    """A queue for work that servers share. Each has a turn before any has its second.

    `key` is whose work it is: the server's id, the member's in direct messages, or `OURS`. At most
    `most` pieces run and wait, a tenth of them, or `each`, of one key. `what` they are is told to
    members who are refused. `at_once` pieces run at a time, in a thread or in `process`. After
    work that took more than the process may, or more than `seconds` in `PAUSE_MINUTES`, the queue
    takes nothing of the same key for `PAUSE_MINUTES`.
    """

    def __init__(
        self,
        what: str,
        process: Process | None = None,
        *,
        most: int = MAX_WAITING,
        each: int | None = None,
        at_once: int = 1,
        seconds: float = math.inf,
    ) -> None:
        self.what = what
        self.most = most
        self.each = each or most // 10
        self.at_once = at_once
        self.seconds = seconds
        self._process = process
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=what.replace(" ", "-"))
        self._loop: asyncio.AbstractEventLoop | None = None
        QUEUES.add(self)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._free = self.at_once
        self._pending: Counter[int] = Counter()
        """The number of pieces that run or wait, by key."""
        self._waiting: dict[int, deque[asyncio.Future[bool]]] = {}
        """Waiters by key; the next key to serve is first. They get False if they are refused."""
        self._paused_until: dict[int, float] = {}
        self._spent: dict[int, tuple[float, float]] = {}
        """By key, since when work is counted, and its seconds since then; the oldest first."""

    async def run(self, key: int, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function when it is the key's turn, and return or raise what it does.

        Raises Refused if too much is waiting, and TooMuch at the limits of the process. If the
        caller is cancelled, a function in a process is ended; one in a thread is not, and the next
        waits for its end.
        """
        process = self._process
        run = copy_context().run if process is None else process.call
        work = for_future(partial(run, function, *args, **kwargs))
        await self._wait(key)
        loop = asyncio.get_running_loop()
        try:
            running = loop.run_in_executor(self._threads, work)
        except BaseException:
            self._end(key)
            raise
        running.add_done_callback(partial(self._ended, key, loop.time()))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            if process is not None and not running.done():
                process.kill()  # otherwise the bot's shutdown would wait for the thread
            raise
        except (CallEnded, MemoryError) as error:
            if process is None:
                raise
            words = f"I'll take {self.what} from here again in {PAUSE_MINUTES} minutes."
            raise TooMuch(words if key else "") from error

    @asynccontextmanager
    async def turn(self, key: int) -> AsyncIterator[None]:
        """Wait for the key's turn, which lasts until the block ends. Raises Refused like `run`."""
        await self._wait(key)
        try:
            yield
        finally:
            self._end(key)

    async def _wait(self, key: int) -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._begin(loop)
        if key != OURS:
            self._require_room(key)
        self._pending[key] += 1
        if self._free:
            self._free -= 1
            return
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiting.setdefault(key, deque()).append(waiter)
        try:
            served = await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._remove(key, waiter)
                self._subtract(key)
            elif waiter.result():  # its turn came just before the cancellation
                self._end(key)
            raise
        if not served:
            raise self._refusal(key)

    def _require_room(self, key: int) -> None:
        """Refuse a key that is paused or has too much pending; make room for one that has less."""
        if self._pause_of(key) or self._pending[key] >= self.each:
            raise self._refusal(key)
        if self._pending.total() - self._pending[OURS] >= self.most:
            others = [each for each in self._waiting if each != OURS]
            longest = max(others, key=self._pending.__getitem__, default=key)
            if self._pending[longest] <= self._pending[key] + 1:
                raise self._refusal(key)
            self._refuse(longest, self._waiting[longest][-1])

    def _pause_of(self, key: int) -> int:
        """Return for how many minutes nothing is taken of a key."""
        assert self._loop is not None
        left = self._paused_until.get(key, 0.0) - self._loop.time()
        return math.ceil(max(left, 0.0) / 60)

    def _refusal(self, key: int) -> Refused:
        minutes = self._pause_of(key)
        if minutes:
            again = "a minute" if minutes == 1 else f"{minutes} minutes"
            return Refused(
                f"The last {self.what} from here took too much time or memory. Try again in {again}."
            )
        if self._pending[key] >= self.each:
            return Refused(
                f"I'm still busy with other {self.what} from here. Try again in a minute."
            )
        return Refused(f"Too many {self.what} are waiting already. Try again in a minute.")

    def _refuse(self, key: int, waiter: asyncio.Future[bool]) -> None:
        self._remove(key, waiter)
        if not waiter.done():
            self._subtract(key)
            waiter.set_result(False)

    def _remove(self, key: int, waiter: asyncio.Future[bool]) -> None:
        queue = self._waiting.get(key, deque())
        if waiter in queue:
            queue.remove(waiter)
            if not queue:
                del self._waiting[key]

    def _subtract(self, key: int) -> None:
        self._pending[key] -= 1
        if not self._pending[key]:
            del self._pending[key]

    def _ended(self, key: int, began: float, running: asyncio.Future[T]) -> None:
        error = None if running.cancelled() else running.exception()
        ended = self._process is not None and isinstance(error, CallEnded | MemoryError)
        now = running.get_loop().time()
        if key != OURS and (self._spend(key, now - began, now) > self.seconds or ended):
            self._pause(key, now)
        self._end(key)

    def _spend(self, key: int, seconds: float, now: float) -> float:
        """Count the time of a key's work; return how much it has had lately."""
        while self._spent and now - next(iter(self._spent.values()))[0] > 60 * PAUSE_MINUTES:
            del self._spent[next(iter(self._spent))]
        since, spent = self._spent.get(key, (now, 0.0))
        self._spent[key] = since, spent + seconds
        return spent + seconds

    def _pause(self, key: int, now: float) -> None:
        """Take nothing of a key for some minutes, and refuse what waits."""
        paused = {each: until for each, until in self._paused_until.items() if until > now}
        self._paused_until = {**paused, key: now + 60 * PAUSE_MINUTES}
        for waiter in list(self._waiting.get(key, ())):
            self._refuse(key, waiter)

    def _end(self, key: int) -> None:
        """End a piece of work, and give its place to the longest waiter of the next key."""
        self._subtract(key)
        self._move_back(key)
        for other, queue in list(self._waiting.items()):
            for waiter in queue:
                if not waiter.done():
                    self._remove(other, waiter)
                    self._move_back(other)
                    waiter.set_result(True)
                    return
        self._free += 1

    def _move_back(self, key: int) -> None:
        if key in self._waiting:
            self._waiting[key] = self._waiting.pop(key)


QUEUES: WeakSet[FairQueue] = WeakSet()
"""All queues, for the tests."""
COMPUTING = FairQueue("requests")
compute = COMPUTING.run
"""Runs long computations, in one thread for all features."""
FILES = FairQueue(
    "files",
    Process(Limits(seconds=MAX_FILE_SECONDS, memory=MAX_FILE_MEMORY, message=MAX_FILE_MESSAGE)),
    most=MAX_FILES_WAITING,
    seconds=MAX_SPENT_SECONDS,
)
"""Reads and writes files of questions and decks, one at a time: each is in memory as it waits."""
TOO_MUCH = f"more than {MAX_FILE_SECONDS} seconds or too much memory"
"""The limits of the process for files, in words for those whose file it did not finish."""
