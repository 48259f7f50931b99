"""Members' plans: set, looked at and ended, and what practice, reminders and figures need of them.

A plan whose day has passed ends by itself: until its member reads so, with whatever they use next, nothing follows it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.time import local_date
from bot.members.store import keep_zone, zone_of
from bot.memory import store as cards
from bot.memory.rules import MemoryCard
from bot.plan import rules, store
from bot.plan.dates import read_date
from bot.plan.rules import LATEST, WINDOW, Goal, Outlook, Plan, Today
from bot.practice.rules import NewToday
from bot.practice.store import latest_answers
from bot.questions.model import Bank
from bot.questions.store import items_hidden_from


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
        self._banks = context.banks
        self._now = context.now

    async def set(self, user_id: int, guild_id: int | None, day: str | None, minutes: int | None) -> Shown:
        """Make a plan or change it; what is not named stays. UserError without a day, or for one that is none."""
        plan, zone, over = await self._database.read(self._drawn_up, user_id, guild_id, day, minutes)
        await self._database.write(_save, plan, zone, over)
        return replace(await self.look(user_id, guild_id), ended=over.day if over else None)

    async def look(self, user_id: int, guild_id: int | None) -> Shown:
        """How a member's plan stands, if they have one; noted for the line of the days to come."""
        outlook = await self.standing(user_id, guild_id)
        if outlook is None:
            return Shown(None, ended=await self.take_ended(user_id, guild_id))
        await self._database.write(store.note_ready, user_id, outlook.today, tenths(outlook.ready))
        return Shown(outlook, tuple(await self._database.read(store.ready_since, user_id, outlook.plan.set_on)))

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

    @reading
    def standing(self, conn: Connection, user_id: int, guild_id: int | None) -> Outlook | None:
        """How a member's plan stands; None if they have none, or it is over."""
        zone, now = zone_of(conn, user_id, guild_id), self._now()
        plan = _running(conn, user_id, local_date(zone, now))
        return None if plan is None else self._look(conn, plan, guild_id, zone, now)

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

    # --- for others, inside of their transactions

    def goal(
        self, conn: Connection, user_id: int, bank: Bank, known: Mapping[str, MemoryCard], zone: str, now: datetime
    ) -> Goal | None:
        """What is left of a member's day, for their reminder; None if they have no plan."""
        plan = _running(conn, user_id, local_date(zone, now))
        if plan is None:
            return None
        share = _share(conn, plan, bank, known, zone, now, cards.suspended(conn, user_id))
        return Goal((plan.day - local_date(zone, now)).days, share)

    def new_today(
        self,
        conn: Connection,
        user_id: int,
        bank: Bank,
        known: Mapping[str, MemoryCard],
        zone: str,
        now: datetime,
        hidden: Collection[str],
    ) -> NewToday | None:
        """What is new in a member's practice today; None if no plan says so. See `bot.practice.service.Course`."""
        plan = _running(conn, user_id, local_date(zone, now))
        if plan is None:
            return None
        share = _share(conn, plan, bank, known, zone, now, hidden)
        return NewToday(share.new, rules.in_order(bank, known, now))

    def note(
        self, conn: Connection, user_id: int, bank: Bank, known: Mapping[str, MemoryCard], zone: str, now: datetime
    ) -> None:
        """Note how ready somebody with a plan is today."""
        today = local_date(zone, now)
        if _running(conn, user_id, today) is not None:
            store.note_ready(conn, user_id, today, tenths(rules.readiness(bank, known, now)))

    # ---

    def _drawn_up(
        self, conn: Connection, user_id: int, guild_id: int | None, day: str | None, minutes: int | None
    ) -> tuple[Plan, str, Plan | None]:
        """The plan that a member wants, with its goal, the zone of its days, and an earlier one that is over."""
        zone, now = zone_of(conn, user_id, guild_id), self._now()
        today = local_date(zone, now)
        before = store.get(conn, user_id)
        over = before if before is not None and before.is_over(today) else None
        before = None if over else before
        if day is not None:
            chosen = read_date(day, today)
        elif before is not None:
            chosen = before.day
        else:
            raise UserError("I need the date of your interview as well. Use </plan> with both.")
        plan = Plan(
            user_id,
            chosen,
            minutes or (before.minutes if before else rules.MINUTES),
            before.set_on if before else today,
            0,
        )
        kept = self._look(conn, plan, guild_id, zone, now).kept
        return replace(plan, goal=rules.percent(kept)), zone, over

    def _look(self, conn: Connection, plan: Plan, guild_id: int | None, zone: str, now: datetime) -> Outlook:
        bank = self._banks.of_member(conn, plan.user_id, guild_id)
        known = cards.cards_of(conn, plan.user_id)
        answers = latest_answers(conn, plan.user_id, now - WINDOW, LATEST)
        hidden = items_hidden_from(conn, plan.user_id, guild_id) | cards.suspended(conn, plan.user_id)
        return rules.look(plan, bank, known, answers, zone, now, hidden)


def tenths(share: float) -> int:
    """A share from 0 to 1 in tenths of a percent."""
    return round(1000 * share)


def _save(conn: Connection, plan: Plan, zone: str, over: Plan | None) -> None:
    keep_zone(conn, plan.user_id, zone)
    if over is not None:
        store.end(conn, over)
    store.save(conn, plan)


def _running(conn: Connection, user_id: int, today: date) -> Plan | None:
    plan = store.get(conn, user_id)
    return None if plan is None or plan.is_over(today) else plan


def _share(
    conn: Connection,
    plan: Plan,
    bank: Bank,
    known: Mapping[str, MemoryCard],
    zone: str,
    now: datetime,
    hidden: Collection[str],
) -> Today:
    """What is left of a plan's day."""
    own = rules.pace(latest_answers(conn, plan.user_id, now - WINDOW, LATEST), plan.set_on, zone, now)
    return rules.left_today(plan, bank, known, own, zone, now, hidden)
