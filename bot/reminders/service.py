"""The daily reminder to practise. It is off until a member turns it on."""

from __future__ import annotations

from msgspec.structs import replace

from bot.core.calendar import Rule, next_occurrence, parse_time
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.members.service import choose_zone
from bot.reminders import store
from bot.reminders.store import Reminder


class Reminders:
    """Changes reminders; `bot.reminders.work` sends them."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._scheduler = context.scheduler
        self._now = context.now

    @reading
    def get(self, conn: Connection, user_id: int) -> Reminder | None:
        return store.get(conn, user_id)

    async def set(self, user_id: int, guild_id: int | None, at: str, zone: str | None) -> Reminder:
        """Turn a member's reminder on, or change it.

        Without a zone it uses the one that the member's days follow.
        """
        time = parse_time(at)
        now = self._now()

        def save(conn: Connection) -> Reminder:
            chosen = choose_zone(conn, user_id, guild_id, zone)
            _, next_at = next_occurrence(Rule(time, chosen), after=now)
            before = store.get(conn, user_id)
            channel_id = before.channel_id if before else None
            reminder = Reminder(user_id, f"{time:%H:%M}", chosen, next_at, channel_id=channel_id)
            store.save(conn, reminder)
            return reminder

        reminder = await self._database.write(save)
        self._scheduler.nudge(reminder.next_at or now)
        return reminder

    @writing
    def pause(self, conn: Connection, user_id: int) -> Reminder | None:
        """Send no reminders until the member resumes them; None if they never set one."""
        reminder = store.get(conn, user_id)
        if reminder is not None:
            reminder = replace(reminder, next_at=None, problem=None)
            store.save(conn, reminder)
        return reminder

    async def resume(self, user_id: int) -> Reminder | None:
        """Send reminders again at the time that was set; None if there is none."""
        before = await self.get(user_id)
        return before and await self.set(user_id, None, before.at, before.zone)

    async def take_problem(self, user_id: int) -> str | None:
        """Return why a member's reminder paused itself, unless they have been told already."""
        reminder = await self.get(user_id)
        if reminder is None or reminder.problem is None:
            return None
        # `change` and not `save`: the row may have been erased in between
        await self._database.write(store.change, reminder, problem=None)
        return reminder.problem
