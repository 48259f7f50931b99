"""Giving roles to the members who reached a milestone."""

from __future__ import annotations

import logging

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.jobs import Worker
from bot.milestones import store
from bot.milestones.model import Reached
from bot.milestones.service import Milestones

log = logging.getLogger(__name__)


class MilestoneWork(Worker[Reached]):
    """Gives roles. Giving one twice is harmless, so nothing is claimed, and a step is repeated."""

    queue = store.QUEUE

    def __init__(self, context: Context, milestones: Milestones) -> None:
        super().__init__(context)
        self._milestones = milestones

    def load(self, conn: Connection, key: int, /) -> Reached | None:
        return store.to_give(conn, key)

    async def step(self, row: Reached) -> None:
        try:
            await self._sender.give_role(row.guild_id, row.user_id, row.role_id)
        except DeliveryRefused as error:
            log.info("guild %s: role %s was not given: %s", row.guild_id, row.role_id, error)
            if error.what == "member":
                await self._database.write(store.forget, row.id)
            else:
                await self._database.write(store.end_giving, row, str(error))
        else:
            await self._database.write(store.end_giving, row)

    async def give_up(self, key: int, reason: str) -> None:
        """Leave the row until the next night, or until a permission changes."""
        row = await self._database.read(store.to_give, key)
        if row is not None:
            problem = f"I can't give <@&{row.role_id}>: {reason.rstrip('.')}."
            await self._database.write(store.end_giving, row, problem)

    async def wake(self, guild_id: int) -> None:
        await self._milestones.wake(guild_id)
