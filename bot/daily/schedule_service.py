"""Managers' part: setting up, pausing, posting, skipping and removing the questions of the day."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, TypedDict

from msgspec.structs import replace

from bot.answers.store import CHALLENGE, ROUND
from bot.core import calendar, servers
from bot.core.calendar import EVERY_DAY, Rule
from bot.core.context import Context
from bot.core.database import Connection, reading, writing, writing_due
from bot.core.errors import UserError
from bot.core.limits import MAX_DAILIES
from bot.core.zones import parse_zone, quoted
from bot.daily import rules, schedule_store, store
from bot.daily.model import DEFAULT_HOURS, DailyKind, DailyState, DailyStatus, Schedule
from bot.questions import answers
from bot.questions.areas import read_area
from bot.questions.model import Bank
from bot.questions.week import week_of

_ALL_ASKED = (
    "Every question is open already, in this or another question of the day. Wait until one closes, "
    "or add questions with </bank>."
)


class Changes(TypedDict, total=False):
    """The settings that a manager changes, named like columns of `daily_schedules`."""

    name: str
    channel_id: int
    at: str
    zone: str
    weekdays: str
    asks: str
    kind: DailyKind
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
        on_zone_change: Sequence[Callable[[Connection, int, datetime], None]],
    ) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play
        self._on_zone_change = on_zone_change

    @reading
    def all_of(self, conn: Connection, guild_id: int) -> list[Schedule]:
        """Return a server's schedules, the first one that was added first."""
        return schedule_store.schedules_of(conn, guild_id)

    @reading
    def zone(self, conn: Connection, guild_id: int) -> str:
        """Return a server's time zone."""
        return servers.zone(conn, guild_id)

    @reading
    def find(self, conn: Connection, guild_id: int, schedule_id: int) -> Schedule:
        """Return a schedule of a server; refuses any other."""
        return _scheduled(conn, guild_id, schedule_id)

    @writing_due
    def add(self, conn: Connection, guild_id: int, changes: Changes) -> Schedule:
        """Add a daily with the usual settings and these, among them a channel and a time."""
        now = self._now()
        servers.lock(conn, guild_id)
        if len(schedule_store.schedules_of(conn, guild_id)) >= MAX_DAILIES:
            raise UserError(
                f"A server can have {MAX_DAILIES} questions of the day. Remove one with </daily> "
                "first, or change one of them."
            )
        changes = _checked(changes)
        if "zone" in changes:
            self._set_zone(conn, guild_id, changes["zone"])
        usual = Schedule(guild_id, 0, "", servers.zone(conn, guild_id), now)
        schedule = self._changed(conn, usual, changes)
        schedule = replace(schedule, next_at=_next_at(conn, schedule, now))
        return replace(schedule, id=schedule_store.add_schedule(conn, schedule))

    @writing_due
    def change(
        self, conn: Connection, guild_id: int, schedule_id: int, changes: Changes
    ) -> Schedule:
        """Change the given settings of a daily, from the next undecided local date.

        A paused daily stays paused.
        """
        now = self._now()
        servers.lock(conn, guild_id)
        changes = _checked(changes)
        if "zone" in changes:
            self._set_zone(conn, guild_id, changes["zone"])
        before = _scheduled(conn, guild_id, schedule_id)
        schedule = self._changed(conn, before, changes)
        if rule_of(schedule) != rule_of(before):
            next_at = _next_at(conn, schedule, now)
            schedule = replace(schedule, settled_until=now, next_at=next_at)
        schedule_store.save_schedule(conn, schedule)
        store.redirect(conn, schedule, now)
        return schedule

    def _changed(self, conn: Connection, schedule: Schedule, changes: Changes) -> Schedule:
        """Return a schedule with changed settings; refuses those that don't go together."""
        bank = self._banks.of(conn, schedule.guild_id)
        schedule = replace(schedule, **changes)
        if "asks" in changes:
            schedule = replace(schedule, asks=read_area(bank, changes["asks"]))
        _check_name(conn, schedule)
        _check_kind(bank, schedule)
        return schedule

    @writing_due
    def set_zone(self, conn: Connection, guild_id: int, zone: str) -> None:
        """Set a server's time zone, which moves the post times of its dailies and recap."""
        self._set_zone(conn, guild_id, parse_zone(zone).key)

    def _set_zone(self, conn: Connection, guild_id: int, zone: str) -> None:
        """Store a server's zone, if it is new, and the next post times by it."""
        now = self._now()
        servers.lock(conn, guild_id)
        if servers.zone(conn, guild_id) == zone:
            return
        servers.set_zone(conn, guild_id, zone)
        for before in schedule_store.schedules_of(conn, guild_id):
            schedule = replace(before, zone=zone)
            next_at = _next_at(conn, schedule, now)
            schedule_store.change_schedule(conn, schedule.id, settled_until=now, next_at=next_at)
        for on_change in self._on_zone_change:
            on_change(conn, guild_id, now)

    @writing_due
    def post(self, conn: Connection, guild_id: int, schedule_id: int) -> None:
        """Post today's daily now; refuses if it is posted already."""
        now = self._now()
        schedule = _locked(conn, guild_id, schedule_id)
        day = calendar.local_date(schedule.zone, now)
        existing = store.of_day(conn, schedule.id, day)
        if existing is not None and existing.posted:
            raise UserError("It's posted already. See Last question above.")
        if existing is not None and existing.state == DailyState.POSTING:
            store.change(conn, existing.id, expect=DailyState.POSTING, due_at=now)
        else:
            values = self.new_daily(conn, schedule, day, scheduled_at=now, now=now)
            if values["problem"]:
                raise UserError(values["problem"])
            if existing is not None:
                store.change(conn, existing.id, expect=existing.state, **values)
            else:
                store.create(conn, schedule, day, **values)
        _recompute(conn, schedule, now)

    def new_daily(
        self,
        conn: Connection,
        schedule: Schedule,
        day: date,
        *,
        scheduled_at: datetime,
        now: datetime,
    ) -> dict[str, Any]:
        """Draw a question, and return the columns of a daily that is to be posted now.

        If other dailies ask all there is, it is missed. Lock the server's row before, so that no
        other process draws for it.
        """
        open_dailies = store.unrevealed(conn, schedule.guild_id)
        bank = self._banks.of(conn, schedule.guild_id)
        question = rules.draw(
            schedule,
            day,
            bank,
            used=store.used(conn, schedule.guild_id),
            posted=len(store.first_posted(conn, schedule.guild_id)),
            in_dailies={daily.item_id or daily.topic_id or "" for daily in open_dailies},
            in_games=self._in_play.items(conn, schedule.guild_id, ROUND, CHALLENGE),
            week=week_of(conn, bank, schedule.guild_id, now),
            rng=self._rng,
        )
        if question is None:
            missed = {"state": DailyState.MISSED, "due_at": None, "problem": _ALL_ASKED}
            return {**missed, "scheduled_at": scheduled_at}
        store.note_used(conn, schedule.guild_id, question.id, day)
        return {
            "name": schedule.name,
            "state": DailyState.POSTING,
            "item_id": question.item and question.item.id,
            "topic_id": None if question.item else question.topic.id,
            "choice_order": answers.encode_order(question.order),
            "of_week": question.of_week,
            "answer_hours": schedule.answer_hours,
            "thread": schedule.thread,
            "channel_id": schedule.channel_id,
            "role_id": schedule.role_id,
            "scheduled_at": scheduled_at,
            "tried_at": None,
            "due_at": now,
            "problem": None,
        }

    @writing
    def pause(self, conn: Connection, guild_id: int, schedule_id: int) -> None:
        """Post nothing until `resume`, unless a manager asks for it."""
        schedule = _locked(conn, guild_id, schedule_id)
        changed = {"paused": True, "settled_until": self._now(), "next_at": None}
        schedule_store.change_schedule(conn, schedule.id, **changed)
        store.give_up_unsent(conn, schedule)

    @writing_due
    def resume(self, conn: Connection, guild_id: int, schedule_id: int) -> None:
        """End a pause; post times during the pause are skipped."""
        now = self._now()
        schedule = _locked(conn, guild_id, schedule_id)
        if schedule.paused:
            _, at = next_post(conn, schedule, now)
            changed = {"paused": False, "settled_until": now, "next_at": at}
            schedule_store.change_schedule(conn, schedule.id, **changed)

    @writing
    def remove(self, conn: Connection, guild_id: int, schedule_id: int) -> None:
        """Post no more questions of a daily. One that is open stays open."""
        schedule = _locked(conn, guild_id, schedule_id)
        schedule_store.delete_schedule(conn, schedule.id)
        store.give_up_unsent(conn, schedule)

    @writing
    def skip(self, conn: Connection, guild_id: int, schedule_id: int) -> None:
        """Skip the next daily."""
        now = self._now()
        schedule = _locked(conn, guild_id, schedule_id)
        if schedule.paused:
            raise UserError("It's paused, so there's nothing to skip. Press Resume first.")
        day, at = next_post(conn, schedule, now)
        store.create(conn, schedule, day, state=DailyState.SKIPPED, scheduled_at=at)
        _recompute(conn, schedule, now)

    def statuses(self, conn: Connection, guild_id: int) -> list[DailyStatus]:
        """Return the server's dailies, each with its schedule and last posts."""
        now = self._now()
        posting = {
            daily.schedule_id: daily
            for daily in sorted(store.unrevealed(conn, guild_id), key=lambda d: d.local_date)
            if daily.state is DailyState.POSTING
        }
        return [
            DailyStatus(
                schedule=schedule,
                next_at=_next_at(conn, schedule, now),
                last=store.latest_tried(conn, schedule.id),
                posting=posting.get(schedule.id),
            )
            for schedule in schedule_store.schedules_of(conn, guild_id)
        ]

    @reading
    def all_statuses(self, conn: Connection, guild_id: int) -> list[DailyStatus]:
        """Return what `statuses` does."""
        return self.statuses(conn, guild_id)


def _scheduled(conn: Connection, guild_id: int, schedule_id: int) -> Schedule:
    """Return a daily of a server; refuses any other."""
    schedule = schedule_store.schedule(conn, schedule_id)
    if schedule is None or schedule.guild_id != guild_id:
        raise UserError("That question of the day was removed. See </daily> for the others.")
    return schedule


def _locked(conn: Connection, guild_id: int, schedule_id: int) -> Schedule:
    """Lock a server, and return one of its dailies; refuses any other."""
    servers.lock(conn, guild_id)
    return _scheduled(conn, guild_id, schedule_id)


def _checked(changes: Changes) -> Changes:
    """Return changed settings as they are stored; refuses those that can't be."""
    found = changes.copy()
    if "at" in found:
        found["at"] = f"{calendar.parse_time(found['at']):%H:%M}"
    if "zone" in found:
        found["zone"] = parse_zone(found["zone"]).key
    if "name" in found:
        found["name"] = rules.read_name(found["name"])
    if not found.get("weekdays", EVERY_DAY):
        raise UserError("Pick at least one day of the week.")
    hours = found.get("answer_hours", DEFAULT_HOURS)
    if not rules.MIN_HOURS <= hours <= rules.MAX_HOURS:
        raise UserError(
            f"A question can stay open for {rules.MIN_HOURS} to {rules.MAX_HOURS} hours. Pick a number in between."
        )
    return found


def _check_name(conn: Connection, schedule: Schedule) -> None:
    """Refuse the name of another daily of the server, in whatever case."""
    for other in schedule_store.schedules_of(conn, schedule.guild_id):
        if other.id != schedule.id and other.name.casefold() == schedule.name.casefold():
            raise UserError(
                f'Another question of the day here is called "{quoted(other.name)}". Pick a different name.'
            )


def _check_kind(bank: Bank, schedule: Schedule) -> None:
    """Refuse open questions about an area that has only one, or none."""
    area = rules.asked_topic_ids(bank, schedule.asks)
    if (
        schedule.kind is not DailyKind.CHOICE
        and area is not None
        and len(area & bank.open_topics.keys()) < 2
    ):
        raise UserError(
            "Each topic has only one open question, so it would come up every time. "
            "Ask choice questions about it, or open questions about everything or a section."
        )


def next_post(conn: Connection, schedule: Schedule, after: datetime) -> tuple[date, datetime]:
    """Return the local date and time of a schedule's first post after a moment."""
    since = calendar.local_date(schedule.zone, after)
    taken = store.taken(conn, schedule.id, since)
    return calendar.next_occurrence(rule_of(schedule), after=after, taken=taken)


def _next_at(conn: Connection, schedule: Schedule, now: datetime) -> datetime | None:
    """Return the time of a schedule's next post; None while it is paused."""
    return None if schedule.paused else next_post(conn, schedule, now)[1]


def _recompute(conn: Connection, schedule: Schedule, now: datetime) -> None:
    """Store the next post time, because a date was decided.

    If the old post time has passed, the scheduler decides it next, so it stays.
    """
    passed = schedule.next_at is not None and schedule.next_at <= now
    if not passed:
        schedule_store.change_schedule(conn, schedule.id, next_at=_next_at(conn, schedule, now))


def rule_of(schedule: Schedule) -> Rule:
    return Rule(calendar.parse_time(schedule.at), schedule.zone, tuple(map(int, schedule.weekdays)))
