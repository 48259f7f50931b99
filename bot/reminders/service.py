"""The daily reminder to practise, by direct message: off until a member wants it, sent only if something is due."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.core import time as time_rules
from bot.core.announcer import Announcer, DeliveryRefused, DeliveryUnknown, ReminderCard
from bot.core.database import Database
from bot.core.jobs import Key, Scheduler
from bot.core.time import Rule
from bot.core.zones import ScheduleError, parse_zone
from bot.memory import store as cards
from bot.practice import rules as practice
from bot.questions.model import Bank
from bot.reminders import store
from bot.reminders.store import Reminder

log = logging.getLogger(__name__)


class Reminders:
    """A source of the scheduler; see the module. `now` gives UTC."""

    def __init__(
        self,
        database: Database,
        bank: Bank,
        announcer: Announcer,
        scheduler: Scheduler,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._bank = bank
        self._announcer = announcer
        self._scheduler = scheduler
        self._now = now

    async def get(self, user_id: int) -> Reminder | None:
        return await self._database.read(store.get, user_id)

    async def set(self, user_id: int, guild_id: int | None, at: str, zone: str | None) -> Reminder:
        """Turn a member's reminder on or change it. Without a zone it keeps the one that the member's days follow."""
        time = time_rules.parse_time(at)
        now = self._now()

        def save(conn: Connection) -> Reminder:
            chosen = parse_zone(zone or cards.zone_of(conn, user_id, guild_id)).key
            next_at = _next(Rule(time, chosen), now)
            reminder = Reminder(user_id, f"{time:%H:%M}", chosen, next_at, None)
            store.save(conn, reminder)
            return reminder

        reminder = await self._database.write(save)
        self._scheduler.nudge(reminder.next_at or now)
        return reminder

    async def turn_off(self, user_id: int) -> bool:
        """Delete a member's reminder; False if there was none."""
        return await self._database.write(store.remove, user_id)

    async def due(self, now: datetime, limit: int) -> Sequence[Key]:
        return [(user_id,) for user_id in await self._database.read(store.due, now, limit)]

    async def next_due(self) -> datetime | None:
        return await self._database.read(store.next_due)

    async def work(self, key: Key) -> None:
        """Remind one member, at most once a day: the next time is stored before anything is sent."""
        user_id = int(key[0])
        waiting = await self._database.write(self._claim, user_id)
        if not waiting:
            return
        try:
            await self._announcer.send_reminder(user_id, ReminderCard(waiting))
        except DeliveryUnknown as error:
            log.warning("a reminder may not have arrived: %s", error)
        except DeliveryRefused as error:
            log.info("a reminder stops: %s", error)
            await self._database.write(store.stop, user_id, str(error))

    def _claim(self, conn: Connection, user_id: int) -> int:
        """Move a reminder that is due to tomorrow; how many questions to remind of, 0 to send nothing."""
        now = self._now()
        reminder = store.get(conn, user_id)
        if reminder is None or reminder.next_at is None or reminder.next_at > now:
            return 0
        try:
            next_at = _next(Rule(time_rules.parse_time(reminder.at), reminder.zone), now)
        except ScheduleError as error:  # a zone that the installed data no longer has
            store.stop(conn, user_id, str(error))
            return 0
        late = now - reminder.next_at > time_rules.CATCH_UP
        if not store.move_on(conn, reminder, next_at) or late:
            return 0
        known = {i: card for i, card in cards.cards_of(conn, user_id).items() if i in self._bank.items}
        return len(practice.due(known, reminder.zone, now))


def _next(rule: Rule, now: datetime) -> datetime:
    return time_rules.next_post(rule, after=now, taken=())[1]
