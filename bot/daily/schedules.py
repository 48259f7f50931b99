"""Managers' part: setting up, pausing, posting and skipping the question of the day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import TypedDict, Unpack

from bot.core import calendar, servers
from bot.core.calendar import Rule
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.zones import parse_zone
from bot.daily import rules, store
from bot.daily.cards import DailyStatus, link
from bot.daily.rules import DailyState, Schedule
from bot.daily.service import Dailies
from bot.daily.weekdays import EVERY_DAY
from bot.questions.bank import check_topic


class NotSetUp(UserError):
    """The server has no question of the day."""


class Changes(TypedDict, total=False):
    """The settings that a manager changes, named like columns of `daily_schedules`."""

    channel_id: int
    at: str
    zone: str
    weekdays: str
    topic_id: str | None
    kind: str
    answer_hours: int
    role_id: int | None
    thread: bool


class Schedules:
    """Servers' schedules of the question of the day."""

    def __init__(
        self,
        context: Context,
        dailies: Dailies,
        on_zone_change: Sequence[Callable[[Connection, int], None]] = (),
    ) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._dailies = dailies
        self._on_zone_change = on_zone_change

    @reading
    def schedule(self, conn: Connection, guild_id: int) -> Schedule | None:
        return store.schedule(conn, guild_id)

    async def setup(self, guild_id: int, **changes: Unpack[Changes]) -> DailyStatus:
        """Set the daily up, or change the given settings, from the next undecided local date.

        The first set-up needs channel, time and zone. A paused daily stays paused.
        """
        if "at" in changes:
            changes["at"] = f"{calendar.parse_time(changes['at']):%H:%M}"
        if "zone" in changes:
            changes["zone"] = parse_zone(changes["zone"]).key
        if not changes.get("weekdays", EVERY_DAY):
            raise UserError("Pick at least one day of the week.")
        if changes.get("kind", "choice") not in rules.KINDS:
            raise UserError(
                "I don't know that kind of question. Pick one from the list in </daily setup>."
            )
        hours = changes.get("answer_hours", rules.DEFAULT_HOURS)
        if not rules.MIN_HOURS <= hours <= rules.MAX_HOURS:
            raise UserError(
                f"A question can stay open for {rules.MIN_HOURS} to {rules.MAX_HOURS} hours. Pick a number in between."
            )
        now = self._now()

        def store_change(conn: Connection) -> DailyStatus:
            check_topic(self._banks.of(conn, guild_id), changes.get("topic_id"))
            return self._change(conn, guild_id, changes, now)

        status = await self._database.write(store_change)
        self._scheduler.nudge(now)
        return status

    async def set_zone(self, guild_id: int, zone: str) -> None:
        """Set a server's time zone, which moves the post times of its daily and recap."""
        name = parse_zone(zone).key
        now = self._now()

        def change(conn: Connection) -> None:
            if store.schedule(conn, guild_id) is None:
                self._set_zone(conn, guild_id, name)
            else:
                self._change(conn, guild_id, {"zone": name}, now)

        await self._database.write(change)
        self._scheduler.nudge(now)

    def _change(
        self, conn: Connection, guild_id: int, changes: Changes, now: datetime
    ) -> DailyStatus:
        """Store changed settings, the next post time, and the channel of an unsent daily."""
        before = store.schedule(conn, guild_id)
        if before is None:
            missing = [words for name, words in rules.NEEDED.items() if name not in changes]
            if missing:
                needed = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
                raise NotSetUp(
                    f"I still need {needed} to start. Add what's missing with </daily setup>."
                )
            before = Schedule(
                guild_id=guild_id,
                channel_id=0,
                at="",
                zone="",
                topic_id=None,
                kind="choice",
                answer_hours=rules.DEFAULT_HOURS,
                role_id=None,
                thread=False,
                paused=False,
                settled_until=now,
                next_at=None,
            )
        schedule = replace(before, **changes)
        if "zone" in changes:
            self._set_zone(conn, guild_id, schedule.zone)
        if schedule.kind != "choice" and schedule.topic_id is not None:
            raise UserError(
                "Each topic has only one open question, so it would come up every time. Ask choice questions about it, "
                "or press All topics in </daily status> first."
            )
        if rule_of(schedule) != (rule_of(before) if before.at else None):
            next_at = None if schedule.paused else next_post(conn, schedule, now)[1]
            schedule = replace(schedule, settled_until=now, next_at=next_at)
        store.save_schedule(conn, schedule)
        store.redirect(conn, schedule, now)
        return _status(conn, guild_id, now)

    def _set_zone(self, conn: Connection, guild_id: int, zone: str) -> None:
        servers.set_zone(conn, guild_id, zone)
        for on_change in self._on_zone_change:
            on_change(conn, guild_id)

    async def post(self, guild_id: int) -> DailyStatus:
        """Post today's daily now; refuses if it is posted already."""
        now = self._now()

        def store_post(conn: Connection) -> DailyStatus:
            schedule = _scheduled(conn, guild_id)
            day = calendar.local_date(schedule.zone, now)
            existing = store.of_day(conn, guild_id, day)
            if existing is not None and existing.posted:
                raise UserError(f"The question of the day is already posted: {link(existing)}")
            if existing is not None and existing.state == DailyState.POSTING:
                store.change(conn, existing.id, expect=DailyState.POSTING, due_at=now)
            else:
                values = self._dailies.new_daily(conn, schedule, day, scheduled_at=now, now=now)
                if existing is not None:
                    store.change(conn, existing.id, expect=existing.state, **values)
                else:
                    store.create(conn, guild_id, day, **values)
            _recompute(conn, schedule, now)
            return _status(conn, guild_id, now)

        status = await self._database.write(store_post)
        self._scheduler.nudge(now)
        return status

    @writing
    def pause(self, conn: Connection, guild_id: int) -> DailyStatus:
        """Post nothing until `resume`."""
        if _scheduled(conn, guild_id).paused:
            raise UserError(
                "The question of the day is already paused. Bring it back with </daily resume>."
            )
        store.change_schedule(conn, guild_id, paused=True, next_at=None)
        store.give_up_unsent(conn, guild_id)
        return _status(conn, guild_id, self._now())

    async def resume(self, guild_id: int) -> DailyStatus:
        """End a pause; post times during the pause are skipped."""
        now = self._now()

        def store_resume(conn: Connection) -> DailyStatus:
            schedule = _scheduled(conn, guild_id)
            if not schedule.paused:
                raise UserError(
                    "The question of the day isn't paused. See </daily status> for the next one."
                )
            _, at = next_post(conn, schedule, now)
            store.change_schedule(conn, guild_id, paused=False, settled_until=now, next_at=at)
            return _status(conn, guild_id, now)

        status = await self._database.write(store_resume)
        self._scheduler.nudge(now)
        return status

    @writing
    def skip(self, conn: Connection, guild_id: int) -> tuple[datetime, DailyStatus]:
        """Skip the next daily; returns its post time, and the status with the one after it."""
        now = self._now()
        schedule = _scheduled(conn, guild_id)
        if schedule.paused:
            raise UserError(
                "The question of the day is paused, so there's nothing to skip. Use </daily resume> first."
            )
        day, at = next_post(conn, schedule, now)
        store.create(conn, guild_id, day, state=DailyState.SKIPPED, scheduled_at=at)
        _recompute(conn, schedule, now)
        return at, _status(conn, guild_id, now)

    def status_if_set_up(self, conn: Connection, guild_id: int) -> DailyStatus | None:
        """Return the schedule and the last posts; None if no daily is set up."""
        return _status(conn, guild_id, self._now()) if store.schedule(conn, guild_id) else None

    @reading
    def status(self, conn: Connection, guild_id: int) -> DailyStatus:
        """Return the schedule and the last posts; refuses if no daily is set up."""
        return _status(conn, guild_id, self._now())


def _scheduled(conn: Connection, guild_id: int) -> Schedule:
    schedule = store.schedule(conn, guild_id)
    if schedule is None:
        raise NotSetUp(
            "No question of the day is set up on this server yet. Start with </daily setup>."
        )
    return schedule


def next_post(conn: Connection, schedule: Schedule, after: datetime) -> tuple[date, datetime]:
    """Return the local date and time of a schedule's first post after a moment."""
    taken = store.taken(conn, schedule.guild_id, calendar.local_date(schedule.zone, after))
    return calendar.next_occurrence(rule_of(schedule), after=after, taken=taken)


def _recompute(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Store the next post time, because a date was decided.

    If the old post time has passed, the scheduler decides it next, so it stays.
    """
    passed = schedule.next_at is not None and schedule.next_at <= now
    if not passed and not schedule.paused:
        store.change_schedule(conn, schedule.guild_id, next_at=next_post(conn, schedule, now)[1])


def _status(conn: Connection, guild_id: int, now: datetime) -> DailyStatus:
    schedule = _scheduled(conn, guild_id)
    next_at = None if schedule.paused else next_post(conn, schedule, now)[1]
    return DailyStatus(
        schedule, next_at, store.latest_tried(conn, guild_id), store.posting(conn, guild_id)
    )


def rule_of(schedule: Schedule) -> Rule:
    return Rule(calendar.parse_time(schedule.at), schedule.zone, tuple(map(int, schedule.weekdays)))
