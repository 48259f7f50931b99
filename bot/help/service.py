"""The first steps that a member has taken, which decide what /help suggests."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.answers import store as answers_store
from bot.answers.store import DAILY
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.daily import store as daily_store
from bot.daily.schedule_store import schedules_of
from bot.help.rules import Done, Step
from bot.members.store import zone_of
from bot.memory.service import knowledge

Probe = Callable[[Connection, int], object]
"""Return something truthy if the member with this id has taken a step."""


class Help:
    """Finds out the steps that a member has taken; `probes` check those of other features."""

    def __init__(self, context: Context, probes: Mapping[Step, Probe]) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._probes = probes

    @reading
    def done(self, conn: Connection, user_id: int, guild_id: int | None, *, manages: bool) -> Done:
        """Return the steps that a member has taken, for a server or for direct messages."""
        zone = zone_of(conn, user_id, guild_id)
        bank = self._banks.of_member(conn, user_id, guild_id)
        taken = {step: bool(probe(conn, user_id)) for step, probe in self._probes.items()}
        set_up = today = played = None
        if guild_id is not None:
            set_up = bool(schedules_of(conn, guild_id)) if manages else None
            today = self._answered_today(conn, guild_id, user_id)
            played = taken[Step.PLAY]
        return Done(
            set_up=set_up,
            today=today,
            played=played,
            practised=taken[Step.PRACTISE],
            due=len(knowledge(conn, user_id, bank, zone, self._now()).due()),
            planned=taken[Step.PLAN],
            interviewed=taken[Step.INTERVIEW],
            reminded=taken[Step.REMIND],
        )

    def _answered_today(self, conn: Connection, guild_id: int, user_id: int) -> bool | None:
        """Return whether a member has answered all open dailies; None if none is open."""
        found = daily_store.open_now(conn, guild_id, self._now())
        given = [answers_store.get(conn, DAILY, daily.id, user_id) for daily in found]
        return None not in given if given else None
