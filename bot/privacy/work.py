"""A member's data, to export or to erase; and the data of servers that have removed the bot.

An erasure consists of small transactions. Each leaves the data of others consistent, such as the
places on boards. Its row stays until one of them has found nothing left, so an erasure that a
crash interrupted continues later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Protocol

from bot.core.context import Context
from bot.core.database import Connection, StorageError
from bot.core.errors import UserError
from bot.core.jobs import LEASE, Worker
from bot.core.personal import Held
from bot.privacy import rules, store
from bot.privacy.model import Erasing, Erasure

log = logging.getLogger(__name__)

PORTION = 200
"""Rows erased in one transaction, while other writes wait for 3 to 30 ms."""
_ROWS_AT_ONCE = 500
RETRY = timedelta(hours=1)
"""The pause before another attempt if an erasure fails, or if the server still has the bot."""


class Cache(Protocol):
    """Data about members or servers in this process, which an erasure must drop too."""

    def forget_member(self, user_id: int) -> None: ...
    def forget_server(self, guild_id: int) -> None: ...


class Privacy:
    """Exports and erases the data in `held` and in `caches`.

    A server's data are erased a time `after` it has removed the bot.
    """

    def __init__(
        self,
        context: Context,
        held: Held,
        caches: Sequence[Cache],
        after: timedelta,
    ) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._sender = context.sender
        self._shards = context.shards
        self._now = context.now
        self._held = held
        self._caches = caches
        self._after = after
        self._exporting: set[int] = set()

    async def export(self, user_id: int) -> rules.DataFiles:
        """Return all that is stored about a member; refuse while another export of theirs runs.

        Each table is read in a transaction of its own, so that others needn't wait for all.
        """
        if user_id in self._exporting:
            raise UserError("Your file is being put together. Wait a moment, and it comes.")
        self._exporting.add(user_id)
        try:
            made = rules.DataFiles(user_id, self._now())
            for name in sorted(self._held.exports):
                await self._database.read_long(user_id, self._add, made, name, user_id)
            return made
        finally:
            self._exporting.discard(user_id)

    def _add(self, conn: Connection, made: rules.DataFiles, name: str, user_id: int) -> None:
        """Add the rows of a table to an export, with few of them in memory at a time."""
        made.add(name, self._readable(conn, iter(self._held.exports[name](conn, user_id))))

    def _readable(self, conn: Connection, rows: Iterator[rules.Row]) -> Iterator[rules.Row]:
        while some := list(islice(rows, _ROWS_AT_ONCE)):
            bank = self._banks.holding(conn, {row["item_id"] for row in some if row.get("item_id")})
            yield from (rules.readable(bank, row) for row in some)

    async def erase(self, user_id: int) -> bool:
        """Erase all about a member; False if the database failed and the rest follows later."""
        erasure = await self._database.write(store.begin, user_id, self._now())
        try:
            await self.finish(erasure)
        except StorageError as error:
            log.warning("erasure %s waits: %s", erasure.id, type(error).__name__)
            self._scheduler.nudge(self._now() + LEASE)
            return False
        return True

    async def finish(self, erasure: Erasure) -> None:
        """Erase everything that is left."""
        while await self._database.write(self._erase_portion, erasure):
            pass
        await self._database.overwrite_erased()
        for cache in self._caches:
            if erasure.user_id is not None:
                cache.forget_member(erasure.user_id)
            if erasure.guild_id is not None:
                cache.forget_server(erasure.guild_id)
        log.info("erasure %s is done", erasure.id)

    def _erase_portion(self, conn: Connection, erasure: Erasure) -> bool:
        """Erase some rows; if none was left anywhere, end the erasure and return False."""
        if not store.extend_lease(conn, erasure.id, self._now()):
            return False
        left = PORTION
        if erasure.user_id is not None:
            whose, erasers = erasure.user_id, self._held.members
        else:
            whose, erasers = erasure.guild_id or 0, self._held.servers
        for erase in erasers.values():
            left -= erase(conn, whose, left)
            if left <= 0:
                return True
        if left == PORTION:
            store.end(conn, erasure.id)
        return left < PORTION

    async def server_left(self, guild_id: int) -> None:
        """Schedule the erasure of a server that has removed the bot."""
        due = self._now() + self._after
        await self._database.write(store.note_departure, guild_id, due)
        self._scheduler.nudge(due)

    async def server_returned(self, guild_id: int) -> None:
        """Cancel a scheduled erasure, because the server has the bot."""
        if await self._database.write(store.note_return, guild_id):
            log.info("guild %s has come back, and keeps its data", guild_id)

    async def check_servers(self) -> None:
        """Find the servers that removed or added the bot while it was not connected.

        Each server is checked right before its write, so that an event that arrives in between
        has the last word.
        """
        known = await self._database.read(store.known_servers, list(self._held.servers))
        waiting = await self._database.read(store.departed)
        for guild_id in sorted(known - waiting):
            if not self._sender.is_on(guild_id):
                await self.server_left(guild_id)
        for guild_id in sorted(waiting):
            if self._shards.have(guild_id) and self._sender.is_on(guild_id):
                await self.server_returned(guild_id)


class ErasureWork(Worker[Erasure]):
    """Erases servers that removed the bot, and resumes erasures that a crash interrupted."""

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
