"""What runs one at a time, where nobody may hold up all others."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Lets one piece of work run at a time. Of those that wait, one of each key comes before a second of any."""

    def __init__(self) -> None:
        self._taken = False
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}
        """In the order in which the keys have their turn."""

    @asynccontextmanager
    async def of(self, key: int) -> AsyncIterator[None]:
        """Wait for a turn, which ends with the block."""
        if self._taken:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(key, deque()).append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if (
                    not turn.cancelled()
                ):  # it came at the very moment at which nobody wanted it any more
                    self._pass_on()
                raise
        self._taken = True
        try:
            yield
        finally:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give the turn to the next key's longest waiting piece of work."""
        while self._waiting:
            key = next(iter(self._waiting))
            queue = self._waiting.pop(key)
            turn = queue.popleft()
            if queue:
                self._waiting[key] = queue
            if not turn.cancelled():
                turn.set_result(None)
                return
        self._taken = False
