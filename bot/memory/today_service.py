"""Members' days, for every screen that speaks of what is to do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date, datetime

from bot.answers import store as answers_store
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection
from bot.members.streak_service import Streaks
from bot.memory import store
from bot.memory.model import Plan, Practised, Today
from bot.memory.service import knowledge
from bot.memory.today import WINDOW, DayFacts, today

Planned = Callable[[Connection, int, date], Plan | None]
"""Returns a member's plan; None without one, or if it is over on a date."""
Unanswered = Callable[[Connection, int, int, datetime], Sequence[tuple[int, str]]]
"""Returns ids and names of a server's open dailies that a member has not answered."""
Elsewhere = Callable[[Connection, int, datetime], Sequence[tuple[str, str]]]
"""Returns names and links of those on all servers where a member plays."""
HasReminder = Callable[[Connection, int], object]
"""Returns something truthy if a member has ever set a reminder."""


class Days:
    """Tells what members' days hold; other features answer the questions about their part of it."""

    def __init__(
        self,
        context: Context,
        streaks: Streaks,
        planned: Planned,
        unanswered: Unanswered,
        elsewhere: Elsewhere,
        has_reminder: HasReminder,
    ) -> None:
        self._context = context
        self._database = context.database
        self._streaks = streaks
        self._planned = planned
        self._unanswered = unanswered
        self._elsewhere = elsewhere
        self._has_reminder = has_reminder

    async def today(self, user_id: int, guild_id: int | None) -> Today:
        """Return what a member's day holds; with a server, its open dailies too."""
        facts = await self._database.read(self.facts, user_id, guild_id)
        return await compute(guild_id or user_id, today, facts)

    def facts(self, conn: Connection, user_id: int, guild_id: int | None) -> DayFacts:
        """Read what a member's day is computed from."""
        known = knowledge(conn, self._context, user_id, guild_id)
        found = answers_store.practised_since(conn, user_id, known.midnight - WINDOW)
        practised = [Practised(*answer) for answer in found]
        done = {answer.item_id for answer in practised if answer.at >= known.midnight}
        dailies: Sequence[tuple[int, str]] = ()
        elsewhere: Sequence[tuple[str, str]] = ()
        if guild_id is None:
            elsewhere = self._elsewhere(conn, user_id, known.now)
        else:
            dailies = self._unanswered(conn, guild_id, user_id, known.now)
        plan = self._planned(conn, user_id, known.today)
        topics_in_play: Collection[str] = ()
        if plan is not None and plan.is_last_third(known.today):
            topics_in_play = self._context.in_play.topics(conn, user_id, guild_id)
        facts = DayFacts(
            known=known,
            practised=practised,
            missed_before=store.missed_before(conn, user_id, done, known.midnight),
            plan=None,
            dailies=tuple(dailies),
            streak=self._streaks.of(conn, user_id, guild_id),
            may_remind=not self._has_reminder(conn, user_id),
            elsewhere=tuple(elsewhere),
            topics_in_play=topics_in_play,
        )
        return facts.with_plan(plan)
