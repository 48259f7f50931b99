"""A member's data: all of them to read, or none left; and the data of servers that have removed the bot.

An erasure goes in small transactions, each of which leaves everything right for others, such as the places on boards.
Its row in the database stays until one of them has found nothing left, so that what a crash interrupts goes on by
itself, and what a member does meanwhile goes too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from bot.core.context import Context
from bot.core.database import Connection, StorageError
from bot.core.errors import UserError
from bot.core.jobs import LEASE
from bot.core.personal import Erase, Held
from bot.privacy import rules, store
from bot.privacy.store import Erasure

log = logging.getLogger(__name__)

PORTION = 200
"""Rows that one transaction erases, for which others wait: three milliseconds, or thirty where many boards change."""


class Remembering(Protocol):
    """What keeps something of members or servers in this process."""

    def forget_member(self, user_id: int) -> None: ...
    def forget_server(self, guild_id: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Export:
    """All that is stored about a member: so many entries, as files of JSON."""

    entries: int
    files: tuple[bytes, ...]


class Privacy:
    """Exports and erases what is `held`.

    `memories` are asked to forget, too; a server's data are erased `after` it has removed the bot.
    """

    def __init__(
        self,
        context: Context,
        held: Held,
        memories: Sequence[Remembering],
        after: timedelta = rules.ERASE_AFTER,
    ) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._sender = context.sender
        self._shards = context.shards
        self._now = context.now
        self._held = held
        self._memories = memories
        self._after = after
        self._exporting: set[int] = set()

    async def export(self, user_id: int) -> Export:
        """All that is stored about a member; refuses a second one while the first is being made."""
        if user_id in self._exporting:
            raise UserError(
                "Your file is being put together. Wait for it, then use </privacy export> again."
            )
        self._exporting.add(user_id)
        try:
            return await self._export(user_id)
        finally:
            self._exporting.discard(user_id)

    async def _export(self, user_id: int) -> Export:
        """Read table by table: nobody else waits for all of it."""
        found = {
            held.name: await self._database.read_long(held.export, user_id)
            for held in self._held.members
        }
        items = {row["item"] for rows in found.values() for row in rows if row.get("item")}
        bank = await self._database.read(self._banks.holding, items)

        def write() -> Export:
            sections = {
                name: [rules.readable(bank, row) for row in found[name]] for name in sorted(found)
            }
            entries = sum(map(len, sections.values()))
            return Export(entries, tuple(rules.files(user_id, self._now(), sections)))

        return await asyncio.to_thread(write)

    async def erase(self, user_id: int) -> bool:
        """Erase all about a member; False if the database fails meanwhile, and the rest follows later by itself."""
        erasure = await self._database.write(store.begin, user_id, self._now() + LEASE)
        try:
            await self.go_on(erasure)
        except StorageError as error:
            log.warning("erasure %s waits: %s", erasure.id, type(error).__name__)
            self._scheduler.nudge(self._now() + LEASE)
            return False
        return True

    async def go_on(self, erasure: Erasure) -> None:
        """Erase what is left, however much that is."""
        while await self._database.write(self._erase_portion, erasure):
            pass
        await self._database.overwrite_erased()
        for memory in self._memories:
            if erasure.user_id is not None:
                memory.forget_member(erasure.user_id)
            if erasure.guild_id is not None:
                memory.forget_server(erasure.guild_id)
        log.info("erasure %s is done", erasure.id)

    def _erase_portion(self, conn: Connection, erasure: Erasure) -> bool:
        """Erase some more; False once a look at everything has found nothing, with which the erasure ends."""
        if not store.hold(conn, erasure.id, self._now() + LEASE):
            return False
        left = PORTION
        for erase, whose in self._erasers(erasure):
            left -= erase(conn, whose, left)
            if left <= 0:
                return True
        if left == PORTION:
            store.end(conn, erasure.id)
        return left < PORTION

    def _erasers(self, erasure: Erasure) -> list[tuple[Erase, int]]:
        """Return what erases, each with the member or server whose data it erases."""
        if erasure.user_id is not None:
            return [(held.erase, erasure.user_id) for held in self._held.members]
        return [(held.erase, erasure.guild_id or 0) for held in self._held.servers]

    async def left(self, guild_id: int) -> None:
        """A server has removed the bot: its data wait for its return, then go."""
        due = self._now() + self._after
        await self._database.write(store.note_departure, guild_id, due)
        self._scheduler.nudge(due)

    async def returned(self, guild_id: int) -> None:
        """A server has the bot: should it have removed it before, it keeps its data if their time has not come."""
        if await self._database.write(store.note_return, guild_id):
            log.info("guild %s has come back, and keeps its data", guild_id)

    async def look_over(self) -> None:
        """Note which servers have removed the bot, or taken it back, while nobody heard of it.

        Each is looked at in the moment in which it is noted: events that come meanwhile have the last word.
        """
        known = await self._database.read(store.known_servers, self._held.servers)
        waiting = await self._database.read(store.departed)
        for guild_id in sorted(known - waiting):
            if not self._sender.is_on(guild_id):
                await self.left(guild_id)
        for guild_id in sorted(waiting):
            if self._shards.have(guild_id) and self._sender.is_on(guild_id):
                await self.returned(guild_id)
