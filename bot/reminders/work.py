"""Sending reminders: at most one a day, only if something is due, and never many at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from bot.core.calendar import CATCH_UP, Rule, next_occurrence, parse_time
from bot.core.context import Context
from bot.core.database import Connection
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown
from bot.core.jobs import Worker
from bot.core.tables import values_of
from bot.memory.service import knowledge
from bot.plan.rules import Goal
from bot.plan.service import Plans
from bot.practice.store import last_asked
from bot.reminders import rules, store
from bot.reminders.store import Reminder

log = logging.getLogger(__name__)

_CLOSED = (
    "Your practice reminders are paused because Discord won't let me message you. Allow direct messages from a "
    "server we share, then turn them back on with </remind>."
)
_IGNORED = "Your practice reminders are paused because you didn't use the last ten. Turn them back on with </remind>."


class Views(Protocol):
    """Makes the message of a reminder, as `bot.reminders.views` does."""

    def reminder(self, due: int, goal: Goal | None, /, *, last: bool) -> Any: ...


class Claimed(NamedTuple):
    """A reminder to send: the row before it was claimed, and the row after.

    `due` counts the questions that are due; `goal` is the day's goal of a member with a plan.
    """

    before: Reminder
    after: Reminder
    due: int
    goal: Goal | None


class ReminderWork(Worker[Reminder]):
    """Sends reminders one at a time with pauses, because most are due on the hour."""

    queue = store.QUEUE

    def __init__(self, context: Context, plans: Plans, views: Views) -> None:
        super().__init__(context)
        self._plans = plans
        self._views = views
        self._paused_until = datetime.min.replace(tzinfo=UTC)

    def load(self, conn: Connection, key: int, /) -> Reminder | None:
        return store.get(conn, key)

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        return [] if now < self._paused_until else super().due(conn, now, 1)

    def next_due(self, conn: Connection, /) -> datetime | None:
        at = super().next_due(conn)
        return at and max(at, self._paused_until)

    async def step(self, row: Reminder) -> None:
        """Remind one member. The next time is stored before anything is sent."""
        self._pause(timedelta(minutes=1) / self._context.shards.share_of(rules.SENT_A_MINUTE))
        claimed = await self._database.write(self._claim, row.user_id)
        if claimed is not None:
            await self._send(claimed)

    async def give_up(self, key: int, reason: str) -> None:
        """Skip today's reminder; the next one comes tomorrow."""
        log.error("a reminder is skipped today: %s", reason)
        tomorrow = self._now() + timedelta(days=1)
        reminder = await self._database.read(store.get, key)
        if reminder is not None:
            await self._database.write(store.change, reminder, next_at=tomorrow)

    async def _send(self, claimed: Claimed) -> None:
        reminder = claimed.after
        if reminder.channel_id is None:
            self._pause(timedelta(minutes=1) / self._context.shards.share_of(rules.OPENED_A_MINUTE))
        message = self._views.reminder(claimed.due, claimed.goal, last=reminder.next_at is None)
        try:
            channel_id = await self._sender.write_to(reminder.user_id, message, reminder.channel_id)
        except DeliveryLater as error:
            log.info("reminders are paused: %s", error)
            self._pause(rules.RETRY_AFTER)
            again = replace(claimed.before, next_at=self._now() + rules.RETRY_AFTER)
            await self._change(reminder, again)
        except DeliveryUnknown as error:
            log.warning("a reminder may not have arrived: %s", error)
        except DeliveryRefused as error:
            log.info("a reminder was refused: %s", error)
            if error.what == "closed":
                await self._change(reminder, replace(reminder, next_at=None, problem=_CLOSED))
            elif error.what == "channel":
                await self._change(reminder, replace(reminder, channel_id=None))
        else:
            await self._change(reminder, replace(reminder, channel_id=channel_id))

    async def _change(self, before: Reminder, after: Reminder) -> None:
        await self._database.write(store.change, before, **values_of(after))

    def _pause(self, length: timedelta) -> None:
        self._paused_until = max(self._paused_until, self._now() + length)

    def _claim(self, conn: Connection, user_id: int) -> Claimed | None:
        """Store a due reminder's next time, or that it stops; None if there is nothing to send."""
        now = self._now()
        before = store.get(conn, user_id)
        if before is None or before.next_at is None or before.next_at > now:
            return None
        _, next_at = next_occurrence(Rule(parse_time(before.at), before.zone), after=now)
        bank = self._banks.of_member(conn, user_id, None)
        known = knowledge(conn, user_id, bank, before.zone, now)
        due = len(known.due())
        goal = self._plans.goal(conn, user_id, known)
        nothing_to_do = not due if goal is None else not goal.share.left
        if nothing_to_do or now - before.next_at > CATCH_UP:
            store.change(conn, before, next_at=next_at)
            return None
        ignored = rules.ignored_now(before.ignored, before.sent_at, last_asked(conn, user_id))
        sent = replace(before, next_at=next_at, sent_at=now, ignored=ignored)
        if ignored >= rules.MAX_IGNORED:
            sent = replace(sent, next_at=None, problem=_IGNORED)
        if not store.change(conn, before, **values_of(sent)):
            return None
        return Claimed(before, sent, due, goal)
