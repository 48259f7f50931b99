"""A lock whose waiters take turns by key, so that one server can't hold up all others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


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
