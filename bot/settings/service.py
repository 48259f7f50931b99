"""The settings of a server.

Each change is stored by itself, so that two managers who change different settings at once don't
overwrite each other.
"""

from __future__ import annotations

from collections.abc import Collection

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.daily.schedule_service import Schedules
from bot.members.store import teams_of
from bot.milestones import store as milestones_store
from bot.questions import store as questions_store
from bot.recap.service import Recaps
from bot.settings.model import PackChoice, SettingsPanel


class ServerSettings:
    """Reads and changes the settings of servers."""

    def __init__(self, context: Context, schedules: Schedules, recaps: Recaps) -> None:
        self._database = context.database
        self._now = context.now
        self._packs = context.banks.packs.packs
        self._schedules = schedules
        self._recaps = recaps

    @reading
    def read(self, conn: Connection, guild_id: int) -> SettingsPanel:
        return self._read(conn, guild_id)

    async def set_zone(self, guild_id: int, zone: str) -> SettingsPanel:
        """Change a server's time zone; its dailies keep their time of day."""
        await self._schedules.set_zone(guild_id, zone)
        return await self.read(guild_id)

    @writing
    def set_starters(self, conn: Connection, guild_id: int, role_id: int | None) -> SettingsPanel:
        """Let only members with a role start rounds, or everyone for None.

        @everyone counts as None. Its role id is the server's id:
        https://discord.com/developers/docs/topics/permissions#role-object
        """
        servers.set_starter_role(conn, guild_id, None if role_id == guild_id else role_id)
        return self._read(conn, guild_id)

    @writing
    def announce_suggestions(
        self, conn: Connection, guild_id: int, channel_id: int | None
    ) -> SettingsPanel:
        """Announce suggested questions in a channel, or nowhere for None."""
        servers.set_suggestions_channel(conn, guild_id, channel_id)
        return self._read(conn, guild_id)

    @writing
    def set_packs(self, conn: Connection, guild_id: int, names: Collection[str]) -> SettingsPanel:
        """Ask only these packs. Choosing all of them includes packs that are added later."""
        chosen = [pack.name for pack in self._packs if pack.name in names]
        if not chosen:
            raise UserError("I don't know these packs. Pick some from the list in </settings>.")
        questions_store.set_packs(
            conn, guild_id, None if len(chosen) == len(self._packs) else chosen
        )
        return self._read(conn, guild_id)

    async def set_recap(self, guild_id: int, channel_id: int | None, weekday: int) -> SettingsPanel:
        """Post the weekly recap in a channel on a day, 0 for Monday, or turn it off for None."""
        await self._recaps.set(guild_id, channel_id, weekday)
        return await self.read(guild_id)

    def _read(self, conn: Connection, guild_id: int) -> SettingsPanel:
        chosen = questions_store.packs_of(conn, guild_id)
        asked = [
            pack for pack in self._packs if chosen is None or pack.name in chosen
        ] or self._packs
        return SettingsPanel(
            server=servers.server(conn, guild_id),
            dailies=tuple(self._schedules.statuses(conn, guild_id)),
            recap=self._recaps.status(conn, guild_id),
            packs=tuple(
                PackChoice(p.name, p.bank.title, len(p.bank.asked), p in asked) for p in self._packs
            ),
            milestones=len(milestones_store.of_server(conn, guild_id)),
            teams=len(teams_of(conn, guild_id)),
            now=self._now(),
        )
