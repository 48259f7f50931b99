"""The steps that /help suggests to a member, and where the hello was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

from bot.answers import store as answers_store
from bot.answers.store import DAILY
from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.daily import store as daily_store
from bot.daily.schedule_store import schedules_of
from bot.members.store import zone_of
from bot.memory.service import knowledge

MOST_STEPS = 3


class HelpStep(StrEnum):
    """A step that /help can suggest, in the order of suggestion."""

    SET_UP = "set up"
    TODAY = "today"
    PLAY = "play"
    PRACTISE = "practise"
    PLAN = "plan"
    INTERVIEW = "interview"
    REMIND = "remind"


Probe = Callable[[Connection, int], object]
"""Return something truthy if the member with this id has taken a step."""


class Help:
    """Finds out what is next for a member; `probes` check the steps of other features."""

    def __init__(self, context: Context, probes: Mapping[HelpStep, Probe]) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._probes = probes

    @reading
    def next_steps(
        self, conn: Connection, user_id: int, guild_id: int | None, *, manages: bool
    ) -> tuple[list[HelpStep], int]:
        """Return up to three steps that are due or were never taken, and how many items are due.

        Without any, it is what a member can always do. `guild_id=None` is for direct messages.
        """
        zone = zone_of(conn, user_id, guild_id)
        bank = self._banks.of_member(conn, user_id, guild_id)
        due = len(knowledge(conn, user_id, bank, zone, self._now()).due())
        wanted = {step: not probe(conn, user_id) for step, probe in self._probes.items()}
        wanted[HelpStep.PRACTISE] |= due > 0
        if guild_id is None:
            wanted[HelpStep.PLAY] = False
        else:
            wanted[HelpStep.SET_UP] = manages and not schedules_of(conn, guild_id)
            wanted[HelpStep.TODAY] = self._has_unanswered(conn, guild_id, user_id)
        steps = [step for step in HelpStep if wanted.get(step)] or [
            HelpStep.PRACTISE,
            HelpStep.INTERVIEW,
        ]
        return steps[:MOST_STEPS], due

    def _has_unanswered(self, conn: Connection, guild_id: int, user_id: int) -> bool:
        """Return whether a daily is open that a member has not answered."""
        return any(
            answers_store.get(conn, DAILY, daily.id, user_id) is None
            for daily in daily_store.open_now(conn, guild_id, self._now())
        )

    @writing
    def said_hello(self, conn: Connection, guild_id: int, channel_id: int) -> None:
        """Announce suggestions where the hello was said, unless managers have chosen a channel."""
        if servers.server(conn, guild_id).suggestions_channel_id is None:
            servers.set_suggestions_channel(conn, guild_id, channel_id)
