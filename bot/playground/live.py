"""simcord's environment in real time, for people instead of tests.

In simcord's own environment time stops until `advance_time()`, one operation runs at a time, and
each waits until the bot is idle. Here timers fire when they are due, several members can click at
once, and a click waits up to three seconds for the bot's answer, like on Discord. This overrides
internals of simcord, so the package accepts only one version of it.
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

START = datetime.fromisoformat("2026-01-05T09:00:00+00:00")
ANSWER_SECONDS = 3.0  # Discord's limit for a first response
READY_SECONDS = 60.0
KEPT_RECORDS = 200


class Record(list[tuple[str, str, Any]]):
    """simcord's record of requests and events, with `changed` set whenever something happens.

    Gateway events alone wouldn't do, because edits of private messages cause none.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changed = asyncio.Event()
        self.changes = 0

    def append(self, entry: tuple[str, str, Any]) -> None:
        super().append(entry)
        if not entry[1].startswith("GET "):
            # no task is started, because here it would count as the bot's
            self.changed.set()
            self.changes += 1


class LiveEnv(Env):
    """One bot on the simulated Discord, in real time."""

    def __init__(self, bot: discord.Client) -> None:
        unsharded = isinstance(bot, discord.AutoShardedClient) and bot.shard_count is None
        super().__init__(bot, check_errors=False, shard_count=1 if unsharded else None)
        self.clock = WallClock(START)
        self.backend = Backend(clock=self.clock)
        self.record = self.backend.transcript = Record()
        self.mutation_observers: list[Callable[[], None]] = []
        self._dispatched: dict[asyncio.Task[Any] | None, Any] = {}

    def _begin_operation(self, label: str) -> None:
        # operations may overlap, but the bot must not drive its own simulation
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
        self._dispatched[asyncio.current_task()] = interaction

    async def _settle_internal(self, **_: Any) -> None:
        """Wait until an interaction is answered or the bot is ready. The bot is never idle here."""
        interaction = self._dispatched.pop(asyncio.current_task(), None)
        if interaction is not None:
            await _wait_until(lambda: interaction.responded, ANSWER_SECONDS)
        elif not self.bot.is_ready():
            if not await _wait_until(self.bot.is_ready, READY_SECONDS):
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
            # the handle has its own context, and does nothing if it was cancelled
            if record.handle is not None and not record.handle.cancelled():
                record.handle._run()

        # the original call_at: call_later would use the replaced one, which calls this again
        record.real_handle = self._runtime.call_at(record.when, fire, context=contextvars.Context())

    def discard_old_records(self) -> None:
        """Discard what only tests look at, so that memory doesn't fill up."""
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


async def _wait_until(reached: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition; return False on timeout. No event announces a modal or a deferral."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not reached():
        if loop.time() >= deadline:
            return False
        await asyncio.sleep(0.004)
    return True
