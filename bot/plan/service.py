"""Members' plans: setting, showing and ending them, and what other features need.

A plan whose day has passed has no effect any more. It is deleted once its member has read so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.core.calendar import local_date
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory.model import Plan
from bot.memory.today import DayFacts
from bot.memory.today_service import Days
from bot.plan import rules, store
from bot.plan.checks import choose_checks
from bot.plan.dates import read_date
from bot.plan.forecast import build_outlook
from bot.plan.model import Outlook, PlannedDay
from bot.questions import areas
from bot.questions.model import Bank

PlanPage = tuple[Outlook, Sequence[PlannedDay]]
"""A plan's outlook, and its recorded days."""


class Plans:
    def __init__(self, context: Context, days: Days) -> None:
        self._database = context.database
        self._days = days
        self._banks = context.banks
        self._now = context.now
        self._rng = context.rng

    async def set(
        self,
        user_id: int,
        guild_id: int | None,
        day: str,
        minutes: int = rules.MINUTES,
        goal: str | None = None,
    ) -> PlanPage:
        """Create or change a plan; without `goal` that of before stays, or it is everything.

        Raises UserError for an invalid day and an unknown goal.
        """
        while True:
            before, facts = await self._database.read(self._situation, user_id, guild_id)
            known = facts.known
            if not known.bank.asked:
                raise UserError(
                    "There are no questions to practise here yet, so there's nothing to plan. "
                    "Ask a moderator to add some."
                )
            running = None if before is None or before.is_over(known.today) else before
            if running is not None and day.strip() == running.day.isoformat():
                chosen = running.day
            else:
                chosen = read_date(day, known.today)
            if goal is not None:
                wanted = areas.read_area(known.bank, goal)
            else:
                wanted = running.goal if running else areas.ALL
            set_on = running.set_on if running else known.today
            if running is not None and running.goal == wanted:
                checks = running.checks
            else:
                days = (chosen - known.today).days
                checks = choose_checks(known.bank, wanted, known.cards, days, self._rng)
            plan = Plan(user_id, chosen, (minutes,) * 7, set_on, wanted, checks=checks)
            facts = facts.with_plan(plan)
            outlook = await compute(guild_id or user_id, build_outlook, plan, facts)
            past = await self._database.write(_save, outlook, before)
            if past is not None:
                return outlook, past

    async def page(self, user_id: int, guild_id: int | None) -> PlanPage | None:
        """Return a member's plan, and record today; None if they have none, or it is over."""
        outlook = await self.outlook(user_id, guild_id)
        if outlook is None:
            return None
        return outlook, await self._database.write(_record_today, outlook)

    async def outlook(self, user_id: int, guild_id: int | None) -> Outlook | None:
        """Return the outlook of a member's plan; None if they have none, or it is over."""
        plan, facts = await self._database.read(self._situation, user_id, guild_id)
        if plan is None or plan.is_over(facts.known.today):
            return None
        return await compute(guild_id or user_id, build_outlook, plan, facts)

    @reading
    def form(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Plan | None, Bank]:
        """Return what a member's form is about: their plan if it isn't over, and their bank."""
        today = local_date(zone_of(conn, user_id, guild_id), self._now())
        return store.running(conn, user_id, today), self._banks.of_member(conn, user_id, guild_id)

    @writing
    def end(self, conn: Connection, user_id: int) -> bool:
        """Delete a member's plan; False if they have none."""
        plan = store.get(conn, user_id)
        return plan is not None and store.end(conn, plan)

    async def end_if_over(self, user_id: int, guild_id: int | None) -> date | None:
        """Delete a plan whose day has passed, and return that day, only once."""
        plan = await self._past_plan(user_id, guild_id)
        if plan is None or not await self._database.write(store.end, plan):
            return None
        return plan.day

    @reading
    def _past_plan(self, conn: Connection, user_id: int, guild_id: int | None) -> Plan | None:
        """Return a member's plan if its day has passed."""
        plan = store.get(conn, user_id)
        today = local_date(zone_of(conn, user_id, guild_id), self._now())
        return plan if plan is not None and plan.is_over(today) else None

    def _situation(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Plan | None, DayFacts]:
        """Return what an outlook depends on; the plan may be over."""
        return store.get(conn, user_id), self._days.facts(conn, user_id, guild_id)


def _save(conn: Connection, outlook: Outlook, before: Plan | None) -> Sequence[PlannedDay] | None:
    """Store a plan in place of `before`, and return its recorded days.

    Returns None and stores nothing if the stored plan is no longer `before`.
    """
    plan = outlook.plan
    if store.get(conn, plan.user_id, lock=True) != before:
        return None
    set_zone_if_unset(conn, plan.user_id, outlook.today.zone)
    if before is not None and (before.is_over(outlook.today.day) or before.goal != plan.goal):
        store.end(conn, before)  # what was recorded is about other topics
    store.save(conn, plan)
    return _record_today(conn, outlook)


def _record_today(conn: Connection, outlook: Outlook) -> Sequence[PlannedDay]:
    """Record today, and return all days since the plan was set."""
    plan = outlook.plan
    if outlook.is_asked:
        ready = PlannedDay(outlook.today.day, round(1000 * outlook.unseen.middle))
        store.record_day(conn, plan.user_id, ready)
    return store.days_since(conn, plan.user_id, plan.set_on)
