"""The pace of requests: Discord takes 50 a second from a bot, and bars one that keeps asking for more."""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, deque

LIMIT = 50
"""Requests a second, of all processes together; replies to interactions do not count."""
_WINDOW = 1.03
"""Seconds. A little more than one, as requests do not arrive at the distances at which they were sent.

Of one that is refused discord.py makes the next attempt by itself, which is one too many again: with 1.005 refusals
could go on for as long as a burst did.
"""
REFUSED = 5000
"""Refused requests in ten minutes, of all processes together: half of those after which Discord bars an address."""
_REFUSED_WINDOW = 600.0


class Pace:
    """Lets `limit` requests pass in any second. The urgent go first; among them servers take turns, then in order."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._time = asyncio.get_running_loop().time
        # What an earlier process sent in the last second counts too: begin as if nearly at full pace.
        now = self._time()
        before = limit - limit // 5
        self._passed = deque(
            (now - _WINDOW * (1 - n / before) for n in range(before)), maxlen=limit
        )
        self._waiting: list[tuple[bool, int, int, int, asyncio.Future[None]]] = []
        self._number = 0
        self._round = {True: 0, False: 0}
        """By urgency: which round of turns is going on."""
        self._next_turn: dict[tuple[bool, int], int] = {}
        """By urgency and server, of those that wait or have had a turn in this round: the round of their next one."""
        self._timer: asyncio.TimerHandle | None = None

    async def turn(self, server: int, *, urgent: bool) -> None:
        """Wait until a request for a server may be sent."""
        if not self._waiting and self._delay() <= 0:
            self._passed.append(self._time())
            return
        self._number += 1
        mine = asyncio.get_running_loop().create_future()
        turn = max(self._round[urgent], self._next_turn.get((urgent, server), 0))
        self._next_turn[urgent, server] = turn + 1
        heapq.heappush(self._waiting, (not urgent, turn, self._number, server, mine))
        self._arm()
        await mine

    def _delay(self) -> float:
        """Seconds until the next request may pass."""
        if len(self._passed) < self._limit:
            return 0.0
        return self._passed[0] + _WINDOW - self._time()

    def _arm(self) -> None:
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
            if not first.done():  # else its task was cancelled meanwhile
                self._passed.append(self._time())
                first.set_result(None)
        if not self._waiting:
            self._next_turn.clear()
        self._arm()

    def _begin_round(self, urgent: bool, turn: int) -> None:
        self._round[urgent] = turn
        self._next_turn = {
            who: n for who, n in self._next_turn.items() if who[0] != urgent or n > turn
        }


class Refusals:
    """Requests that Discord refused in the last minutes, by server.

    Once there are many, servers that had some are asked nothing until they are forgotten, so that broken ones do not
    shut the bot out of all.
    """

    def __init__(self, limit: int = REFUSED) -> None:
        self._time = asyncio.get_running_loop().time
        self._noted: deque[tuple[float, int]] = deque()
        self._limit = limit
        self._by_server: Counter[int] = Counter()

    def note(self, server: int) -> None:
        """Discord has refused a request for a server."""
        self._noted.append((self._time(), server))
        self._by_server[server] += 1

    def too_many(self, server: int) -> bool:
        """Whether a server is to be asked nothing for now."""
        while self._noted and self._noted[0][0] <= self._time() - _REFUSED_WINDOW:
            _, old = self._noted.popleft()
            self._by_server[old] -= 1
            if not self._by_server[old]:
                del self._by_server[old]
        return len(self._noted) >= self._limit and server in self._by_server
