"""Random faults of a soak: requests, the gateway, permissions, and the process itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from tests.crash.play import close_challenges, close_dailies
from tests.loopback.faults import Fault, Kind, When
from tests.loopback.limits import MESSAGE, MESSAGES
from tests.loopback.process import BotProcess
from tests.loopback.world import World

_ROUTES = (
    *[("POST", MESSAGES)] * 4,
    *[("PATCH", MESSAGE)] * 4,
    *[("POST", "/interactions/{}/{}/callback")] * 3,
    ("POST", "/channels/{}/messages/{}/threads"),
    ("GET", MESSAGES),
    ("PUT", "/applications/{}/commands"),
)
_LIFETIME = 6.0
"""A fault that no request has met is removed after this many seconds."""
_TERM_SECONDS = 5.0


def seconds_wrong(rng: random.Random) -> float:
    """Draw how far a machine's clock is ahead: right, or up to thirty hours off in either way."""
    return rng.choice((-1, 0, 1)) * 10 ** rng.uniform(0, 5)


class Chaos:
    """Breaks things, and restarts the bot as a host's supervisor does.

    `faults` counts what happened. `outages`: from when to when the bot was not connected. `wrong`:
    ends of the bot that must not be.
    """

    def __init__(self, world: World, bot: BotProcess, rng: random.Random, pace: float) -> None:
        self._world = world
        self._bot = bot
        self._rng = rng
        self._pace = pace
        self._armed: list[tuple[float, Fault]] = []
        self._terminated_at: float | None = None
        self._supervision: list[asyncio.Task[None]] = []
        self._breaking: asyncio.Task[None]
        self._is_calm = False
        self.faults: Counter[str] = Counter()
        self.outages: list[tuple[float, float]] = []
        self.wrong: list[str] = []

    def start(self) -> None:
        self._breaking = asyncio.create_task(self._break())
        self._supervision = [
            asyncio.create_task(self._supervise()),
            asyncio.create_task(self._watch_connection()),
        ]

    async def calm(self) -> None:
        """Stop breaking things and repair what is broken; the bot is still restarted."""
        self._is_calm = True
        self._breaking.cancel()
        self._world.faults.armed.clear()
        for channel in list(self._world.channels.values()):
            await self._world.deny(channel)
        self._count_hits()

    async def stop(self) -> None:
        """Stop restarting the bot."""
        for task in self._supervision:
            task.cancel()
        await asyncio.gather(*self._supervision, return_exceptions=True)

    async def _break(self) -> None:
        kinds: list[Callable[[], Awaitable[None]]] = [
            *[self._disturb_request] * 19,
            *[self._disturb_gateway] * 4,
            *[self._double_interaction] * 4,
            *[self._deny_permission],
            *[self._kill] * 2,
            *[self._set_host_clock] * 2,
            *[self._terminate],
        ]
        while True:
            await asyncio.sleep(self._rng.uniform(0.4, 1.6) * self._pace)
            if self._bot.running:
                await self._rng.choice(kinds)()
            self._count_hits()

    def _count_hits(self) -> None:
        """Count the faults that a request met, and remove old ones."""
        self.faults.update(fault.name for fault in self._world.faults.hit)
        self._world.faults.hit.clear()
        for armed_at, fault in list(self._armed):
            if time.monotonic() - armed_at > _LIFETIME:
                self._armed.remove((armed_at, fault))
                if fault in self._world.faults.armed:
                    self._world.faults.armed.remove(fault)

    async def _disturb_request(self) -> None:
        rng = self._rng
        kinds: list[tuple[Kind, dict[str, Any]]] = [
            ("status", {"status": rng.choice((500, 502, 503)), "times": rng.randint(1, 2)}),
            ("status", {"status": 429, "seconds": rng.uniform(0.3, 3)}),
            ("drop", {}),
            ("delay", {"seconds": rng.uniform(0.3, 3.5)}),
            ("hang", {}),
            ("kill", {"act": self._bot.kill}),
        ]
        kind, options = rng.choices(kinds, (6, 2, 4, 3, 1, 3))[0]
        method, template = rng.choice(_ROUTES)
        if kind == "hang" or options.get("status") == 429:
            method, template = rng.choice((("POST", MESSAGES), ("PATCH", MESSAGE)))
        moments: tuple[When, When] = ("before", "after")
        when = "before" if options.get("status") == 429 else rng.choice(moments)
        fault = Fault(kind, method, template, when, **options)
        self._world.faults.add(fault)
        self._armed.append((time.monotonic(), fault))

    async def _disturb_gateway(self) -> None:
        gateway = self._world.gateway
        if not gateway.connected:
            return
        kinds: dict[str, Callable[[], Awaitable[None]]] = {
            "drop": gateway.drop,
            "drop 4000": lambda: gateway.drop(code=4000),
            "drop without resume": lambda: gateway.drop(resumable=False),
            "reconnect": gateway.reconnect,
            "invalid": lambda: gateway.invalidate(resumable=True),
            "invalid for good": lambda: gateway.invalidate(resumable=False),
        }
        name = self._rng.choice(list(kinds))
        self.faults[f"gateway: {name}"] += 1
        await kinds[name]()

    async def _double_interaction(self) -> None:
        self._world.gateway.double_next = max(1, self._world.gateway.double_next)

    async def _deny_permission(self) -> None:
        channel = self._rng.choice([c for c in self._world.channels.values() if c.parent is None])
        names = self._rng.choice(
            (["send_messages"], ["view_channel"], ["attach_files", "send_messages"])
        )
        self.faults["permission lost: " + " and ".join(names)] += 1
        await self._world.deny(channel, *names)
        await asyncio.sleep(self._rng.uniform(1, 3))
        await self._world.deny(channel)

    async def _set_host_clock(self) -> None:
        self.faults["clock set"] += 1
        self._bot.set_host_clock(seconds_wrong(self._rng))

    async def _kill(self) -> None:
        self.faults["SIGKILL"] += 1
        self._bot.kill()

    async def _terminate(self) -> None:
        if self._world.gateway.connected and self._terminated_at is None:
            self.faults["SIGTERM"] += 1
            self._terminated_at = time.monotonic()
            self._bot.terminate()

    async def _supervise(self) -> None:
        while True:
            code = await self._bot.dead(10_000)
            if self._terminated_at is not None:
                seconds = self._bot.ended_at - self._terminated_at
                self._terminated_at = None
                if code not in {0, -9} or seconds > _TERM_SECONDS:
                    self.wrong.append(f"SIGTERM: exit code {code} after {seconds:.1f} s")
            elif code != -9:
                self.wrong.append(f"the bot ended by itself with exit code {code}")
            if not self._is_calm:
                await self._let_time_pass()
            await self._bot.start(ready=False)

    async def _let_time_pass(self) -> None:
        """While the bot is down, Discord may forget nonces, and dailies and challenges may close."""
        await asyncio.sleep(self._rng.uniform(0.1, 2))
        if self._rng.random() < 0.3:
            self._world.rest.forget_nonces()
        if self._bot.database.exists():
            if self._rng.random() < 0.25:
                close_dailies(self._bot.database, self._rng.uniform(0, 5))
            if self._rng.random() < 0.15:
                close_challenges(self._bot.database, self._rng.uniform(0, 5))

    async def _watch_connection(self) -> None:
        while True:
            await self._world.until(lambda: not self._world.gateway.connected, 1e9)
            began = time.monotonic()
            await self._world.until(lambda: self._world.gateway.connected, 1e9)
            self.outages.append((began, time.monotonic()))
