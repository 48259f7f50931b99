"""One timer for every deadline.

Deadlines are columns. The scheduler asks its sources what is due, starts each piece of work as a task of its own (so
that a slow or failing server delays no other), asks for the nearest deadline and sets one timer. It is woken when
somebody stores a nearer one. Nothing here can end it for good: an error is logged and it looks again soon.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=30)
"""So long work that was claimed is left to its process before another takes over."""
_LONGEST_SLEEP = timedelta(seconds=30)
"""The wall clock may jump and the machine may sleep: look again at least this often."""
_AFTER_ERROR = timedelta(seconds=2)
_SHORTEST_SLEEP = timedelta(milliseconds=50)
MAX_CONCURRENT_JOBS = 100
"""So many pieces of work are under way at most: more than the announcer sends within the patience it has with each."""


Key = tuple[int | str, ...]
"""One piece of work, for example (round, question, phase): never started twice at the same time in a process."""


class Source(Protocol):
    """A table with deadlines. `work` moves one row's deadline on, and may be repeated after a crash."""

    async def due(self, now: datetime, limit: int) -> Sequence[Key]: ...
    async def next_due(self) -> datetime | None: ...
    async def work(self, key: Key) -> None: ...


class Scheduler:
    """`now` gives the current UTC instant. Call `start` once, `nudge` when a deadline was stored, `close` to end."""

    def __init__(self, now: Callable[[], datetime], at_once: int = MAX_CONCURRENT_JOBS) -> None:
        self._now = now
        self._at_once = at_once
        self._sources: list[Source] = []
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at: datetime | None = None
        self._tick: asyncio.Task[None] | None = None
        self._again = False
        self._running: dict[tuple[int, Key], asyncio.Task[None]] = {}
        self._closed = True

    def add(self, source: Source) -> None:
        self._sources.append(source)

    def start(self) -> None:
        """Begin to work; call it when messages can be sent."""
        self._closed = False
        self.nudge(self._now())

    def nudge(self, at: datetime) -> None:
        """Say that something is due at `at`; wakes the scheduler earlier if need be."""
        if self._closed:
            return
        if self._tick is not None and not self._tick.done():
            self._again = True
        elif self._wakes_at is None or at < self._wakes_at:
            self._arm(at)

    async def close(self) -> None:
        """Take no new work, wait for what is under way; cancel what does not end within 2.5 seconds."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        tasks = [*self._running.values(), *([self._tick] if self._tick else [])]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=2.5)
            for task in late:
                task.cancel()

    def _arm(self, at: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now = self._now()
        delay = min(max(at - now, timedelta(0)), _LONGEST_SLEEP)
        self._wakes_at = now + delay
        self._timer = asyncio.get_running_loop().call_later(delay.total_seconds(), self._wake)

    def _wake(self) -> None:
        self._timer, self._wakes_at = None, None
        if not self._closed and (self._tick is None or self._tick.done()):
            self._tick = asyncio.create_task(self._look())

    async def _look(self) -> None:
        self._again = False
        now = self._now()
        nearest = now + _LONGEST_SLEEP
        for index, source in enumerate(self._sources):
            if len(self._running) >= self._at_once:  # the next piece that is done looks again
                break
            try:
                for key in await source.due(now, self._at_once):
                    if (index, key) not in self._running and len(self._running) < self._at_once and not self._closed:
                        self._running[index, key] = asyncio.create_task(self._work(index, key))
                following = await source.next_due()
            except Exception:
                log.exception("could not look for due work of %s; trying again", type(source).__name__)
                following = now + _AFTER_ERROR
            nearest = min(nearest, following or nearest)
        if not self._closed:
            self._arm(self._now() if self._again else max(nearest, self._now() + _SHORTEST_SLEEP))

    async def _work(self, index: int, key: Key) -> None:
        source = self._sources[index]
        try:
            await source.work(key)
        except Exception:
            log.exception("work on %s %s failed; it is tried again", type(source).__name__, key)
            if not self._closed:  # let it rest: what fails at once must not become a busy loop
                asyncio.get_running_loop().call_later(_AFTER_ERROR.total_seconds(), self._done, index, key)
                return
        self._done(index, key)

    def _done(self, index: int, key: Key) -> None:
        self._running.pop((index, key), None)
        self.nudge(self._now())
