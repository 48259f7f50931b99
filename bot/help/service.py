"""The steps that /help suggests to a member, and where the hello was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, writing
from bot.daily.schedule_store import schedules_of
from bot.memory.model import Today
from bot.memory.today_service import Days

MOST_STEPS = 3


class HelpStep(StrEnum):
    """A step that /help can suggest, in the order of suggestion."""

    REVIEW = "review"
    SET_UP = "set up"
    DAILY = "daily"
    TRY = "try"
    PRACTISE = "practise"
    PLAY = "play"
    PLAN = "plan"
    INTERVIEW = "interview"
    REMIND = "remind"


Probe = Callable[[Connection, int], object]
"""Return something truthy if the member with this id has taken a step."""
Waiting = Callable[[Connection, int], bool]
"""Return whether something waits for a server's managers."""


class Help:
    """Finds out what is next for a member; `probes` check the steps of other features."""

    def __init__(
        self, context: Context, days: Days, probes: Mapping[HelpStep, Probe], waiting: Waiting
    ) -> None:
        self._database = context.database
        self._days = days
        self._probes = probes
        self._waiting = waiting

    async def next_steps(
        self, user_id: int, guild_id: int | None, *, manages: bool
    ) -> tuple[list[HelpStep], Today]:
        """Return up to three steps, and what the member's day holds.

        These are the steps to take today, then those never taken, then what can always be done.
        `guild_id=None` is for direct messages.
        """
        day = await self._days.today(user_id, guild_id)
        taken = await self._database.read(self._taken, user_id, guild_id)
        is_new = taken.isdisjoint({HelpStep.TRY, HelpStep.PLAN})
        wanted = set(HelpStep) - taken
        for step, is_possible in {
            HelpStep.REVIEW: manages and guild_id is not None,
            HelpStep.SET_UP: manages and guild_id is not None,
            HelpStep.DAILY: bool(day.dailies),
            HelpStep.TRY: is_new,
            HelpStep.PRACTISE: day.to_do > 0 and not is_new,
            HelpStep.PLAY: guild_id is not None,
            HelpStep.REMIND: day.may_remind,
        }.items():
            if not is_possible:
                wanted.discard(step)
        always = [HelpStep.INTERVIEW] if guild_id is None else [HelpStep.PLAY, HelpStep.INTERVIEW]
        steps = [step for step in HelpStep if step in wanted]
        return [*dict.fromkeys([*steps, *always])][:MOST_STEPS], day

    def _taken(self, conn: Connection, user_id: int, guild_id: int | None) -> set[HelpStep]:
        taken = {step for step, probe in self._probes.items() if probe(conn, user_id)}
        if guild_id is not None and schedules_of(conn, guild_id):
            taken.add(HelpStep.SET_UP)
        if guild_id is None or not self._waiting(conn, guild_id):
            taken.add(HelpStep.REVIEW)
        return taken

    @writing
    def said_hello(self, conn: Connection, guild_id: int, channel_id: int) -> None:
        """Announce suggestions where the hello was said, unless managers have chosen a channel."""
        if servers.server(conn, guild_id).suggestions_channel_id is None:
            servers.set_suggestions_channel(conn, guild_id, channel_id)
