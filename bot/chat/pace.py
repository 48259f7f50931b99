"""The pace of requests: Discord takes 50 a second from a bot, and bars one that keeps asking for more."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque

LIMIT = 50
"""Requests a second, of all processes together; replies to interactions do not count."""
_WINDOW = 1.005
"""Seconds. A little more than one, as requests do not arrive at the distances at which they were sent."""


class Pace:
    """Lets `limit` requests pass in any second; who waits goes in order, the urgent first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._time = asyncio.get_running_loop().time
        # What an earlier process sent in the last second counts too: begin as if nearly at full pace.
        now = self._time()
        before = limit - limit // 5
        self._passed = deque((now - _WINDOW * (1 - n / before) for n in range(before)), maxlen=limit)
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, *, urgent: bool) -> None:
        """Wait until a request may be sent."""
        if not self._waiting and self._delay() <= 0:
            self._passed.append(self._time())
            return
        self._number += 1
        mine = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (not urgent, self._number, mine))
        self._arm()
        await mine

    def _delay(self) -> float:
        """Seconds until the next request may pass."""
        if len(self._passed) < self._limit:
            return 0.0
        return self._passed[0] + _WINDOW - self._time()

    def _arm(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, self._delay()), self._release)

    def _release(self) -> None:
        self._timer = None
        while self._waiting and self._delay() <= 0:
            _, _, first = heapq.heappop(self._waiting)
            if not first.done():  # else its task was cancelled meanwhile
                self._passed.append(self._time())
                first.set_result(None)
        self._arm()
