"""Managers' part: setting up, pausing, posting, skipping and removing the questions of the day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TypedDict, Unpack

from msgspec.structs import replace

from bot.core import calendar, servers
from bot.core.calendar import Rule
from bot.core.context import Context
from bot.core.database import Connection, reading, writing, writing_due
from bot.core.errors import UserError
from bot.core.zones import parse_zone, quoted
from bot.daily import rules, schedule_store, store
from bot.daily.cards import DailyStatus, link
from bot.daily.drawing import asked_topic_ids
from bot.daily.rules import DailyState, Schedule, is_same_name
from bot.daily.service import Dailies
from bot.daily.weekdays import EVERY_DAY
from bot.questions.areas import read_area
from bot.questions.model import Bank

Which = int | str | None
"""A daily of a server: its schedule's id, or its name as typed, or None for the only one."""


class NotSetUp(UserError):
    """The server has no question of the day."""


class SeveralDailies(UserError):
    """The server has several `schedules`, and a command named none of them."""

    def __init__(self, schedules: Sequence[Schedule]) -> None:
        super().__init__(
            f"There are several questions of the day here: {_listed(schedules)}. "
            "Name one of them with the command."
        )
        self.schedules = schedules


class Changes(TypedDict, total=False):
    """The settings that a manager changes, named like columns of `daily_schedules`."""

    name: str
    channel_id: int
    at: str
    zone: str
    weekdays: str
    asks: str
    kind: str
    answer_hours: int
    role_id: int | None
    thread: bool


class Schedules:
    """Servers' schedules of their questions of the day.

    Each change locks the server's row first, so that of two managers at once none undoes what the
    other did.
    """

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
    def all_of(self, conn: Connection, guild_id: int) -> list[Schedule]:
        """Return a server's schedules in the order of their numbers."""
        return schedule_store.schedules_of(conn, guild_id)

    @reading
    def find(self, conn: Connection, guild_id: int, daily: Which = None) -> Schedule | None:
        """Return the schedule that `setup` would change; None if it would add one."""
        return _to_change(conn, guild_id, daily)

    async def setup(
        self, guild_id: int, daily: Which = None, **changes: Unpack[Changes]
    ) -> DailyStatus:
        """Change the given settings of a daily, from the next undecided local date.

        Without `daily` it is the first one of the server. A new name adds one, which needs channel
        and time, and at first the zone. A paused daily stays paused.
        """
        if "at" in changes:
            changes["at"] = f"{calendar.parse_time(changes['at']):%H:%M}"
        if "zone" in changes:
            changes["zone"] = parse_zone(changes["zone"]).key
        if "name" in changes:
            changes["name"] = rules.read_name(changes["name"])
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
            servers.lock(conn, guild_id)
            return self._change(conn, guild_id, daily, changes, now)

        status = await self._database.write(store_change)
        self._scheduler.nudge(now)
        return status

    async def set_zone(self, guild_id: int, zone: str) -> None:
        """Set a server's time zone, which moves the post times of its dailies and recap."""
        name = parse_zone(zone).key
        now = self._now()
        await self._database.write(self._set_zone, guild_id, name, now)
        self._scheduler.nudge(now)

    def _change(
        self, conn: Connection, guild_id: int, daily: Which, changes: Changes, now: datetime
    ) -> DailyStatus:
        """Store changed settings, the next post time, and the channel of an unsent daily."""
        if "zone" in changes:
            self._set_zone(conn, guild_id, changes["zone"], now)
        before = _to_change(conn, guild_id, daily)
        schedule = before or self._new_schedule(conn, guild_id, daily, changes, now)
        schedule = replace(schedule, **changes)
        _check_name(conn, schedule)
        bank = self._banks.of(conn, guild_id)
        if "asks" in changes:
            schedule = replace(schedule, asks=read_area(bank, changes["asks"]))
        _check_kind(bank, schedule)
        if before is None or rule_of(schedule) != rule_of(before):
            next_at = None if schedule.paused else next_post(conn, schedule, now)[1]
            schedule = replace(schedule, settled_until=now, next_at=next_at)
        if before is None:
            schedule = replace(schedule, id=schedule_store.add_schedule(conn, schedule))
            # not at the removal, because later steps of the last daily would replace its problem
            store.mark_removed(conn, schedule)
        else:
            schedule_store.save_schedule(conn, schedule)
        store.redirect(conn, schedule, now)
        return replace(_status(conn, schedule, now), is_new=before is None)

    def _new_schedule(
        self, conn: Connection, guild_id: int, daily: Which, changes: Changes, now: datetime
    ) -> Schedule:
        """Return a new daily with the usual settings; refuses if a needed one isn't given."""
        others = schedule_store.schedules_of(conn, guild_id)
        number = rules.free_number({schedule.number for schedule in others})
        name = rules.read_name(daily) if isinstance(daily, str) else rules.DEFAULT_NAME
        known = {"zone"} if others else set()
        missing = [
            words for key, words in rules.NEEDED.items() if key not in changes.keys() | known
        ]
        if missing:
            needed = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
            if others:
                raise UserError(
                    f'No question of the day here is called "{quoted(name)}". There\'s {_listed(others)}. '
                    f"To add a new one, give {needed} too."
                )
            raise NotSetUp(
                f"I still need {needed} to start. Add what's missing with </daily setup>."
            )
        return Schedule(
            guild_id=guild_id,
            number=number,
            name=name,
            channel_id=changes["channel_id"],
            at=changes["at"],
            zone=servers.zone(conn, guild_id),
            settled_until=now,
        )

    def _set_zone(self, conn: Connection, guild_id: int, zone: str, now: datetime) -> None:
        """Store a server's zone, and the next post times of its dailies by it."""
        servers.lock(conn, guild_id)
        is_new = servers.zone(conn, guild_id) != zone
        servers.set_zone(conn, guild_id, zone)
        for before in schedule_store.schedules_of(conn, guild_id) if is_new else ():
            schedule = replace(before, zone=zone)
            next_at = None if schedule.paused else next_post(conn, schedule, now)[1]
            schedule_store.change_schedule(conn, schedule.id, settled_until=now, next_at=next_at)
        for on_change in self._on_zone_change:
            on_change(conn, guild_id)

    @writing_due
    def post(self, conn: Connection, guild_id: int, daily: Which = None) -> DailyStatus:
        """Post today's daily now; refuses if it is posted already."""
        now = self._now()
        servers.lock(conn, guild_id)
        schedule = _scheduled(conn, guild_id, daily)
        day = calendar.local_date(schedule.zone, now)
        existing = store.of_day(conn, guild_id, schedule.number, day)
        if existing is not None and existing.posted:
            raise UserError(f"The question of the day is already posted: {link(existing)}")
        if existing is not None and existing.state == DailyState.POSTING:
            store.change(conn, existing.id, expect=DailyState.POSTING, due_at=now)
        else:
            values = self._dailies.new_daily(conn, schedule, day, scheduled_at=now, now=now)
            if values["problem"]:
                raise UserError(values["problem"])
            if existing is not None:
                store.change(conn, existing.id, expect=existing.state, **values)
            else:
                store.create(conn, guild_id, day, **values)
        _recompute(conn, schedule, now)
        return _status(conn, schedule, now)

    @writing
    def pause(self, conn: Connection, guild_id: int, daily: Which = None) -> DailyStatus:
        """Post nothing until `resume`."""
        servers.lock(conn, guild_id)
        schedule = _scheduled(conn, guild_id, daily)
        if schedule.paused:
            raise UserError(
                "The question of the day is already paused. Bring it back with </daily resume>."
            )
        schedule_store.change_schedule(conn, schedule.id, paused=True, next_at=None)
        store.give_up_unsent(conn, schedule)
        return _status(conn, schedule, self._now())

    @reading
    def named(self, conn: Connection, guild_id: int, daily: Which = None) -> Schedule:
        """Return the schedule of a daily; refuses an unknown one, and None if there are several."""
        return _scheduled(conn, guild_id, daily)

    @writing
    def remove(self, conn: Connection, guild_id: int, daily: Which = None) -> Schedule:
        """Post no more questions of a daily, and return its schedule. One that is open stays open."""
        servers.lock(conn, guild_id)
        schedule = _scheduled(conn, guild_id, daily)
        schedule_store.delete_schedule(conn, schedule.id)
        store.give_up_unsent(conn, schedule)
        return schedule

    @writing_due
    def resume(self, conn: Connection, guild_id: int, daily: Which = None) -> DailyStatus:
        """End a pause; post times during the pause are skipped."""
        now = self._now()
        servers.lock(conn, guild_id)
        schedule = _scheduled(conn, guild_id, daily)
        if not schedule.paused:
            raise UserError(
                "The question of the day isn't paused. See </daily status> for the next one."
            )
        _, at = next_post(conn, schedule, now)
        schedule_store.change_schedule(
            conn, schedule.id, paused=False, settled_until=now, next_at=at
        )
        return _status(conn, schedule, now)

    @writing
    def skip(
        self, conn: Connection, guild_id: int, daily: Which = None
    ) -> tuple[datetime, DailyStatus]:
        """Skip the next daily; returns its post time, and the status with the one after it."""
        now = self._now()
        servers.lock(conn, guild_id)
        schedule = _scheduled(conn, guild_id, daily)
        if schedule.paused:
            raise UserError(
                "The question of the day is paused, so there's nothing to skip. Use </daily resume> first."
            )
        day, at = next_post(conn, schedule, now)
        store.create(
            conn,
            guild_id,
            day,
            number=schedule.number,
            name=schedule.name,
            state=DailyState.SKIPPED,
            scheduled_at=at,
        )
        _recompute(conn, schedule, now)
        return at, _status(conn, schedule, now)

    async def skip_next(self, guild_id: int, daily: Which = None) -> DailyStatus:
        """Skip the next daily, and return the status with the one after it."""
        return (await self.skip(guild_id, daily))[1]

    def statuses(self, conn: Connection, guild_id: int) -> list[DailyStatus]:
        """Return the server's dailies, each with its schedule and last posts."""
        now = self._now()
        return [
            _status(conn, schedule, now) for schedule in schedule_store.schedules_of(conn, guild_id)
        ]

    @reading
    def all_statuses(self, conn: Connection, guild_id: int) -> list[DailyStatus]:
        """Return what `statuses` does; refuses if the server has no daily."""
        found = self.statuses(conn, guild_id)
        return found or [self._status_of(conn, guild_id, None)]

    @reading
    def status(self, conn: Connection, guild_id: int, daily: Which = None) -> DailyStatus:
        """Return a daily's schedule and last posts; refuses if it isn't set up."""
        return self._status_of(conn, guild_id, daily)

    def _status_of(self, conn: Connection, guild_id: int, daily: Which) -> DailyStatus:
        return _status(conn, _scheduled(conn, guild_id, daily), self._now())


def _to_change(conn: Connection, guild_id: int, daily: Which) -> Schedule | None:
    """Return the named daily of a server, or without a name the first one; None if it is new."""
    if isinstance(daily, int):
        return _scheduled(conn, guild_id, daily)
    for schedule in schedule_store.schedules_of(conn, guild_id):
        if daily is None or is_same_name(schedule.name, rules.read_name(daily)):
            return schedule
    return None


def _scheduled(conn: Connection, guild_id: int, daily: Which) -> Schedule:
    """Return a daily of a server; refuses an unknown one, and None if there are several."""
    found = schedule_store.schedules_of(conn, guild_id)
    if not found:
        raise NotSetUp(
            "No question of the day is set up on this server yet. Start with </daily setup>."
        )
    if daily is None:
        if len(found) > 1:
            raise SeveralDailies(found)
        return found[0]
    for schedule in found:
        if (
            schedule.id == daily
            if isinstance(daily, int)
            else is_same_name(schedule.name, rules.read_name(daily))
        ):
            return schedule
    if isinstance(daily, int):
        raise UserError("That question of the day was removed. See </daily status> for the others.")
    raise UserError(
        f'No question of the day here is called "{quoted(daily)}". There\'s {_listed(found)}.'
    )


def _listed(schedules: Sequence[Schedule]) -> str:
    """Return the names of schedules, as in `A, B and C`."""
    names = [f'"{quoted(schedule.name)}"' for schedule in schedules]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _check_name(conn: Connection, schedule: Schedule) -> None:
    """Refuse the name of another daily of the server."""
    for other in schedule_store.schedules_of(conn, schedule.guild_id):
        if other.id != schedule.id and is_same_name(other.name, schedule.name):
            raise UserError(
                f'Another question of the day here is called "{quoted(other.name)}". Pick a different name.'
            )


def _check_kind(bank: Bank, schedule: Schedule) -> None:
    """Refuse open questions about an area that has only one, or none."""
    area = asked_topic_ids(bank, schedule.asks)
    if schedule.kind != "choice" and area is not None and len(area & bank.open_topics.keys()) < 2:
        raise UserError(
            "Each topic has only one open question, so it would come up every time. Ask choice questions about it, "
            "or press All topics in </daily status> first."
        )


def next_post(conn: Connection, schedule: Schedule, after: datetime) -> tuple[date, datetime]:
    """Return the local date and time of a schedule's first post after a moment."""
    since = calendar.local_date(schedule.zone, after)
    taken = store.taken(conn, schedule.guild_id, schedule.number, since)
    return calendar.next_occurrence(rule_of(schedule), after=after, taken=taken)


def _recompute(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Store the next post time, because a date was decided.

    If the old post time has passed, the scheduler decides it next, so it stays.
    """
    passed = schedule.next_at is not None and schedule.next_at <= now
    if not passed and not schedule.paused:
        schedule_store.change_schedule(conn, schedule.id, next_at=next_post(conn, schedule, now)[1])


def _status(conn: Connection, schedule: Schedule, now: datetime) -> DailyStatus:
    """Return the status of a daily, whose row may have changed since `schedule` was read."""
    guild_id, number = schedule.guild_id, schedule.number
    schedules = schedule_store.schedules_of(conn, guild_id)
    [current] = [each for each in schedules if each.id == schedule.id]
    last = store.latest_tried(conn, guild_id, number)
    return DailyStatus(
        schedule=current,
        next_at=None if current.paused else next_post(conn, current, now)[1],
        last=None if last is not None and last.problem == rules.REMOVED else last,
        posting=store.posting(conn, guild_id, number),
        others=tuple(other for other in schedules if other.id != schedule.id),
    )


def rule_of(schedule: Schedule) -> Rule:
    return Rule(calendar.parse_time(schedule.at), schedule.zone, tuple(map(int, schedule.weekdays)))
