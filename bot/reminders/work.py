"""Sending reminders: at most one a day, only if something is due, and never many at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from msgspec.structs import replace

from bot.core.calendar import CATCH_UP, Rule, next_occurrence, parse_time
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown
from bot.core.jobs import Worker
from bot.core.tables import values_of
from bot.memory.progress import Knowledge
from bot.memory.service import knowledge
from bot.plan.model import DayShare
from bot.plan.service import Course, Plans
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

    def reminder(self, due: int, goal: DayShare | None, /, *, last: bool) -> Any: ...


class Claimed(NamedTuple):
    """A due reminder: the row before it is claimed, and the row after.

    `due` counts the questions that are due; `goal` is the day's share of a member with a plan.
    """

    before: Reminder
    after: Reminder
    due: int
    goal: DayShare | None
    is_sent: bool = True


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
        """Remind one member. The next time is stored before anything is sent.

        If the member or another process changes the reminder before that, nothing is done; the
        scheduler comes again.
        """
        self._pause(timedelta(minutes=1) / self._context.shards.share_of(rules.SENT_A_MINUTE))
        found = await self._database.read(self._look, row.user_id)
        if found is None:
            return
        claimed = await compute(_claimed, found)
        if await self._database.write(_claim, claimed) and claimed.is_sent:
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

    def _look(self, conn: Connection, user_id: int) -> _Due | None:
        """Return a due reminder with the facts that it is about; None if it is not due now."""
        now = self._now()
        reminder = store.get(conn, user_id)
        if reminder is None or reminder.next_at is None or reminder.next_at > now:
            return None
        bank = self._banks.of_member(conn, user_id, None)
        return _Due(
            reminder,
            late=now - reminder.next_at > CATCH_UP,
            known=knowledge(conn, user_id, bank, reminder.zone, now),
            course=self._plans.course(conn, user_id, reminder.zone, now),
            practised_at=last_asked(conn, user_id),
        )


class _Due(NamedTuple):
    """A due reminder, and what its member knows and plans at that moment."""

    reminder: Reminder
    late: bool
    known: Knowledge
    course: Course | None
    practised_at: datetime | None


def _claimed(found: _Due) -> Claimed:
    """Return a reminder with its next time; it stops if its member ignored too many.

    It is not sent if it is late or there is nothing to do.
    """
    before, now = found.reminder, found.known.now
    _, next_at = next_occurrence(Rule(parse_time(before.at), before.zone), after=now)
    due, goal = 0, None
    if not found.late:
        due = len(found.known.due())
        goal = None if found.course is None else found.course.share(found.known)
    nothing_to_do = not due if goal is None else not goal.left
    if found.late or nothing_to_do:
        return Claimed(before, replace(before, next_at=next_at), due, goal, is_sent=False)
    ignored = rules.ignored_now(before.ignored, before.sent_at, found.practised_at)
    sent = replace(before, next_at=next_at, sent_at=now, ignored=ignored)
    if ignored >= rules.MAX_IGNORED:
        sent = replace(sent, next_at=None, problem=_IGNORED)
    return Claimed(before, sent, due, goal)


def _claim(conn: Connection, claimed: Claimed) -> bool:
    """Store a reminder's next time, or that it stops; False if it has changed since."""
    before = claimed.before
    if store.get(conn, before.user_id) != before:
        return False
    return store.change(conn, before, **values_of(claimed.after))
