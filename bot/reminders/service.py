"""The daily reminder to practise, by direct message: off until a member wants it, sent only if something is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core import time as time_rules
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.time import Rule
from bot.core.zones import parse_zone
from bot.members import store as members
from bot.reminders import store
from bot.reminders.store import Reminder


class Reminders:
    """What members set; `bot.reminders.work` sends."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._scheduler = context.scheduler
        self._now = context.now

    @reading
    def get(self, conn: Connection, user_id: int) -> Reminder | None:
        return store.get(conn, user_id)

    async def set(self, user_id: int, guild_id: int | None, at: str, zone: str | None) -> Reminder:
        """Turn a member's reminder on or change it. Without a zone it keeps the one that the member's days follow."""
        time = time_rules.parse_time(at)
        now = self._now()

        def save(conn: Connection) -> Reminder:
            chosen = parse_zone(zone or members.zone_of(conn, user_id, guild_id)).key
            next_at = next_time(Rule(time, chosen), now)
            before = store.get(conn, user_id)
            channel_id = before.channel_id if before else None
            reminder = Reminder(user_id, f"{time:%H:%M}", chosen, next_at, channel_id=channel_id)
            store.save(conn, reminder)
            members.set_zone(conn, user_id, chosen)
            return reminder

        reminder = await self._database.write(save)
        self._scheduler.nudge(reminder.next_at or now)
        return reminder

    @writing
    def pause(self, conn: Connection, user_id: int) -> Reminder | None:
        """Send no more until the member resumes; None if they never wanted any."""
        reminder = store.get(conn, user_id)
        if reminder is not None:
            reminder = replace(reminder, next_at=None, problem=None)
            store.save(conn, reminder)
        return reminder

    async def resume(self, user_id: int) -> Reminder | None:
        """Go on at the time that was set; None if there is none."""
        before = await self.get(user_id)
        return before and await self.set(user_id, None, before.at, before.zone)

    async def take_problem(self, user_id: int) -> str | None:
        """Why a member's reminder paused itself, if they have not been told yet."""
        reminder = await self.get(user_id)
        if reminder is None or reminder.problem is None:
            return None
        await self._database.write(
            store.change, reminder, problem=None
        )  # not saved anew: it may have been erased
        return reminder.problem


def next_time(rule: Rule, now: datetime) -> datetime:
    """The first time of a rule after now."""
    return time_rules.next_post(rule, after=now, taken=())[1]
