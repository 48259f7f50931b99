"""The names of members, taken from their interactions and stored when they change."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import discord

from bot.chat.replies import payload
from bot.chat.router import Router
from bot.core.context import Context
from bot.core.database import DatabaseClosed, StorageError, is_away
from bot.core.jobs import CLOSE_SECONDS
from bot.members import store

log = logging.getLogger(__name__)

_CACHE_SIZE = 20_000
_IGNORED_BUTTONS = "mydata:"
"""Exporting or erasing one's data must not store one's name."""


class Names:
    """Stores a member's name when it is new or has changed.

    The latest names are cached, so that an unchanged one costs nothing. Replies never wait for a
    name to be stored: changed names are written in the background, and names that arrive during a
    write are stored together in the next one.
    """

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._known: dict[store.Member, str] = {}
        self._pending: dict[store.Member, str] = {}
        self._storing: asyncio.Task[None] | None = None

    def watch(self, router: Router) -> None:
        """Record the member's display name from every interaction on a server."""
        router.watchers.append(self._on_interaction)

    def _on_interaction(self, interaction: discord.Interaction) -> None:
        custom_id = str(payload(interaction).get("custom_id"))
        if interaction.guild_id is not None and not custom_id.startswith(_IGNORED_BUTTONS):
            self.set(interaction.guild_id, interaction.user.id, interaction.user.display_name)

    def set(self, guild_id: int, user_id: int, name: str) -> None:
        """Cache a member's name on a server, and start to store it if it has changed."""
        member = guild_id, user_id
        name = name.replace("\x00", "")[: store.MAX_NAME]
        if self._known.get(member) == name:
            return
        self._known[member] = self._pending[member] = name
        if len(self._known) > _CACHE_SIZE:  # the member cached first; an update moves nobody
            del self._known[next(iter(self._known))]
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())

    async def flush(self) -> None:
        """Write the pending names now."""
        names, self._pending = self._pending, {}
        if not names:
            return
        try:
            with suppress(DatabaseClosed):
                await self._database.write(store.set_names, names)
        except StorageError as error:
            if not is_away(error):
                log.warning("%s names were not stored: %s", len(names), type(error).__name__)
            for member in names:  # the member's next interaction brings the name again
                self._known.pop(member, None)

    async def close(self) -> None:
        """Wait until the pending names are stored."""
        if self._storing is not None:
            await asyncio.wait({self._storing}, timeout=CLOSE_SECONDS)

    async def _store_all(self) -> None:
        try:
            while self._pending:
                await self.flush()
        finally:
            self._storing = None

    def forget_member(self, user_id: int) -> None:
        """Drop the names of an erased member. They are stored again if the member returns."""
        self._retain(lambda member: member[1] != user_id)

    def forget_server(self, guild_id: int) -> None:
        """Drop the names on a server that was erased."""
        self._retain(lambda member: member[0] != guild_id)

    def _retain(self, wanted: Callable[[store.Member], bool]) -> None:
        self._known = {member: name for member, name in self._known.items() if wanted(member)}
        self._pending = {member: name for member, name in self._pending.items() if wanted(member)}
