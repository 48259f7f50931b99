"""What managers set for their server, and what members have done, for /help.

Each change is stored by itself, so that two managers at once lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.answers import store as answer_log
from bot.answers.store import DAILY
from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.servers import Server
from bot.daily import store as daily
from bot.daily.rules import DailyState
from bot.daily.service import Dailies, DailyStatus
from bot.members.store import zone_of
from bot.memory import store as cards
from bot.memory.rules import due_items
from bot.questions import store as questions
from bot.recap.service import Recaps, RecapStatus
from bot.servers.rules import Done, Step, meant_zone


@dataclass(frozen=True, slots=True)
class PackChoice:
    """A pack of questions, and whether it is asked on a server."""

    name: str
    title: str
    questions: int
    asked: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """All that is set on a server, with its daily, if it has one; `now` is when it was looked up."""

    server: Server
    daily: DailyStatus | None
    recap: RecapStatus
    packs: tuple[PackChoice, ...]
    now: datetime


class ServerSettings:
    """See the module."""

    def __init__(self, context: Context, dailies: Dailies, recaps: Recaps) -> None:
        self._database = context.database
        self._now = context.now
        self._packs = context.banks.packs.packs
        self._dailies = dailies
        self._recaps = recaps

    @reading
    def look(self, conn: Connection, guild_id: int) -> Settings:
        return self._look(conn, guild_id)

    async def set_zone(self, guild_id: int, zone: str) -> Settings:
        """Let a server go by another zone, as a manager named it; the daily comes at the same time of day there."""
        await self._dailies.set_zone(guild_id, meant_zone(zone))
        return await self.look(guild_id)

    @writing
    def set_starters(self, conn: Connection, guild_id: int, role_id: int | None) -> Settings:
        """Let everyone start rounds, or only members with a role; @everyone, whose id is the server's, is everyone."""
        servers.set_starter_role(conn, guild_id, None if role_id == guild_id else role_id)
        return self._look(conn, guild_id)

    @writing
    def announce_suggestions(
        self, conn: Connection, guild_id: int, channel_id: int | None
    ) -> Settings:
        """Announce suggested questions in a channel, or nowhere."""
        servers.set_suggestions_channel(conn, guild_id, channel_id)
        return self._look(conn, guild_id)

    @writing
    def set_packs(self, conn: Connection, guild_id: int, names: Collection[str]) -> Settings:
        """Ask these packs from now on; all of them stands for those that are still to come, too."""
        chosen = [pack.name for pack in self._packs if pack.name in names]
        if not chosen:
            raise UserError("I don't know these packs. Pick some from the list in </settings>.")
        questions.set_packs(conn, guild_id, None if len(chosen) == len(self._packs) else chosen)
        return self._look(conn, guild_id)

    async def set_recap(self, guild_id: int, channel_id: int | None) -> Settings:
        """Post the weekly recap in a channel, or none."""
        await self._recaps.set_channel(guild_id, channel_id)
        return await self.look(guild_id)

    async def set_recap_day(self, guild_id: int, weekday: int) -> Settings:
        """Post the weekly recap on another day."""
        await self._recaps.set_weekday(guild_id, weekday)
        return await self.look(guild_id)

    def _look(self, conn: Connection, guild_id: int) -> Settings:
        daily = self._dailies.status_if_set_up(conn, guild_id)
        recap, chosen = self._recaps.status(conn, guild_id), questions.packs_of(conn, guild_id)
        known = [
            pack for pack in self._packs if chosen is None or pack.name in chosen
        ] or self._packs
        packs = tuple(
            PackChoice(p.name, p.bank.title, len(p.bank.items), p in known) for p in self._packs
        )
        return Settings(servers.server(conn, guild_id), daily, recap, packs, self._now())


Probe = Callable[[Connection, int], object]
"""Something of a member's, by their id, that is there once they have taken a step."""


class Help:
    """What a member has done, for what /help names first; `probes` tell of the steps that other features keep."""

    def __init__(self, context: Context, probes: Mapping[Step, Probe]) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._probes = probes

    @reading
    def done(self, conn: Connection, user_id: int, guild_id: int | None, *, manages: bool) -> Done:
        """What a member has done, on a server or, without one, in direct messages."""
        now, zone = self._now(), zone_of(conn, user_id, guild_id)
        asked = self._banks.of_member(conn, user_id, guild_id).asked
        known = {
            item_id: card
            for item_id, card in cards.cards_of(conn, user_id).items()
            if item_id in asked
        }
        taken = {step: bool(probe(conn, user_id)) for step, probe in self._probes.items()}
        return Done(
            set_up=None
            if guild_id is None or not manages
            else daily.schedule(conn, guild_id) is not None,
            today=None if guild_id is None else _answered_today(conn, guild_id, user_id),
            played=None if guild_id is None else taken[Step.PLAY],
            practised=taken[Step.PRACTISE],
            due=len(due_items(known, zone, now, hidden=cards.suspended(conn, user_id))),
            planned=taken[Step.PLAN],
            interviewed=taken[Step.INTERVIEW],
            reminded=taken[Step.REMIND],
        )


def _answered_today(conn: Connection, guild_id: int, user_id: int) -> bool | None:
    """Whether a member has answered the question of the day that is open; None if none is."""
    found = daily.latest_posted(conn, guild_id)
    if found is None or found.state != DailyState.OPEN:
        return None
    return answer_log.get(conn, DAILY, found.id, user_id) is not None
