"""Notes what members are called, from what they do anyway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from bot.core.context import Context
from bot.core.database import DatabaseClosed, StorageError
from bot.members import store

log = logging.getLogger(__name__)

_REMEMBERED = 20_000


class Names:
    """Stores a member's name when it is new or has changed; the latest names are remembered and cost nothing.

    Nobody waits for a name: it is committed with the answer that brought it, and those that come meanwhile are stored
    together after that.
    """

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._known: dict[store.Member, str] = {}
        self._new: dict[store.Member, str] = {}
        self._storing: asyncio.Task[None] | None = None

    def note(self, guild_id: int, user_id: int, name: str) -> None:
        """Keep what a member is called on a server now."""
        member, name = (guild_id, user_id), name.replace("\x00", "")[: store.MAX_NAME]
        if self._known.get(member) == name:
            return
        self._known[member] = self._new[member] = name
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        if self._storing is None:
            self._storing = asyncio.create_task(self._gather())

    async def flush(self) -> None:
        """Store the new names now."""
        new, self._new = self._new, {}
        if not new:
            return
        try:
            with suppress(DatabaseClosed):
                await self._database.write_one(store.set_names, new)
        except StorageError as error:  # each comes again with its member's next click
            log.warning("%s names were not stored: %s", len(new), type(error).__name__)
            for member in new:
                self._known.pop(member, None)

    async def close(self) -> None:
        """Store what has been gathered."""
        if self._storing is not None:
            self._storing.cancel()
        await self.flush()

    async def _gather(self) -> None:
        try:
            while self._new:
                await self.flush()
        finally:
            self._storing = None

    def forget_member(self, user_id: int) -> None:
        """The member's names were erased: they are written anew should the member come back."""
        self._keep(lambda member: member[1] != user_id)

    def forget_server(self, guild_id: int) -> None:
        """The same for a server."""
        self._keep(lambda member: member[0] != guild_id)

    def _keep(self, wanted: Callable[[store.Member], bool]) -> None:
        self._known = {member: name for member, name in self._known.items() if wanted(member)}
        self._new = {member: name for member, name in self._new.items() if wanted(member)}
