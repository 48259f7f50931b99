"""The question of the day, moved on by the scheduler: decide what is due, post, open the thread, close.

A daily is a row with a state (see `bot.core.schema`), one a server and local date; `work` takes one step from
whatever state it finds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.core import time as time_rules
from bot.core.announcer import (
    Announcer,
    DailyCard,
    DailyResult,
    DeliveryRefused,
    DeliveryUnknown,
    OpenDailyCard,
    OpenDailyResult,
)
from bot.core.database import Database
from bot.core.jobs import LEASE, Key, Scheduler
from bot.core.shards import ALL, Shards
from bot.core.sharing import alone
from bot.core.zones import ScheduleError
from bot.daily import open_store as open_answers
from bot.daily import store
from bot.daily.service import Dailies, rule_of
from bot.daily.store import Daily, Schedule
from bot.interviews.assessment import missed
from bot.questions import answers
from bot.questions.model import Bank
from bot.questions.outcome import outcome

log = logging.getLogger(__name__)

RETRY = time_rules.RETRY - timedelta(seconds=20)
"""Between tries to post where Discord refuses, with time for the try itself."""
_SOON = timedelta(seconds=5)
_STREAKS = _MISSED = 3
_OFFLINE = "I was offline at the time, and more than 6 hours late is too late."


class DailyWork:
    """A source of the scheduler; see the module."""

    def __init__(
        self,
        database: Database,
        bank: Bank,
        announcer: Announcer,
        scheduler: Scheduler,
        dailies: Dailies,
        now: Callable[[], datetime],
        shards: Shards = ALL,
    ) -> None:
        self._database = database
        self._bank = bank
        self._announcer = announcer
        self._scheduler = scheduler
        self._dailies = dailies
        self._now = now
        self._shards = shards

    async def recover(self) -> None:
        """At start-up: compute post times anew, since zone data may have changed, and take up what is half done.

        The latter not if another process runs, whose work it may be: the claims of a dead one run out by themselves.
        """
        now = self._now()

        def look_again(conn: Connection) -> None:
            for schedule in store.active_schedules(conn):
                taken = store.taken(conn, schedule.guild_id)
                try:
                    _, at = time_rules.next_post(rule_of(schedule), after=schedule.settled_until, taken=taken)
                except ScheduleError as error:  # a zone that the installed data no longer has
                    log.error("guild %s: its daily has no post time: %s", schedule.guild_id, error)
                    continue
                if at != schedule.next_at:
                    store.change_schedule(conn, schedule.guild_id, next_at=at)

        await self._database.write(lambda conn: store.wake_claimed(conn, now) if alone(conn) else 0)
        await self._database.write(look_again)

    async def due(self, now: datetime, limit: int) -> Sequence[Key]:
        def look(conn: Connection) -> list[Key]:
            posts: list[Key] = [
                ("schedule", guild_id) for guild_id in store.due_schedules(conn, now, limit, self._shards)
            ]
            return posts + [("daily", daily_id, state) for daily_id, state in store.due(conn, now, limit, self._shards)]

        return await self._database.read(look)

    async def next_due(self) -> datetime | None:
        return await self._database.read(store.next_due, self._shards)

    async def work(self, key: Key) -> None:
        """Decide about a server's post time, or take a daily one step further."""
        if key[0] == "schedule":
            await self._database.write(self._decide, int(key[1]))
            return
        daily = await self._database.read(store.get, int(key[1]))
        if daily is None or daily.state != key[2]:
            return
        try:
            match daily.state:
                case "posting":
                    await self._post(daily)
                case "threading":
                    await self._open_thread(daily)
                case "open" | "closing":
                    await self._close(daily)
        except DeliveryUnknown as error:
            log.warning("daily %s: %s; trying again", daily.id, error)
            await self._again(daily, str(error), _SOON)
        except DeliveryRefused as error:
            await self._refused(daily, error)

    def _decide(self, conn: Connection, guild_id: int) -> None:
        """Give every local date whose time has come its row: to be posted, or missed."""
        now = self._now()
        schedule = store.schedule(conn, guild_id, claim=True)
        if schedule is None or schedule.paused or schedule.next_at is None or schedule.next_at > now:
            return
        taken = store.taken(conn, guild_id)
        for due in time_rules.due(rule_of(schedule), now=now, since=schedule.settled_until, taken=taken):
            if due.late:
                store.create(conn, guild_id, due.day, state="missed", scheduled_at=due.at, problem=_OFFLINE)
                log.warning("guild %s: no daily on %s: %s", guild_id, due.day, _OFFLINE)
            else:
                values = self._dailies.new_daily(conn, schedule, due.day, scheduled_at=due.at, now=now)
                store.create(conn, guild_id, due.day, **values)
            taken.add(due.day)
        _, at = time_rules.next_post(rule_of(schedule), after=now, taken=taken)
        store.change_schedule(conn, guild_id, settled_until=now, next_at=at)

    def _miss(self, conn: Connection, daily: Daily) -> None:
        problem = daily.problem or _OFFLINE
        store.change(conn, daily.id, expect="posting", state="missed", due_at=None, problem=problem)
        log.warning("guild %s: no daily on %s: %s", daily.guild_id, daily.local_date, problem)

    async def _post(self, daily: Daily) -> None:
        now = self._now()
        too_late = now - daily.scheduled_at > time_rules.CATCH_UP

        def claim(conn: Connection) -> tuple[Daily, Schedule] | None:
            schedule = store.schedule(conn, daily.guild_id)
            gone = not self._known(daily) or daily.channel_id is None
            if schedule is None or gone or (too_late and daily.tried_at is None):
                self._miss(conn, daily)
                return None
            tried = daily.tried_at or now
            if not store.change(conn, daily.id, expect="posting", due_by=now, due_at=now + LEASE, tried_at=tried):
                return None
            return daily, schedule

        claimed = await self._database.write(claim)
        if claimed is None or daily.channel_id is None:
            return
        message_id = None
        if daily.tried_at is not None:  # tried before, with unknown outcome
            message_id = await self._announcer.find_daily(daily.channel_id, daily.id, daily.tried_at)
        if message_id is None and too_late:
            await self._database.write(self._miss, daily)
            return
        if message_id is None:
            message_id = await self._announcer.post_daily(daily.channel_id, self._card(*claimed))
        if await self._database.write(self._dailies.opened, daily, message_id):
            log.info("guild %s: daily of %s posted in channel %s", daily.guild_id, daily.local_date, daily.channel_id)

    async def _open_thread(self, daily: Daily) -> None:
        schedule = await self._database.read(store.schedule, daily.guild_id)
        if schedule is not None and self._known(daily):
            if not await self._claim(daily):
                return
            try:
                await self._announcer.open_thread(
                    daily.channel_id or 0, daily.message_id or 0, self._card(daily, schedule)
                )
            except (DeliveryUnknown, DeliveryRefused):
                raise
            except Exception as error:  # a thread is an extra: the question must not hang on it
                log.exception("daily %s: its thread failed", daily.id)
                raise DeliveryRefused("refused", "something unexpected happened; see the log.") from error
        await self._database.write(
            store.change, daily.id, expect="threading", state="open", due_at=daily.closes_at, problem=None
        )

    async def _close(self, daily: Daily) -> None:
        now = self._now()

        def claim(conn: Connection) -> bool:
            return store.change(conn, daily.id, expect=daily.state, due_by=now, state="closing", due_at=now + LEASE)

        if not await self._database.write(claim):
            return
        if self._known(daily):
            result = await self._database.read(self._result, daily)
            await self._announcer.close_daily(daily.channel_id or 0, daily.message_id or 0, result)
        problem = None if daily.state == "closing" else daily.problem  # a retry that succeeded has none
        await self._database.write(
            store.change, daily.id, expect="closing", state="closed", due_at=None, problem=problem
        )

    def _known(self, daily: Daily) -> bool:
        """Whether the bank still has what a daily asks."""
        return daily.item_id in self._bank.items or daily.topic_id in self._bank.topics

    def _result(self, conn: Connection, daily: Daily) -> DailyResult | OpenDailyResult:
        topic = self._bank.topics.get(daily.topic_id or "")
        if topic is not None:
            given = open_answers.outcome(conn, daily.id)
            return OpenDailyResult(
                daily_id=daily.id,
                topic=topic,
                day=daily.local_date,
                answered=len(given),
                percent=round(sum(points for _, points in given) / len(given)) if given else None,
                missed=tuple(missed((states for states, _ in given), [p.text for p in topic.key_points], _MISSED)),
                streaks=tuple(store.longest_streaks(conn, daily.id, _STREAKS)),
                guild_id=daily.guild_id,
            )
        item = self._bank.items[daily.item_id or ""]
        return DailyResult(
            daily_id=daily.id,
            item=item,
            order=answers.decode_order(daily.choice_order),
            day=daily.local_date,
            outcome=outcome(item, store.answers_to(conn, daily.id)),
            streaks=tuple(store.longest_streaks(conn, daily.id, _STREAKS)),
            guild_id=daily.guild_id,
        )

    async def _claim(self, daily: Daily) -> bool:
        now = self._now()
        return await self._database.write(store.change, daily.id, expect=daily.state, due_by=now, due_at=now + LEASE)

    async def _again(self, daily: Daily, problem: str, wait: timedelta, **values: Any) -> None:
        """Keep what went wrong, for status, and try later."""

        def note(conn: Connection) -> None:
            fresh = store.get(conn, daily.id)
            if fresh is not None and fresh.state in {"posting", "threading", "closing"}:
                store.change(conn, daily.id, expect=fresh.state, problem=problem, due_at=self._now() + wait, **values)

        await self._database.write(note)

    async def _refused(self, daily: Daily, error: DeliveryRefused) -> None:
        """Discord refused for good: a post is tried again while it is not too late; thread and close are given up."""
        log.warning("guild %s: daily of %s: %s", daily.guild_id, daily.local_date, error)
        if daily.state == "posting":
            await self._again(daily, str(error), RETRY, tried_at=None)  # refused, so surely not posted
        elif daily.state == "threading":
            problem = f"The question is posted, but not its thread: {error}"
            await self._database.write(
                store.change, daily.id, expect="threading", state="open", due_at=daily.closes_at, problem=problem
            )
        else:
            await self._database.write(
                store.change, daily.id, expect="closing", state="closed", due_at=None, problem=str(error)
            )

    def _card(self, daily: Daily, schedule: Schedule) -> DailyCard | OpenDailyCard:
        closes_at = time_rules.closes_at(self._now(), schedule.answer_hours)
        topic = self._bank.topics.get(daily.topic_id or "")
        if topic is not None:
            return OpenDailyCard(daily.id, topic, daily.local_date, closes_at, schedule.role_id, daily.guild_id)
        return DailyCard(
            daily_id=daily.id,
            item=self._bank.items[daily.item_id or ""],
            order=answers.decode_order(daily.choice_order),
            day=daily.local_date,
            closes_at=closes_at,
            role_id=schedule.role_id,
            guild_id=daily.guild_id,
        )
