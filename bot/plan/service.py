"""Members' plans: setting, showing and ending them, and what other features need.

A plan whose day has passed has no effect any more. It is deleted once its member has read so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from weakref import WeakValueDictionary

from msgspec import Struct

from bot.core.calendar import local_date
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory.progress import Knowledge
from bot.memory.service import knowledge
from bot.plan import goals, rules, store
from bot.plan.cards import Outlook, PlanCard, TopicChoice
from bot.plan.dates import read_date
from bot.plan.outlook import Situation, build_outlook, choose_topics, set_goal
from bot.plan.rules import MAX_ANSWERS, WINDOW, Goal, Plan, Today
from bot.practice.rules import Answered, PlannedDay
from bot.practice.store import latest_answers
from bot.questions import areas
from bot.questions.model import Item


class Plans:
    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._setting: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """Locks by member: choosing topics takes long, and each change must see the one before."""

    async def set(
        self,
        user_id: int,
        guild_id: int | None,
        day: str | None = None,
        minutes: int | None = None,
        goal: str | None = None,
    ) -> PlanCard:
        """Create or change a plan; arguments that are None stay as they were.

        The topics that fit into the minutes are chosen again. Raises UserError for an invalid
        argument, and without a day.
        """
        async with self._lock(user_id):
            return await self._set(user_id, guild_id, day, minutes, goal)

    def _lock(self, user_id: int) -> asyncio.Lock:
        return self._setting.setdefault(user_id, asyncio.Lock())

    async def _set(
        self,
        user_id: int,
        guild_id: int | None,
        day: str | None,
        minutes: int | None,
        goal: str | None,
    ) -> PlanCard:
        while True:
            before, at = await self._database.read(self._situation, user_id, guild_id)
            plan = _changed_plan(user_id, before, at, day, minutes, goal)
            whole = None
            today = at.known.today
            chooses = plan.day > today and areas.is_asked(at.bank, plan.goal_of)
            if chooses:
                plan, whole = await compute(choose_topics, plan, at)
            outlook = await compute(build_outlook, plan, at)
            if chooses:
                outlook = set_goal(outlook)
            past = await self._database.write(_save_plan, outlook, before)
            if past is not None:
                over = before is not None and before.is_over(outlook.today)
                ended = before.day if before and over else None
                return PlanCard(outlook, past, ended, whole)

    async def topics(self, user_id: int, guild_id: int | None) -> TopicChoice | None:
        """Return the topics that a member's plan can be for; None if they have no plan."""
        before, at = await self._database.read(self._situation, user_id, guild_id)
        if before is None or before.is_over(at.known.today):
            return None
        return TopicChoice(
            bank=at.bank,
            goal=areas.area_title(at.bank, before.goal_of),
            chosen=areas.chosen_topics(before.goal_of),
            fitting=len(rules.covered_topics(at.bank, before)),
            of_topics=len(rules.goal_topics(at.bank, before)),
            minutes=before.minutes,
        )

    async def choose(
        self,
        user_id: int,
        guild_id: int | None,
        offered: Collection[str],
        picked: Collection[str],
    ) -> PlanCard:
        """Be ready for the topics picked of those offered, and for those chosen elsewhere.

        Raises UserError if none would be left.
        """
        async with self._lock(user_id):
            plan = await self.running(user_id, guild_id)
            chosen = set() if plan is None else set(areas.chosen_topics(plan.goal_of))
            goal = areas.area_of_topics(chosen - set(offered) | set(picked))
            bank = await self._database.read(self._banks.of_member, user_id, guild_id)
            if not areas.is_asked(bank, goal):
                raise UserError(
                    "A plan needs at least one topic. Pick another one first, or pick Everything."
                )
            return await self._set(user_id, guild_id, None, None, goal)

    async def card(self, user_id: int, guild_id: int | None) -> PlanCard:
        """Return a member's plan with its outlook, and record today."""
        outlook = await self.outlook(user_id, guild_id)
        if outlook is None:
            return PlanCard(None, ended=await self.end_if_over(user_id, guild_id))
        return PlanCard(outlook, await self._database.write(_record_today, outlook))

    @reading
    def get(self, conn: Connection, user_id: int) -> Plan | None:
        return store.get(conn, user_id)

    @reading
    def running(self, conn: Connection, user_id: int, guild_id: int | None) -> Plan | None:
        """Return a member's plan; None if they have none, or it is over."""
        return _running_plan(conn, user_id, self._today(conn, user_id, guild_id))

    @writing
    def end(self, conn: Connection, user_id: int) -> bool:
        """Delete a member's plan; False if they have none."""
        plan = store.get(conn, user_id)
        return plan is not None and store.end(conn, plan)

    async def outlook(self, user_id: int, guild_id: int | None) -> Outlook | None:
        """Return the outlook of a member's plan; None if they have none, or it is over."""
        if await self.running(user_id, guild_id) is None:
            return None
        plan, at = await self._database.read(self._situation, user_id, guild_id)
        if plan is None or plan.is_over(at.known.today):
            return None
        return await compute(build_outlook, plan, at)

    async def goal_options(
        self, user_id: int, guild_id: int | None, typed: str
    ) -> list[tuple[str, str]]:
        """Return (label, goal) pairs that match what was typed."""
        bank = await self._database.read(self._banks.of_member, user_id, guild_id)
        return areas.find_areas(bank, typed)

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
        if plan is None or not plan.is_over(self._today(conn, user_id, guild_id)):
            return None
        return plan

    def _today(self, conn: Connection, user_id: int, guild_id: int | None) -> date:
        return local_date(zone_of(conn, user_id, guild_id), self._now())

    @reading
    def today(self, conn: Connection, user_id: int, guild_id: int | None) -> date:
        """Return the current date of a member."""
        return self._today(conn, user_id, guild_id)

    def _situation(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> tuple[Plan | None, Situation]:
        """Return a member's plan, which may be over, and the data for its outlook."""
        now = self._now()
        zone = zone_of(conn, user_id, guild_id)
        bank = self._banks.of_member(conn, user_id, guild_id)
        hidden = self._in_play.items_hidden_from(conn, user_id, guild_id)
        situation = Situation(
            known=knowledge(conn, user_id, bank, zone, now, hidden),
            answers=latest_answers(conn, user_id, now - WINDOW, MAX_ANSWERS),
            shares=_shares(conn, user_id, now),
        )
        return store.get(conn, user_id), situation

    # --- for other features

    def course(self, conn: Connection, user_id: int, zone: str, now: datetime) -> Course | None:
        """Return the plan that a member's practice follows; None if they have none."""
        plan = _running_plan(conn, user_id, local_date(zone, now))
        if plan is None:
            return None
        return Course(plan, latest_answers(conn, user_id, now - WINDOW, MAX_ANSWERS))

    def record_day(self, conn: Connection, user_id: int, day: PlannedDay) -> None:
        """Record a day of a member's plan, if they still have one."""
        store.record_day(conn, user_id, day)


class Course(Struct, frozen=True):
    """A running plan and its member's latest answers; implements `bot.practice.next_question.Course`."""

    plan: Plan
    answers: Sequence[Answered]

    def share(self, known: Knowledge) -> Today:
        """Return what is left of the day's share."""
        own = rules.tempo(self.answers, known.zone, known.now)
        return rules.left_today(self.plan, known, own)

    def goal(self, known: Knowledge) -> Goal:
        """Return what a reminder says, which takes too long for a transaction."""
        return Goal((self.plan.day - known.today).days, self.share(known))

    def new_left(self, known: Knowledge) -> int:
        return self.share(known).new

    def split_due(
        self, known: Knowledge, due: Sequence[str], asked: Collection[str]
    ) -> tuple[list[str], list[str]]:
        """Return missed items and the plan's own due ones, then those that can wait."""
        topics = rules.covered_topics(known.bank, self.plan)
        items = {item.id for topic in topics for item in topic.items}
        first = [i for i in due if i in items or known.cards[i].missed]
        others = [i for i in due if i not in items and not known.cards[i].missed]
        return first, [*rules.early_items(self.plan, known, due, items, asked), *others]

    def new_items(self, known: Knowledge) -> Iterator[Item]:
        """Yield the plan's new items, then those of the rest of its goal, then all others."""
        bank, cards = known.bank, known.cards
        ability = known.ability()
        taken: set[str] = set()
        for topics in (
            rules.covered_topics(bank, self.plan),
            rules.goal_topics(bank, self.plan),
            list(bank.asked_topics.values()),
        ):
            fresh = [topic for topic in topics if topic.id not in taken]
            ready, others = goals.topics_in_order(fresh, cards, ability, known.now, known.model)
            yield from goals.items_in_order([*others, *ready], cards, ability)
            taken |= {topic.id for topic in fresh}

    def today(self, known: Knowledge) -> PlannedDay | None:
        """Return what to record of the day; None where nothing of the goal is asked."""
        if not areas.is_asked(known.bank, self.plan.goal_of):
            return None
        ready = rules.readiness(known, rules.covered_topics(known.bank, self.plan))
        return PlannedDay(known.today, per_mille(ready), self.share(known).whole)


def per_mille(share: float) -> int:
    """Return a share from 0 to 1 in tenths of a percent."""
    return round(1000 * share)


def _changed_plan(
    user_id: int,
    before: Plan | None,
    at: Situation,
    day: str | None,
    minutes: int | None,
    goal: str | None,
) -> Plan:
    """Return the plan that a member wants; its topics are still those of before.

    Arguments that are None are taken from the earlier plan, unless that is over.
    """
    today = at.known.today
    if before is not None and before.is_over(today):
        before = None
    if before is not None and (day is None or day.strip() == before.day.isoformat()):
        chosen = before.day
    elif day is not None:
        chosen = read_date(day, today)
    else:
        raise UserError("I need the date of your interview as well. Use </plan> with both.")
    goal_of = before.goal_of if before else areas.ALL
    if goal is not None:
        goal_of = areas.read_area(at.bank, goal)
    if not at.bank.asked:
        raise UserError("There are no questions to practise here yet, so there's nothing to plan.")
    return Plan(
        user_id=user_id,
        day=chosen,
        minutes=minutes or (before.minutes if before else rules.MINUTES),
        set_on=before.set_on if before else today,
        goal=before.goal if before else 0,
        goal_of=goal_of,
        topic_ids=before.topic_ids if before and before.goal_of == goal_of else "",
    )


def _save_plan(
    conn: Connection, outlook: Outlook, before: Plan | None
) -> tuple[PlannedDay, ...] | None:
    """Store a plan in place of `before`, and return its recorded days.

    Returns None and stores nothing if the stored plan is no longer `before`.
    """
    plan = outlook.plan
    if store.get(conn, plan.user_id, lock=True) != before:
        return None
    set_zone_if_unset(conn, plan.user_id, outlook.zone)
    if before is not None:
        over = before.is_over(outlook.today)
        if over or (before.goal_of, before.topic_ids) != (plan.goal_of, plan.topic_ids):
            store.end(conn, before)  # what was recorded is about other topics
    store.save(conn, plan)
    return _record_today(conn, outlook)


def _record_today(conn: Connection, outlook: Outlook) -> tuple[PlannedDay, ...]:
    """Record today, and return all days since the plan was set."""
    user_id = outlook.plan.user_id
    if outlook.is_asked:
        today = PlannedDay(outlook.today, per_mille(outlook.ready), outlook.share.whole)
        store.record_day(conn, user_id, today)
    return tuple(store.days_since(conn, user_id, outlook.plan.set_on))


def _shares(conn: Connection, user_id: int, now: datetime) -> dict[date, int]:
    """Return how many questions a member's plan asked for, by day."""
    return {d.day: d.share for d in store.days_since(conn, user_id, (now - WINDOW).date())}


def _running_plan(conn: Connection, user_id: int, today: date) -> Plan | None:
    plan = store.get(conn, user_id)
    return None if plan is None or plan.is_over(today) else plan
