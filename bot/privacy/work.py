"""Erasing servers that removed the bot, and resuming erasures that a crash interrupted."""

from __future__ import annotations

import logging
from datetime import timedelta

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.jobs import Worker
from bot.privacy import store
from bot.privacy.model import Erasing, Erasure
from bot.privacy.service import Privacy

log = logging.getLogger(__name__)

RETRY = timedelta(hours=1)
"""The pause before another attempt if an erasure fails, or if the server still has the bot."""


class ErasureWork(Worker[Erasure]):
    """Runs erasures."""

    queue = store.QUEUE

    def __init__(self, context: Context, privacy: Privacy) -> None:
        super().__init__(context)
        self._privacy = privacy

    def load(self, conn: Connection, key: int, /) -> Erasure | None:
        return store.get(conn, key)

    async def wake(self, guild_id: int) -> None:
        await self._privacy.server_returned(guild_id)

    async def step(self, row: Erasure) -> None:
        now = self._now()
        if (
            row.state is Erasing.WAITING
            and row.guild_id is not None
            and self._sender.is_on(row.guild_id)
        ):
            # the bot was added again, and this process missed the event or never gets it
            await self._database.write(
                store.change, row.id, expect=Erasing.WAITING, due_at=now + RETRY
            )
        elif await self._database.write(
            self.queue.claim, row.id, expect=row.state, now=now, state=Erasing.RUNNING
        ):
            await self._privacy.finish(row)

    async def give_up(self, key: int, reason: str) -> None:
        """Try again later, because an erasure that was promised is never given up."""
        log.error("erasure %s is tried again in an hour: %s", key, reason)
        row = await self._database.read(store.get, key)
        if row is not None:
            again = {"due_at": self._now() + RETRY, "failures": 0}
            await self._database.write(store.change, key, expect=row.state, **again)
