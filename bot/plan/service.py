"""Members' plans: setting, showing and ending them, and what other features need.

A plan whose day has passed has no effect any more. It is deleted once its member has read so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from bot.core.calendar import local_date
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory.progress import Knowledge
from bot.memory.rules import MemoryCard
from bot.memory.service import knowledge
from bot.plan import rules, store
from bot.plan.cards import Outlook, PlanCard
from bot.plan.dates import read_date
from bot.plan.outlook import build_outlook
from bot.plan.rules import MAX_ANSWERS, WINDOW, Goal, Plan, Today
from bot.practice.rules import Answered, NewToday
from bot.practice.store import latest_answers
from bot.questions.model import Bank


class Plans:
    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    async def set(
        self, user_id: int, guild_id: int | None, day: str | None, minutes: int | None
    ) -> PlanCard:
        """Create or change a plan; arguments that are None stay as they were.

        Raises UserError without a valid day.
        """
        while True:
            before, snapshot = await self._database.read(self._snapshot, user_id, guild_id)
            plan = _changed_plan(
                user_id, before, local_date(snapshot.zone, snapshot.now), day, minutes
            )
            outlook = await compute(partial(snapshot.outlook, plan))
            outlook = replace(outlook, plan=replace(plan, goal=rules.percent(outlook.kept)))
            past = await self._database.write(_save_plan, outlook, before)
            if past is not None:
                over = before is not None and before.is_over(outlook.today)
                return PlanCard(outlook, past, before.day if before and over else None)

    async def card(self, user_id: int, guild_id: int | None) -> PlanCard:
        """Return a member's plan with its outlook, and record today's readiness."""
        outlook = await self.outlook(user_id, guild_id)
        if outlook is None:
            return PlanCard(None, ended=await self.end_if_over(user_id, guild_id))
        return PlanCard(outlook, await self._database.write(_record_readiness, outlook))

    @reading
    def get(self, conn: Connection, user_id: int) -> Plan | None:
        return store.get(conn, user_id)

    @reading
    def running(self, conn: Connection, user_id: int, guild_id: int | None) -> Plan | None:
        """Return a member's plan; None if they have none, or it is over."""
        return _running_plan(
            conn, user_id, local_date(zone_of(conn, user_id, guild_id), self._now())
        )

    @writing
    def end(self, conn: Connection, user_id: int) -> bool:
        """Delete a member's plan; False if they have none."""
        plan = store.get(conn, user_id)
        return plan is not None and store.end(conn, plan)

    async def outlook(self, user_id: int, guild_id: int | None) -> Outlook | None:
        """Return the outlook of a member's plan; None if they have none, or it is over."""
        if await self.running(user_id, guild_id) is None:
            return None
        plan, snapshot = await self._database.read(self._snapshot, user_id, guild_id)
        if plan is None or plan.is_over(local_date(snapshot.zone, snapshot.now)):
            return None
        return await compute(partial(snapshot.outlook, plan))

    async def end_if_over(self, user_id: int, guild_id: int | None) -> date | None:
        """Delete a plan whose day has passed, and return that day, only once."""
        plan = await self.get(user_id)
        if plan is None or not plan.is_over(await self.today(user_id, guild_id)):
            return None
        return plan.day if await self._database.write(store.end, plan) else None

    @reading
    def today(self, conn: Connection, user_id: int, guild_id: int | None) -> date:
        """Return the current date of a member."""
        return local_date(zone_of(conn, user_id, guild_id), self._now())

    def _snapshot(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Plan | None, _Snapshot]:
        """Return a member's plan, which may be over, and the data for its outlook."""
        now = self._now()
        zone = zone_of(conn, user_id, guild_id)
        bank = self._banks.of_member(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, now)
        snapshot = _Snapshot(
            zone=zone,
            now=now,
            bank=bank,
            cards=known.cards,
            answers=latest_answers(conn, user_id, now - WINDOW, MAX_ANSWERS),
            hidden=self._in_play.items_hidden_from(conn, user_id, guild_id) | known.set_aside,
        )
        return store.get(conn, user_id), snapshot

    # --- for other features, within their transactions

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
        """Return the plan that a member's practice follows; None if they have none."""
        plan = _running_plan(conn, user_id, local_date(zone, now))
        if plan is None:
            return None
        return Course(plan, latest_answers(conn, user_id, now - WINDOW, MAX_ANSWERS))

    def record_readiness(self, conn: Connection, user_id: int, day: date, ready: float) -> None:
        """Record a member's readiness on a day, as a share from 0 to 1, if they have a plan."""
        store.note_ready(conn, user_id, day, per_mille(ready))


@dataclass(frozen=True, slots=True)
class Course:
    """A running plan and its member's latest answers; implements `bot.practice.next_question.Course`."""

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
        """Return what is left of the day's share."""
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
            self.share(bank, known, zone, now, hidden).new, rules.items_in_order(bank, known, now)
        )

    def readiness(self, bank: Bank, known: Mapping[str, MemoryCard], now: datetime) -> float:
        return rules.readiness(bank, known, now)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """The data for the outlook of a plan, as of one moment."""

    zone: str
    now: datetime
    bank: Bank
    cards: Mapping[str, MemoryCard]
    answers: Sequence[Answered]
    hidden: Collection[str]

    def outlook(self, plan: Plan) -> Outlook:
        return build_outlook(
            plan, self.bank, self.cards, self.answers, self.zone, self.now, self.hidden
        )


def per_mille(share: float) -> int:
    """Return a share from 0 to 1 in tenths of a percent."""
    return round(1000 * share)


def _changed_plan(
    user_id: int, before: Plan | None, today: date, day: str | None, minutes: int | None
) -> Plan:
    """Return the plan that a member wants, without its goal.

    Arguments that are None are taken from the earlier plan, unless that is over.
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


def _save_plan(
    conn: Connection, outlook: Outlook, before: Plan | None
) -> tuple[tuple[date, int], ...] | None:
    """Store a plan in place of `before`, and return its recorded readiness.

    Returns None and stores nothing if the stored plan is no longer `before`.
    """
    plan = outlook.plan
    if store.get(conn, plan.user_id, lock=True) != before:
        return None
    set_zone_if_unset(conn, plan.user_id, outlook.zone)
    if before is not None and before.is_over(outlook.today):
        store.end(conn, before)
    store.save(conn, plan)
    return _record_readiness(conn, outlook)


def _record_readiness(conn: Connection, outlook: Outlook) -> tuple[tuple[date, int], ...]:
    """Record today's readiness, and return all since the plan was set."""
    user_id = outlook.plan.user_id
    store.note_ready(conn, user_id, outlook.today, per_mille(outlook.ready))
    return tuple(store.ready_since(conn, user_id, outlook.plan.set_on))


def _running_plan(conn: Connection, user_id: int, today: date) -> Plan | None:
    plan = store.get(conn, user_id)
    return None if plan is None or plan.is_over(today) else plan
