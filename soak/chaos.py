"""What goes wrong during a soak: requests, the gateway, permissions and the process itself, every second or so."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.crash.play import close_challenges, close_dailies
from tests.loopback.faults import Fault, When
from tests.loopback.limits import MESSAGE, MESSAGES
from tests.loopback.process import BotProcess
from tests.loopback.world import World

_CALLBACK = "/interactions/{}/{}/callback"
_THREADS = "/channels/{}/messages/{}/threads"
_ROUTES = (
    *[("POST", MESSAGES)] * 4,
    *[("PATCH", MESSAGE)] * 4,
    *[("POST", _CALLBACK)] * 3,
    ("POST", _THREADS),
    ("GET", MESSAGES),
    ("PUT", "/applications/{}/commands"),
)
_MESSAGE_ROUTES = (("POST", MESSAGES), ("PATCH", MESSAGE))
_LIFETIME = 6.0
"""Seconds after which a fault that no request met is taken away."""
_TERM_SECONDS = 5.0


@dataclass
class Tally:
    """What happened. `outages`: from when to when the bot was not connected; `wrong`: ends that must not be."""

    faults: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    outages: list[tuple[float, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Chaos:
    """Breaks things until `stop`, and keeps the bot running all the time like a host's supervisor."""

    def __init__(self, world: World, bot: BotProcess, rng: random.Random, pace: float) -> None:
        self._world = world
        self._bot = bot
        self._rng = rng
        self._pace = pace
        self._armed: list[tuple[float, Fault]] = []
        self._term_at: float | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._breaking: asyncio.Task[None] | None = None
        self._calm = False
        self.tally = Tally()

    def start(self) -> None:
        self._breaking = asyncio.create_task(self._break())
        self._tasks = [asyncio.create_task(self._supervise()), asyncio.create_task(self._watch())]

    async def calm(self) -> None:
        """Break nothing any more, and mend what is broken; the bot is still kept running."""
        self._calm = True
        if self._breaking is not None:
            self._breaking.cancel()
        self._world.faults.armed.clear()
        for channel in list(self._world.channels.values()):
            await self._world.deny(channel)
        self._count_hits()

    async def stop(self) -> None:
        """Leave the bot alone: it is not started again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def terminate(self) -> None:
        self._term_at = time.monotonic()
        self._bot.terminate()

    async def _break(self) -> None:
        kinds: list[Callable[[], Awaitable[None]]] = [
            *[self._status] * 6,
            *[self._limited] * 2,
            *[self._dropped] * 4,
            *[self._delayed] * 3,
            *[self._hung],
            *[self._gateway] * 4,
            *[self._doubled] * 4,
            *[self._forbidden],
            *[self._killed] * 2,
            *[self._killed_at_request] * 3,
            *[self._terminated],
        ]
        while True:
            await asyncio.sleep(self._rng.uniform(0.4, 1.6) * self._pace)
            if self._bot.running:
                await self._rng.choice(kinds)()
            self._count_hits()

    def _count_hits(self) -> None:
        for fault in self._world.faults.hit:
            self.tally.faults[fault.name] += 1
        self._world.faults.hit.clear()
        now = time.monotonic()
        for armed_at, fault in list(self._armed):
            if now - armed_at > _LIFETIME:
                self._armed.remove((armed_at, fault))
                if fault in self._world.faults.armed:
                    self._world.faults.armed.remove(fault)

    def _arm(self, fault: Fault) -> None:
        self._world.faults.add(fault)
        self._armed.append((time.monotonic(), fault))

    def _when(self) -> When:
        return "before" if self._rng.random() < 0.5 else "after"

    async def _status(self) -> None:
        status = self._rng.choice((500, 502, 503))
        self._arm(
            Fault(
                "status",
                *self._rng.choice(_ROUTES),
                self._when(),
                self._rng.randint(1, 2),
                status=status,
            )
        )

    async def _limited(self) -> None:
        seconds = self._rng.uniform(0.3, 3)
        self._arm(Fault("status", *self._rng.choice(_MESSAGE_ROUTES), status=429, seconds=seconds))

    async def _dropped(self) -> None:
        self._arm(Fault("drop", *self._rng.choice(_ROUTES), self._when()))

    async def _delayed(self) -> None:
        self._arm(
            Fault(
                "delay",
                *self._rng.choice(_ROUTES),
                self._when(),
                seconds=self._rng.uniform(0.3, 3.5),
            )
        )

    async def _hung(self) -> None:
        self._arm(Fault("hang", *self._rng.choice(_MESSAGE_ROUTES), self._when()))

    async def _gateway(self) -> None:
        gateway = self._world.gateway
        if not gateway.connected:
            return
        kind = self._rng.choice(
            ("drop", "drop 4000", "drop without resume", "reconnect", "invalid", "invalid for good")
        )
        self.tally.faults[f"gateway: {kind}"] += 1
        match kind:
            case "drop" | "drop without resume":
                await gateway.drop(resumable=kind == "drop")
            case "drop 4000":
                await gateway.drop(code=4000)
            case "reconnect":
                await gateway.reconnect()
            case _:
                await gateway.invalidate(resumable=kind == "invalid")

    async def _doubled(self) -> None:
        if not self._world.gateway.double_next:
            self._world.gateway.double_next = 1

    async def _forbidden(self) -> None:
        channel = self._rng.choice([c for c in self._world.channels.values() if c.parent is None])
        names = self._rng.choice(
            (("send_messages",), ("view_channel",), ("attach_files", "send_messages"))
        )
        self.tally.faults["permission lost: " + " and ".join(names)] += 1
        await self._world.deny(channel, *names)
        await asyncio.sleep(self._rng.uniform(1, 3))
        await self._world.deny(channel)

    async def _killed(self) -> None:
        self.tally.faults["SIGKILL"] += 1
        self._bot.kill()

    async def _killed_at_request(self) -> None:
        self._arm(Fault("kill", *self._rng.choice(_ROUTES), self._when(), act=self._bot.kill))

    async def _terminated(self) -> None:
        if self._world.gateway.connected and self._term_at is None:
            self.tally.faults["SIGTERM"] += 1
            self.terminate()

    async def _supervise(self) -> None:
        while True:
            code = await self._bot.dead(10_000)
            if self._term_at is not None:
                seconds, self._term_at = self._bot.ended_at - self._term_at, None
                if code not in {0, -9} or seconds > _TERM_SECONDS:
                    self.tally.wrong.append(f"SIGTERM: exit code {code} after {seconds:.1f} s")
            elif code != -9:
                self.tally.wrong.append(f"the bot ended by itself with exit code {code}")
            if not self._calm:
                await self._while_down()
            self.tally.restarts += 1
            await self._bot.start(ready=False)

    async def _while_down(self) -> None:
        """Time passes: Discord may forget nonces, the hours of dailies and challenges may pass."""
        await asyncio.sleep(self._rng.uniform(0.1, 2))
        if self._rng.random() < 0.3:
            self._world.rest.forget_nonces()
        if self._rng.random() < 0.25 and self._bot.database.exists():
            close_dailies(self._bot.database, self._rng.uniform(0, 5))
        if self._rng.random() < 0.15 and self._bot.database.exists():
            close_challenges(self._bot.database, self._rng.uniform(0, 5))

    async def _watch(self) -> None:
        """Measure every time without a connection."""
        while True:
            await self._world.until(lambda: not self._world.gateway.connected, 1e9)
            began = time.monotonic()
            await self._world.until(lambda: self._world.gateway.connected, 1e9)
            self.tally.outages.append((began, time.monotonic()))
