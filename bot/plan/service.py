"""Members' plans: set, looked at and ended, and what practice, reminders and figures need of them.

A plan whose day has passed ends by itself: until its member reads so, with whatever they use next, nothing follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.core.calendar import local_date
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory.progress import Knowledge
from bot.memory.rules import MemoryCard
from bot.memory.service import knowledge
from bot.plan import rules, store
from bot.plan.dates import read_date
from bot.plan.rules import LATEST, WINDOW, Goal, Outlook, Plan, Today
from bot.practice.rules import Answered, NewToday
from bot.practice.store import latest_answers
from bot.questions.model import Bank


@dataclass(frozen=True, slots=True)
class Shown:
    """How a plan stands, and tenths of a percent known by day since it was set. `ended`: day of one that is over."""

    outlook: Outlook | None
    past: tuple[tuple[date, int], ...] = ()
    ended: date | None = None


class Plans:
    """See the module; `now` gives UTC."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    async def set(
        self, user_id: int, guild_id: int | None, day: str | None, minutes: int | None
    ) -> Shown:
        """Make a plan or change it; what is not named stays. UserError without a day, or for one that is none."""
        while True:
            before, given = await self._database.read(self._read, user_id, guild_id)
            plan = _drawn_up(user_id, before, local_date(given.zone, given.now), day, minutes)
            outlook = await asyncio.to_thread(given.look, plan)
            outlook = replace(outlook, plan=replace(plan, goal=rules.percent(outlook.kept)))
            past = await self._database.write(_save, outlook, before)
            if past is not None:
                over = before is not None and before.is_over(outlook.today)
                return Shown(outlook, past, before.day if before and over else None)

    async def look(self, user_id: int, guild_id: int | None) -> Shown:
        """How a member's plan stands, if they have one; noted for the line of the days to come."""
        outlook = await self.standing(user_id, guild_id)
        if outlook is None:
            return Shown(None, ended=await self.take_ended(user_id, guild_id))
        return Shown(outlook, await self._database.write(_note, outlook))

    @reading
    def get(self, conn: Connection, user_id: int) -> Plan | None:
        return store.get(conn, user_id)

    @reading
    def running(self, conn: Connection, user_id: int, guild_id: int | None) -> Plan | None:
        """A member's plan; None if they have none, or it is over."""
        return _running(conn, user_id, local_date(zone_of(conn, user_id, guild_id), self._now()))

    @writing
    def end(self, conn: Connection, user_id: int) -> bool:
        """Forget a member's plan; False if they have none."""
        plan = store.get(conn, user_id)
        return plan is not None and store.end(conn, plan)

    async def standing(self, user_id: int, guild_id: int | None) -> Outlook | None:
        """How a member's plan stands; None if they have none, or it is over."""
        if await self.running(user_id, guild_id) is None:
            return None
        plan, given = await self._database.read(self._read, user_id, guild_id)
        if plan is None or plan.is_over(local_date(given.zone, given.now)):
            return None
        return await asyncio.to_thread(given.look, plan)

    async def take_ended(self, user_id: int, guild_id: int | None) -> date | None:
        """Forget a plan whose day has passed, and say which day that was: once."""
        plan = await self.get(user_id)
        if plan is None or not plan.is_over(await self.today(user_id, guild_id)):
            return None
        return plan.day if await self._database.write(store.end, plan) else None

    @reading
    def today(self, conn: Connection, user_id: int, guild_id: int | None) -> date:
        """Which day it is for a member."""
        return local_date(zone_of(conn, user_id, guild_id), self._now())

    def _read(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Plan | None, _Given]:
        """Return a member's plan, which may be over, and what its outlook is computed from."""
        now = self._now()
        zone = zone_of(conn, user_id, guild_id)
        bank = self._banks.of_member(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, now)
        given = _Given(
            zone=zone,
            now=now,
            bank=bank,
            cards=known.cards,
            answers=latest_answers(conn, user_id, now - WINDOW, LATEST),
            hidden=self._in_play.items_hidden_from(conn, user_id, guild_id) | known.set_aside,
        )
        return store.get(conn, user_id), given

    # --- for others, inside of their transactions

    def goal(self, conn: Connection, user_id: int, known: Knowledge) -> Goal | None:
        """Return what is left of a member's day; None if they have no plan."""
        zone = known.zone
        now = known.now
        course = self.course(conn, user_id, zone, now)
        if course is None:
            return None
        share = course.share(known.bank, known.cards, zone, now, known.set_aside)
        return Goal((course.plan.day - local_date(zone, now)).days, share)

    def course(self, conn: Connection, user_id: int, zone: str, now: datetime) -> Course | None:
        """What a member's practice follows; None if they have no plan."""
        plan = _running(conn, user_id, local_date(zone, now))
        return (
            None
            if plan is None
            else Course(plan, latest_answers(conn, user_id, now - WINDOW, LATEST))
        )

    def note(self, conn: Connection, user_id: int, day: date, ready: float) -> None:
        """Note how ready somebody with a plan is on a day, as a share from 0 to 1."""
        store.note_ready(conn, user_id, day, tenths(ready))


@dataclass(frozen=True, slots=True)
class Course:
    """A plan that runs, and its member's latest answers; see `bot.practice.service.Course`."""

    plan: Plan
    answers: Sequence[Answered]

    def share(
        self,
        bank: Bank,
        known: Mapping[str, MemoryCard],
        zone: str,
        now: datetime,
        hidden: Collection[str],
    ) -> Today:
        """What is left of the day."""
        own = rules.pace(self.answers, self.plan.set_on, zone, now)
        return rules.left_today(self.plan, bank, known, own, zone, now, hidden)

    def new_today(
        self,
        bank: Bank,
        known: Mapping[str, MemoryCard],
        zone: str,
        now: datetime,
        hidden: Collection[str],
    ) -> NewToday:
        return NewToday(
            self.share(bank, known, zone, now, hidden).new, rules.in_order(bank, known, now)
        )

    def readiness(self, bank: Bank, known: Mapping[str, MemoryCard], now: datetime) -> float:
        return rules.readiness(bank, known, now)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the outlook of a plan is computed from, as the database had it at one moment."""

    zone: str
    now: datetime
    bank: Bank
    cards: Mapping[str, MemoryCard]
    answers: Sequence[Answered]
    hidden: Collection[str]

    def look(self, plan: Plan) -> Outlook:
        return rules.look(
            plan, self.bank, self.cards, self.answers, self.zone, self.now, self.hidden
        )


def tenths(share: float) -> int:
    """A share from 0 to 1 in tenths of a percent."""
    return round(1000 * share)


def _drawn_up(
    user_id: int, before: Plan | None, today: date, day: str | None, minutes: int | None
) -> Plan:
    """Return the plan that a member wants, still without its goal.

    What is not named stays as in the plan before, unless that is over.
    """
    if before is not None and before.is_over(today):
        before = None
    if day is not None:
        chosen = read_date(day, today)
    elif before is not None:
        chosen = before.day
    else:
        raise UserError("I need the date of your interview as well. Use </plan> with both.")
    return Plan(
        user_id=user_id,
        day=chosen,
        minutes=minutes or (before.minutes if before else rules.MINUTES),
        set_on=before.set_on if before else today,
        goal=0,
    )


def _save(
    conn: Connection, outlook: Outlook, before: Plan | None
) -> tuple[tuple[date, int], ...] | None:
    """Store a plan in place of `before`; return what `_note` does.

    Return None, and store nothing, if another plan than `before` is stored now.
    """
    plan = outlook.plan
    if store.get(conn, plan.user_id, lock=True) != before:
        return None
    set_zone_if_unset(conn, plan.user_id, outlook.zone)
    if before is not None and before.is_over(outlook.today):
        store.end(conn, before)
    store.save(conn, plan)
    return _note(conn, outlook)


def _note(conn: Connection, outlook: Outlook) -> tuple[tuple[date, int], ...]:
    """Note how ready a member is today; return what was noted since the plan was set."""
    user_id = outlook.plan.user_id
    store.note_ready(conn, user_id, outlook.today, tenths(outlook.ready))
    return tuple(store.ready_since(conn, user_id, outlook.plan.set_on))


def _running(conn: Connection, user_id: int, today: date) -> Plan | None:
    plan = store.get(conn, user_id)
    return None if plan is None or plan.is_over(today) else plan
