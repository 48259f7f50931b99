"""The settings of a server.

Each change is stored by itself, so that two managers who change different settings at once don't
overwrite each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.daily.schedule_service import Schedules
from bot.members.store import teams_of
from bot.milestones import store as milestones_store
from bot.questions import store as questions_store
from bot.questions.model import Topic
from bot.questions.week import topic_of_week
from bot.recap.service import Recaps
from bot.settings.model import PackChoice, SettingsPanel


class ServerSettings:
    """Reads and changes the settings of servers."""

    def __init__(self, context: Context, schedules: Schedules, recaps: Recaps) -> None:
        self._database = context.database
        self._now = context.now
        self._banks = context.banks
        self._packs = context.banks.packs.packs
        self._schedules = schedules
        self._recaps = recaps

    async def set_zone(self, guild_id: int, zone: str) -> SettingsPanel:
        """Change a server's time zone; its dailies keep their time of day."""
        await self._schedules.set_zone(guild_id, zone)
        return await self.read(guild_id)

    async def set_starters(self, guild_id: int, role_id: int | None) -> SettingsPanel:
        """Let only members with a role start rounds, or everyone for None.

        @everyone counts as None. Its role id is the server's id:
        https://discord.com/developers/docs/topics/permissions#role-object
        """
        role_id = None if role_id == guild_id else role_id
        await self._database.write(servers.set_starter_role, guild_id, role_id)
        return await self.read(guild_id)

    async def announce_suggestions(self, guild_id: int, channel_id: int | None) -> SettingsPanel:
        """Announce suggested questions in a channel, or nowhere for None."""
        await self._database.write(servers.set_suggestions_channel, guild_id, channel_id)
        return await self.read(guild_id)

    async def set_packs(self, guild_id: int, names: Collection[str]) -> SettingsPanel:
        """Ask only these packs. Choosing all of them includes packs that are added later."""
        chosen = [pack.name for pack in self._packs if pack.name in names]
        if not chosen:
            raise UserError("I don't know these packs. Pick some from the list in </settings>.")
        stored = None if len(chosen) == len(self._packs) else chosen
        await self._database.write(questions_store.set_packs, guild_id, stored)
        return await self.read(guild_id)

    @reading
    def find_topics(
        self, conn: Connection, guild_id: int, typed: str
    ) -> tuple[Sequence[Topic], bool]:
        """Return the topics with questions that fit what was typed, and whether it names one of them.

        If none has all of its words, those with the nearest titles are returned.
        """
        bank = self._banks.of(conn, guild_id)
        titles = {t.title.casefold(): t for t in bank.asked_topics.values() if t.items}
        wanted = " ".join(typed.casefold().split())
        if wanted in titles:
            return [titles[wanted]], True
        found = [topic for topic in bank.search(typed) if topic.items]
        near = [] if found else get_close_matches(wanted, titles, cutoff=0.4)
        return found or [titles[title] for title in near], len(found) == 1

    async def set_topic_of_week(self, guild_id: int, topic_id: str | None) -> SettingsPanel:
        """Make a topic the topic of the week from today on, or end it for None."""
        await self._store_topic_of_week(guild_id, topic_id)
        return await self.read(guild_id)

    @writing
    def _store_topic_of_week(self, conn: Connection, guild_id: int, topic_id: str | None) -> None:
        topic = self._banks.of(conn, guild_id).asked_topics.get(topic_id or "")
        if topic_id is not None and (topic is None or not topic.items):
            raise UserError(
                "That topic has no questions here now. Choose another one in </settings>."
            )
        today = local_date(servers.zone(conn, guild_id), self._now())
        servers.set_topic_of_week(conn, guild_id, topic_id, today)

    async def set_recap(self, guild_id: int, channel_id: int | None, weekday: int) -> SettingsPanel:
        """Post the weekly recap in a channel on a day, 0 for Monday, or turn it off for None."""
        await self._recaps.set(guild_id, channel_id, weekday)
        return await self.read(guild_id)

    @reading
    def read(self, conn: Connection, guild_id: int) -> SettingsPanel:
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
            week=topic_of_week(conn, self._banks.of(conn, guild_id), guild_id, self._now()),
        )
