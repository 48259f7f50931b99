"""Discord's limits on requests: how many a bot may send, and how many may be refused.

See https://discord.com/developers/docs/topics/rate-limits.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque

from bot.core import counters

LIMIT = 50
"""Requests per second across all processes. Replies to interactions don't count."""
_WINDOW = 1.03
"""Seconds: slightly over one, to absorb network jitter.

discord.py retries a refused request by itself, which exceeds the limit again. With 1.005 seconds,
refusals continued for as long as a burst did.
"""
REFUSED = 5000
"""Refused requests in ten minutes across all processes. Discord bans an IP address after 10,000."""
_REFUSED_WINDOW = 600.0


class RateLimiter:
    """Lets `limit` requests through in any second.

    Urgent requests go first. Among equally urgent ones servers take turns, and each server's are in
    order.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._time = asyncio.get_running_loop().time
        # A previous process may have just sent requests, so start with most of the window used up.
        now = self._time()
        before = limit - limit // 5
        self._passed = deque(
            (now - _WINDOW * (1 - n / before) for n in range(before)), maxlen=limit
        )
        self._waiting: list[tuple[bool, int, int, int, asyncio.Future[None]]] = []
        self._number = 0
        self._round = {True: 0, False: 0}
        """The current round of turns, by urgency."""
        self._next_turn: dict[tuple[bool, int], int] = {}
        """The round of each server's next turn, by urgency and server.

        Idle servers aren't listed.
        """
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, server: int, *, urgent: bool) -> None:
        """Wait until a request for a server may be sent."""
        if not self._waiting and self._delay() <= 0:
            self._passed.append(self._time())
            return
        self._number += 1
        may_send = asyncio.get_running_loop().create_future()
        turn = max(self._round[urgent], self._next_turn.get((urgent, server), 0))
        self._next_turn[urgent, server] = turn + 1
        heapq.heappush(self._waiting, (not urgent, turn, self._number, server, may_send))
        self._start_timer()
        began = self._time()
        try:
            await may_send
        finally:
            counters.rate_limit_wait.add(self._time() - began)

    def is_busy(self) -> bool:
        """Return whether half of the last second's requests are used: leave out what can be."""
        half = max(1, self._limit // 2)
        return len(self._passed) >= half and self._passed[-half] + _WINDOW > self._time()

    def _delay(self) -> float:
        """Return the seconds until the next request may be sent."""
        if len(self._passed) < self._limit:
            return 0.0
        return self._passed[0] + _WINDOW - self._time()

    def _start_timer(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(
                max(0.0, self._delay()), self._release
            )

    def _release(self) -> None:
        self._timer = None
        while self._waiting and self._delay() <= 0:
            later, turn, _, _, first = heapq.heappop(self._waiting)
            if turn > self._round[not later]:
                self._begin_round(not later, turn)
            if not first.done():  # otherwise its task was cancelled while it waited
                self._passed.append(self._time())
                first.set_result(None)
        if not self._waiting:
            self._next_turn.clear()
        self._start_timer()

    def _begin_round(self, urgent: bool, turn: int) -> None:
        self._round[urgent] = turn
        self._next_turn = {
            key: number
            for key, number in self._next_turn.items()
            if key[0] != urgent or number > turn
        }


class RefusalCounter:
    """Counts the requests that Discord refused in the last ten minutes, by server.

    Once there are too many, servers with refusals are blocked until those have expired. So a few
    misconfigured servers can't get the bot banned everywhere.
    """

    def __init__(self, limit: int) -> None:
        self._time = asyncio.get_running_loop().time
        self._refused: deque[tuple[float, int]] = deque()
        self._limit = limit

    def record(self, server: int) -> None:
        """Record that Discord refused a request for a server."""
        self._refused.append((self._time(), server))

    def is_blocked(self, server: int) -> bool:
        """Whether to send nothing to a server for now."""
        while self._refused and self._refused[0][0] <= self._time() - _REFUSED_WINDOW:
            self._refused.popleft()
        return len(self._refused) >= self._limit and any(
            refused == server for _, refused in self._refused
        )
