"""The daily reminder to practise: off until a member turns it on, and sent at most once a day."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from bot.core.calendar import CATCH_UP, Rule, local_date, next_occurrence, parse_time
from bot.core.computing import OURS, compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import DeliveryLater, DeliveryRefused, DeliveryUnknown, UserError
from bot.core.jobs import Worker
from bot.core.limits import REMINDERS_A_DAY
from bot.core.member_hashes import count_up
from bot.core.tables import values_of
from bot.core.zones import stored_zone
from bot.members.service import choose_zone
from bot.members.store import known_zone, zone_of
from bot.members.streak_store import ask_on
from bot.memory.model import Today
from bot.memory.today import DayFacts, today
from bot.memory.today_service import Days
from bot.reminders import store
from bot.reminders import views as view
from bot.reminders.model import Reminder
from bot.reminders.rules import yesterday

log = logging.getLogger(__name__)

MAX_IGNORED = 10
"""After this many ignored reminders in a row, one more is sent, the last."""
LEAST_APART = timedelta(hours=12)
"""The least time from one reminder to the next. A late one is less late than this."""
SENT_A_MINUTE = 60
OPENED_A_MINUTE = 15
"""New direct message channels. Discord blocks bots that open many of them quickly:
https://discord.com/developers/docs/resources/user#create-dm
"""
RETRY_AFTER = timedelta(minutes=5)
"""The pause after Discord refused to open another channel for now."""
_CLOSED = (
    "Your reminder is off because Discord won't let me message you. Allow direct messages from a "
    "server we share first."
)
_IGNORED = "Your reminder is off because you didn't use the last ten."


class Reminders:
    """Changes reminders. They come at a time of day in the zone that the member's days follow."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._scheduler = context.scheduler
        self._now = context.now

    @reading
    def get(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Reminder | None, str | None]:
        """Return a member's reminder, None if they never set one, and their time zone, if known."""
        return store.get(conn, user_id), known_zone(conn, user_id, guild_id)

    async def set(
        self, user_id: int, guild_id: int | None, at: str | None, zone: str | None = None
    ) -> tuple[Reminder, str]:
        """Turn a member's reminder on, or change it, and return it with their time zone.

        Without a time it comes at the present one. Without a zone, the one that their days follow
        stays. A day with a reminder gets no second one.
        """
        now = self._now()

        def save(conn: Connection) -> tuple[Reminder, str]:
            if not count_up(conn, "reminders", user_id, now.date(), REMINDERS_A_DAY):
                raise UserError(
                    f"You've set your reminder {REMINDERS_A_DAY} times today, which is the most in a day. "
                    "Set it again tomorrow; the day ends at midnight UTC."
                )
            chosen = choose_zone(conn, user_id, guild_id, zone)
            local = now.astimezone(stored_zone(chosen)).time()
            time = local.replace(second=0, microsecond=0) if at is None else parse_time(at)
            before = store.get(conn, user_id) or Reminder(user_id, "", None)
            taken = [local_date(chosen, before.sent_at)] if before.sent_at else []
            _, next_at = next_occurrence(Rule(time, chosen), after=now, taken=taken)
            reminder = replace(before, at=f"{time:%H:%M}", next_at=next_at, problem=None, ignored=0)
            store.save(conn, reminder)
            return reminder, chosen

        reminder, chosen = await self._database.write(save)
        self._scheduler.nudge(reminder.next_at or now)
        return reminder, chosen

    @writing
    def turn_off(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Reminder | None, str | None]:
        """Send no reminders until the member turns them on; return what `get` returns."""
        reminder = store.get(conn, user_id)
        if reminder is not None:
            reminder = replace(reminder, next_at=None, problem=None)
            store.save(conn, reminder)
        return reminder, known_zone(conn, user_id, guild_id)

    async def take_problem(
        self, user_id: int, guild_id: int | None
    ) -> tuple[Reminder, str | None] | None:
        """Return what `get` returns if a member hasn't read yet why their reminder turned itself off."""
        reminder, zone = await self.get(user_id, guild_id)
        if reminder is None or reminder.problem is None:
            return None
        # `change` and not `save`: the row may have been erased in between
        await self._database.write(store.change, reminder, problem=None)
        return reminder, zone


class ReminderWork(Worker[Reminder]):
    """Sends reminders one at a time with pauses, because most are due on the hour."""

    queue = store.QUEUE

    def __init__(self, context: Context, days: Days) -> None:
        super().__init__(context)
        self._days = days
        self._paused_until = datetime.min.replace(tzinfo=UTC)

    def load(self, conn: Connection, key: int, /) -> Reminder | None:
        return store.get(conn, key)

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        return super().due(conn, now, 1)  # `next_due` waits for the end of a pause

    def next_due(self, conn: Connection, /) -> datetime | None:
        at = super().next_due(conn)
        return at and max(at, self._paused_until)

    async def step(self, row: Reminder) -> None:
        """Remind one member. The next time is stored before anything is sent.

        If the member or another process changes the reminder before that, nothing is done; the
        scheduler comes again.
        """
        self._pause(timedelta(minutes=1) / self._context.shards.share_of(SENT_A_MINUTE))
        found = await self._database.read(self._find_due, row.user_id)
        if found is None:
            return
        day = await compute(OURS, today, found.facts)
        is_sent = bool(day.to_do) and not found.late
        after = _after(found, is_sent=is_sent)
        if await self._database.write(_claim, found.reminder, after) and is_sent:
            await self._send(found, after, day)

    async def give_up(self, key: int, reason: str) -> None:
        """Skip today's reminder; the next one comes tomorrow."""
        log.error("a reminder is skipped today: %s", reason)
        tomorrow = self._now() + timedelta(days=1)
        reminder = await self._database.read(store.get, key)
        if reminder is not None:
            await self._database.write(store.change, reminder, next_at=tomorrow)

    async def _send(self, found: _Due, reminder: Reminder, day: Today) -> None:
        if reminder.channel_id is None:
            self._pause(timedelta(minutes=1) / self._context.shards.share_of(OPENED_A_MINUTE))
        message = view.reminder(day, yesterday(found.facts))
        try:
            channel_id = await self._sender.write_to(reminder.user_id, message, reminder.channel_id)
        except DeliveryLater as error:
            log.info("reminders are paused: %s", error)
            self._pause(RETRY_AFTER)
            again = replace(found.reminder, next_at=self._now() + RETRY_AFTER)
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

    def _find_due(self, conn: Connection, user_id: int) -> _Due | None:
        """Return a due reminder with the facts that it is about; None if it is not due now."""
        now = self._now()
        reminder = store.get(conn, user_id)
        if reminder is None or reminder.next_at is None or reminder.next_at > now:
            return None
        return _Due(
            reminder,
            late=now - reminder.next_at > CATCH_UP,
            facts=self._days.facts(conn, user_id, None),
        )


class _Due(NamedTuple):
    """A due reminder, and what its member's day is computed from at that moment."""

    reminder: Reminder
    late: bool
    facts: DayFacts


def _after(found: _Due, *, is_sent: bool) -> Reminder:
    """Return a reminder with its next time; it turns itself off if its member ignored too many."""
    before, now, zone = found.reminder, found.facts.known.now, found.facts.known.zone
    rule = Rule(parse_time(before.at), zone)
    day, next_at = next_occurrence(rule, after=now)
    if is_sent and next_at - now < LEAST_APART:  # the zone is new
        _, next_at = next_occurrence(rule, after=now, taken=[day])
    if not is_sent:
        return replace(before, next_at=next_at)
    practised = found.facts.practised
    used = before.sent_at is None or (practised and practised[-1].at >= before.sent_at)
    ignored = 0 if used else before.ignored + 1
    sent = replace(before, next_at=next_at, sent_at=now, ignored=ignored)
    return sent if ignored < MAX_IGNORED else replace(sent, next_at=None, problem=_IGNORED)


def _claim(conn: Connection, before: Reminder, after: Reminder) -> bool:
    """Store a reminder's next time, or that it is off; False if it has changed since."""
    if store.get(conn, before.user_id) != before:
        return False
    if after.sent_at is not None and after.sent_at != before.sent_at:
        zone = zone_of(conn, before.user_id, None)
        ask_on(conn, before.user_id, local_date(zone, after.sent_at))
    return store.change(conn, before, **values_of(after))
