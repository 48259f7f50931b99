"""Erasures that come due: those of servers when their time has come, and all that a crash interrupted."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.jobs import Worker
from bot.privacy import store
from bot.privacy.service import Privacy
from bot.privacy.store import Erasing, Erasure

log = logging.getLogger(__name__)

AGAIN = timedelta(hours=1)
"""How long an erasure rests that fails for good, or whose server may have the bot after all."""


class ErasureWork(Worker[Erasure]):
    """See the module."""

    queue = store.QUEUE

    def __init__(self, context: Context, privacy: Privacy) -> None:
        super().__init__(context)
        self._sender = context.sender
        self._privacy = privacy

    def load(self, conn: Connection, key: int, /) -> Erasure | None:
        return store.get(conn, key)

    async def wake(self, guild_id: int) -> None:
        await self._privacy.returned(guild_id)

    async def step(self, row: Erasure) -> None:
        now = self._now()
        if (
            row.state is Erasing.WAITING
            and row.guild_id is not None
            and self._sender.is_on(row.guild_id)
        ):
            # it came back unheard, or this process does not hear of it: better late than wrongly
            await self._database.write(
                store.change, row.id, expect=Erasing.WAITING, due_at=now + AGAIN
            )
        elif await self._database.write(
            self.queue.claim, row.id, expect=row.state, now=now, state=Erasing.RUNNING
        ):
            await self._privacy.go_on(row)

    async def give_up(self, key: int, reason: str) -> None:
        """What was promised to be erased is never given up; it rests for a while."""
        log.error("erasure %s is tried again in an hour: %s", key, reason)
        row = await self._database.read(store.get, key)
        if row is not None:
            again = {"due_at": self._now() + AGAIN, "failures": 0}
            await self._database.write(store.change, key, expect=row.state, **again)
