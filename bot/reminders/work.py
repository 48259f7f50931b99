"""Reminders, sent when they come due: at most once a day, and only if something is due."""

from __future__ import annotations

import logging
from typing import Any, Protocol

from bot.core import time as time_rules
from bot.core.context import Context
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.core.jobs import Worker
from bot.core.time import Rule
from bot.core.zones import ScheduleError
from bot.memory import rules as memory
from bot.memory import store as cards
from bot.reminders import store
from bot.reminders.service import next_time
from bot.reminders.store import Reminder

log = logging.getLogger(__name__)


class Views(Protocol):
    """What a reminder shows; `bot.reminders.views`."""

    def reminder(self, due: int, /) -> Any: ...


class ReminderWork(Worker[Reminder]):
    """See the module."""

    queue = store.QUEUE

    def __init__(self, context: Context, views: Views) -> None:
        super().__init__(context)
        self._bank = context.bank
        self._sender = context.sender
        self._views = views

    def load(self, conn: Connection, key: int, /) -> Reminder | None:
        return store.get(conn, key)

    async def step(self, row: Reminder) -> None:
        """Remind one member; the next time is stored before anything is sent."""
        waiting = await self._database.write(self._claim, row.user_id)
        if not waiting:
            return
        try:
            await self._sender.write_to(row.user_id, self._views.reminder(waiting), None)
        except DeliveryUnknown as error:
            log.warning("a reminder may not have arrived: %s", error)
        except DeliveryRefused as error:
            await self.give_up(row.user_id, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        log.info("a reminder stops: %s", reason)
        await self._database.write(store.stop, key, reason)

    def _claim(self, conn: Connection, user_id: int) -> int:
        """Move a reminder that is due to tomorrow; how many questions to remind of, 0 to send nothing."""
        now = self._now()
        reminder = store.get(conn, user_id)
        if reminder is None or reminder.next_at is None or reminder.next_at > now:
            return 0
        try:
            next_at = next_time(Rule(time_rules.parse_time(reminder.at), reminder.zone), now)
        except ScheduleError as error:  # a zone that the installed data no longer has
            store.stop(conn, user_id, str(error))
            return 0
        late = now - reminder.next_at > time_rules.CATCH_UP
        if not store.move_on(conn, reminder, next_at) or late:
            return 0
        known = {i: card for i, card in cards.cards_of(conn, user_id).items() if i in self._bank.items}
        return len(memory.due_items(known, reminder.zone, now))
