"""Members' plans: setting, showing and ending them, and what other features need.

A plan whose day has passed has no effect any more. It is deleted once its member has read so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from bot.core.calendar import local_date
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.rules import days_between
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory.model import Plan, Said
from bot.memory.progress import Knowledge
from bot.memory.today import DayFacts
from bot.memory.today_service import Days
from bot.plan import store
from bot.plan.checks import checks_of, choose_checks
from bot.plan.dates import joined, read_away, read_date, within
from bot.plan.forecast import build_outlook
from bot.plan.model import Ended, Outlook, PlannedDay
from bot.plan.week import MINUTES, read_week
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
        minutes: str = MINUTES,
        goal: str | None = None,
        away: str = "",
    ) -> PlanPage:
        """Create or change a plan; without `goal` that of before stays, or it is everything.

        Raises UserError for texts that can't be read and for an unknown goal.
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
            plan = self._planned(user_id, known, running, (day, minutes, away), goal)
            facts = facts.with_plan(plan)
            outlook = await compute(guild_id or user_id, build_outlook, plan, facts)
            outlook = replace(outlook, plan=replace(plan, said=_said(outlook, running)))
            days = await self._database.write(_save, outlook, before)
            if days is not None:
                return outlook, days

    def _planned(
        self,
        user_id: int,
        known: Knowledge,
        running: Plan | None,
        texts: tuple[str, str, str],
        goal: str | None,
    ) -> Plan:
        """Return the plan that the texts of the form ask for: day, minutes and days away."""
        typed, minutes, away = texts
        if running is not None and typed.strip() == running.day.isoformat():
            day = running.day
        else:
            day = read_date(typed, known.today)
        if goal is not None:
            wanted = areas.read_area(known.bank, goal)
        else:
            wanted = running.goal if running else areas.ALL
        yesterday = known.today - timedelta(days=1)
        days_away = read_away(away, known.today, day)
        if running is not None:
            days_away = joined([*within(running.away, running.set_on, yesterday), *days_away])
        if running is not None and running.goal == wanted:
            checks = running.checks
        else:
            days = (day - known.today).days
            checks = choose_checks(known.bank, wanted, known.cards, days, self._rng)
        set_on = running.set_on if running else known.today
        plan = Plan(user_id, day, read_week(minutes), set_on, wanted, days_away, checks)
        if not any(map(plan.minutes_on, days_between(yesterday, day))):
            raise UserError(
                "That leaves no day to practise before your interview. "
                "Change the minutes or the days away in </plan>."
            )
        return plan

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
    ) -> tuple[Plan | None, Bank, date]:
        """Return what a member's form is about: their plan if it isn't over, their bank, and today."""
        today = local_date(zone_of(conn, user_id, guild_id), self._now())
        bank = self._banks.of_member(conn, user_id, guild_id)
        return store.running(conn, user_id, today), bank, today

    @writing
    def end(self, conn: Connection, user_id: int) -> bool:
        """Delete a member's plan; False if they have none."""
        plan = store.get(conn, user_id)
        return plan is not None and store.end(conn, plan)

    async def end_if_over(self, user_id: int, guild_id: int | None) -> Ended | None:
        """Delete a plan whose day has passed, and return how it went, only once."""
        ended = await self._ended(user_id, guild_id)
        if ended is None or not await self._database.write(store.end, ended.plan):
            return None
        return ended

    @reading
    def _ended(self, conn: Connection, user_id: int, guild_id: int | None) -> Ended | None:
        """Return how a member's plan went if its day has passed."""
        plan = store.get(conn, user_id)
        today = local_date(zone_of(conn, user_id, guild_id), self._now())
        if plan is None or not plan.is_over(today):
            return None
        days = store.days_since(conn, user_id, plan.set_on)
        known = self._days.facts(conn, user_id, guild_id).known
        return Ended(plan, days[-1] if days else None, checks_of(plan, known))

    def _situation(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Plan | None, DayFacts]:
        """Return what an outlook depends on; the plan may be over."""
        return store.get(conn, user_id), self._days.facts(conn, user_id, guild_id)


def _said(outlook: Outlook, before: Plan | None) -> Said | None:
    """Return what is expected of a plan's day, or what was said before if nothing has changed.

    Nothing is before the first answer, because that would be said to everybody.
    """
    if before is not None and before.said and replace(before, said=None) == outlook.plan:
        return before.said
    low, high = (round(100 * share) for share in outlook.then)
    return Said(outlook.today.day, low, high) if outlook.is_asked and outlook.asked else None


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
    """Record today, and what is expected once that is known; return all days since the plan was set."""
    plan = outlook.plan
    if outlook.is_asked and outlook.asked:
        ready = PlannedDay(outlook.today.day, round(1000 * outlook.unseen.middle))
        store.record_day(conn, plan.user_id, ready)
        said = _said(outlook, None)
        if plan.said is None and said and store.get(conn, plan.user_id, lock=True) == plan:
            store.save(conn, replace(plan, said=said))
    return store.days_since(conn, plan.user_id, plan.set_on)
