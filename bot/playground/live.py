"""simcord's environment, turned from virtual time with exclusive steps into real time with concurrent clicks.

Stock simcord serves tests: time stands still until ``advance_time()``, one operation runs at a time, and each of
them waits until the bot has nothing left to do. A person in a browser needs none of that. Here timers fire when
they are due, several members click at once, and a click waits for the bot's answer just as Discord does: at most
three seconds. What is overridden is internal to simcord, which is why the package accepts one version only.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from datetime import datetime
from typing import Any

import discord
from simcord import Env, SetupError
from simcord._runtime import _BOT_SCOPE
from simcord.backend import Backend

from .clock import WallClock

FOUNDED = datetime.fromisoformat("2026-01-05T09:00:00+00:00")
ANSWER_SECONDS = 3.0  # Discord's limit for a first response
READY_SECONDS = 60.0
KEPT_RECORDS = 200


class Tape(list[tuple[str, str, Any]]):
    """simcord's record of all that crosses the wire, which also marks that something has happened.

    Gateway events alone are not enough: edits of private messages cause none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.moved = asyncio.Event()

    def append(self, entry: tuple[str, str, Any]) -> None:
        super().append(entry)
        if not entry[1].startswith("GET "):
            self.moved.set()  # only a mark: this runs in the bot's context, where a task would count as the bot's


class LiveEnv(Env):
    """One bot on the simulated Discord, in real time."""

    def __init__(self, bot: discord.Client) -> None:
        unsharded = isinstance(bot, discord.AutoShardedClient) and bot.shard_count is None
        super().__init__(bot, check_errors=False, shard_count=1 if unsharded else None)
        self.clock = WallClock(FOUNDED)
        self.backend = Backend(clock=self.clock)
        self.tape = self.backend.transcript = Tape()
        self.mutation_observers: list[Callable[[], None]] = []
        self._asked: dict[asyncio.Task[Any] | None, Any] = {}

    def _begin_operation(self, label: str) -> None:
        # Operations may overlap here; only the bot itself must not drive its own simulation.
        scope = _BOT_SCOPE.get()
        if scope is not None and scope[0] is self:
            raise SetupError(f"bot-owned work cannot call simcord operation {label}")

    def _end_operation(self) -> None:
        pass

    def _mark_mutation(self) -> None:
        for observer in tuple(self.mutation_observers):
            observer()

    def _notify_dispatch_observers(self, interaction: Any) -> None:
        super()._notify_dispatch_observers(interaction)
        self._asked[asyncio.current_task()] = interaction

    async def _settle_internal(self, **_: Any) -> None:
        """Wait for what a member would wait for, not until the bot is idle (it never is)."""
        interaction = self._asked.pop(asyncio.current_task(), None)
        if interaction is not None:
            await _until(lambda: interaction.responded, ANSWER_SECONDS)
        elif not self.bot.is_ready():
            if not await _until(self.bot.is_ready, READY_SECONDS):
                raise TimeoutError("the bot never got ready on the simulated Discord")
        else:
            await asyncio.sleep(0)

    def _schedule_timer(
        self,
        record: Any,
        callback: Any,
        args: tuple[Any, ...],
        schedule_context: contextvars.Context | None,
    ) -> None:
        assert self._runtime is not None

        def fire() -> None:
            # The handle carries the context it must run in, and does nothing if it was cancelled.
            if record.handle is not None and not record.handle.cancelled():
                record.handle._run()

        # call_at, and the original one: call_later would go through the replaced call_at, which leads here again.
        record.real_handle = self._runtime.call_at(record.when, fire, context=contextvars.Context())

    def tidy(self) -> None:
        """Drop what only tests look at, so that an evening of play does not fill the memory."""
        live = []
        for record in self._work.callbacks:
            if record.handle is not None and not record.handle.cancelled():
                live.append(record)
            elif record.real_handle is not None:
                record.real_handle.cancel()
        self._work.callbacks[:] = live
        del self.backend.transcript[:-KEPT_RECORDS]
        del self.backend.http_requests[:-KEPT_RECORDS]
        self._process_resource_deadlines()


async def _until(reached: Callable[[], bool], seconds: float) -> bool:
    """Look every few milliseconds: neither a modal nor a deferral is announced by an event that could be awaited."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not reached():
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(0.004)
    return True
