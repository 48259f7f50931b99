"""The question of the day, moved on by the work queue: decide what is due, post, open the thread, count, close.

A schedule comes due at its post time, which gives the local date its row. A daily is such a row with a state (see
`bot.daily.store`), and a step takes it on from whatever state it finds.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.answers import store as answer_log
from bot.answers.store import DAILY
from bot.core import calendar
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.core.jobs import PATIENCE, Worker
from bot.core.zones import ScheduleError
from bot.daily import store
from bot.daily.rules import (
    ON_THE_WAY,
    Announcement,
    DailyCard,
    DailyResult,
    DailyState,
    OpenDailyCard,
    OpenDailyResult,
)
from bot.daily.service import Dailies, next_post, rule_of, when_to_count
from bot.daily.store import Daily, Schedule
from bot.interviews.assessment import most_missed
from bot.members.store import names_of
from bot.questions import answers
from bot.questions.cards import count_answers
from bot.questions.model import Bank, Topic

log = logging.getLogger(__name__)

RETRY = calendar.RETRY - timedelta(
    seconds=20
)  # between refused posts, with time for the try itself
_STREAKS = _MISSED = 3
_AT_START = 500  # schedules that are looked at in one transaction
_OFFLINE = "I was offline for more than 6 hours, so that day was skipped."


class Views(Protocol):
    """What the question of the day shows; `bot.daily.views`."""

    def announcement(self, words: Announcement, /) -> Any: ...
    def question(self, card: DailyCard | OpenDailyCard, bank: Bank, /) -> Any: ...
    def result(self, card: DailyResult | OpenDailyResult, bank: Bank, /) -> Any: ...


class ScheduleWork(Worker[Schedule]):
    """Gives every local date whose post time has come its row: to be posted, or missed."""

    queue = store.SCHEDULES

    def __init__(self, context: Context, dailies: Dailies) -> None:
        super().__init__(context)
        self._dailies = dailies

    def load(self, conn: Connection, key: int, /) -> Schedule | None:
        return store.schedule(conn, key)

    async def step(self, row: Schedule) -> None:
        await self._database.write(
            self._decide, row.guild_id, here=self._context.sender.is_on(row.guild_id)
        )

    async def give_up(self, key: int, reason: str) -> None:
        """A schedule that can't be followed is paused."""
        log.error("guild %s: its daily is paused: %s", key, reason)
        await self._database.write(
            store.change_schedule, key, paused=True, next_at=None, failures=0
        )

    async def recompute(self) -> None:
        """At start-up: compute post times anew, since zone data may have changed."""
        last: int | None = 0
        while last is not None:
            last = await self._database.write(self._recompute, last)

    def _recompute(self, conn: Connection, after: int) -> int | None:
        """The same for some servers, those whose ids come after one; returns the last of them, None after the last."""
        earliest = self._now() - calendar.LOOK_BACK
        since = earliest.date() - timedelta(days=1)  # no zone is a day behind
        found = store.active_schedules(conn, since, after=after, limit=_AT_START)
        for schedule, taken in found:
            try:
                settled = max(schedule.settled_until, earliest)
                _, at = calendar.next_occurrence(rule_of(schedule), after=settled, taken=taken)
            except ScheduleError as error:  # no date is left
                log.error("guild %s: its daily has no post time: %s", schedule.guild_id, error)
                continue
            if at != schedule.next_at:
                store.change_schedule(conn, schedule.guild_id, next_at=at)
        return found[-1][0].guild_id if len(found) == _AT_START else None

    def _decide(self, conn: Connection, guild_id: int, *, here: bool) -> None:
        """Decide the dates that have come; a server that has removed the bot has none until it returns."""
        now = self._now()
        schedule = store.schedule(conn, guild_id, claim=True)
        if (
            schedule is None
            or schedule.paused
            or schedule.next_at is None
            or schedule.next_at > now
        ):
            return
        since = max(schedule.settled_until, now - calendar.LOOK_BACK) if here else now
        taken = store.taken(conn, guild_id, calendar.local_date(schedule.zone, since))
        for due in calendar.due(rule_of(schedule), now=now, since=since, taken=taken):
            if due.late:
                store.create(
                    conn,
                    guild_id,
                    due.day,
                    state=DailyState.MISSED,
                    scheduled_at=due.at,
                    problem=_OFFLINE,
                )
                log.warning("guild %s: no daily on %s: %s", guild_id, due.day, _OFFLINE)
            else:
                values = self._dailies.new_daily(
                    conn, schedule, due.day, scheduled_at=due.at, now=now
                )
                store.create(conn, guild_id, due.day, **values)
        _, at = next_post(conn, schedule, now)
        store.change_schedule(conn, guild_id, settled_until=now, next_at=at, failures=0)


class DailyWork(Worker[Daily]):
    """Posts a daily, opens its thread and closes it. A role is pinged by words first, which then become the card."""

    queue = store.QUEUE

    def __init__(self, context: Context, dailies: Dailies, views: Views) -> None:
        super().__init__(context)
        self._banks = context.banks
        self._sender = context.sender
        self._dailies = dailies
        self._views = views

    def load(self, conn: Connection, key: int, /) -> Daily | None:
        return store.get(conn, key)

    async def wake(self, guild_id: int) -> None:
        now = self._now()
        if await self._database.write(store.wake, guild_id, now):
            self._context.scheduler.nudge(now)

    def patience(self, state: str | None) -> timedelta:
        """A post is tried until it is too late, and so is the card; a thread and a close are given up before."""
        return calendar.CATCH_UP if state in {DailyState.POSTING, DailyState.SHOWING} else PATIENCE

    async def step(self, row: Daily) -> None:
        try:
            match row.state:
                case DailyState.POSTING:
                    await self._post(row)
                case DailyState.SHOWING if (
                    row.closes_at is not None and self._now() < row.closes_at
                ):
                    await self._show(row)
                case DailyState.THREADING:
                    await self._open_thread(row)
                case DailyState.OPEN if row.closes_at is not None and self._now() < row.closes_at:
                    await self._count(row)
                case DailyState.SHOWING | DailyState.OPEN | DailyState.CLOSING:
                    await self._close(row)
        except DeliveryRefused as error:
            log.warning("guild %s: daily of %s: %s", row.guild_id, row.local_date, error)
            lost = error.what == "server" or (
                row.state is DailyState.SHOWING and error.what == "message"
            )
            if row.state in {DailyState.POSTING, DailyState.SHOWING} and not lost:
                # refused, so surely not done: again, while it is not too late
                again = {"problem": str(error), "due_at": self._now() + RETRY, "tried_at": None}
                await self._database.write(store.change, row.id, expect=row.state, **again)
            else:
                await self.give_up(row.id, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        """A question without its thread is open all the same; one whose close can't be shown is closed."""
        await self._dailies.grade_all(key)

        def leave(conn: Connection) -> None:
            daily = store.get(conn, key, lock=True)
            if daily is None:
                return
            values: dict[str, Any]
            if daily.state is DailyState.POSTING:
                values = {"state": DailyState.MISSED, "due_at": None, "problem": reason}
            elif daily.state is DailyState.THREADING:
                problem = f"The question is posted, but its thread isn't. {reason}"
                values = {
                    "state": DailyState.OPEN,
                    "due_at": when_to_count(conn, daily, self._now()),
                    "problem": problem,
                }
            elif (
                daily.state is DailyState.OPEN
                and daily.closes_at is not None
                and daily.closes_at > self._now()
            ):
                values = {
                    "state": DailyState.OPEN,
                    "due_at": daily.closes_at,
                }  # without its number of answers
            else:
                store.close_daily(conn, key, expect=daily.state, problem=reason)
                return
            store.change(conn, key, expect=daily.state, **values)

        await self._database.write(leave)

    def _miss(self, conn: Connection, daily: Daily) -> None:
        problem = daily.problem or _OFFLINE
        store.change(
            conn,
            daily.id,
            expect=DailyState.POSTING,
            state=DailyState.MISSED,
            due_at=None,
            problem=problem,
        )
        log.warning("guild %s: no daily on %s: %s", daily.guild_id, daily.local_date, problem)

    async def _post(self, daily: Daily) -> None:
        now = self._now()
        too_late = now - daily.scheduled_at > calendar.CATCH_UP

        def claim(conn: Connection) -> tuple[Schedule, Bank] | None:
            schedule = store.schedule(conn, daily.guild_id)
            bank = self._banks.of(conn, daily.guild_id)
            gone = not _topic(daily, bank) or daily.channel_id is None
            if schedule is None or gone or (too_late and daily.tried_at is None):
                self._miss(conn, daily)
                return None
            tried = daily.tried_at or now
            claimed = self.queue.claim(
                conn, daily.id, expect=DailyState.POSTING, now=now, tried_at=tried
            )
            return (schedule, bank) if claimed else None

        found = await self._database.write(claim)
        if found is None:
            return
        schedule, bank = found
        role_id, place = self._role(daily), _place(daily)
        if role_id is None:
            message = self._card(daily, bank, now + timedelta(hours=schedule.answer_hours))
        else:
            item = bank.items.get(daily.item_id or "")
            words = item.prompt if item else bank.topics[daily.topic_id or ""].question
            message = self._views.announcement(Announcement(daily.id, words, role_id))
        if too_late:  # only one that was tried: if it is there, it counts
            message_id = await self._sender.find(place, message, daily.tried_at or now)
        else:
            nonce = make_nonce("d", daily.id, daily.scheduled_at)
            message_id = await self._sender.post(
                place, message, nonce, tried_at=daily.tried_at, urgent=False
            )
        if message_id is None:
            await self._database.write(self._miss, daily)
        elif await self._database.write(
            self._dailies.opened, daily, message_id, announced=role_id is not None
        ):
            log.info(
                "guild %s: daily of %s posted in channel %s",
                daily.guild_id,
                daily.local_date,
                daily.channel_id,
            )

    async def _show(self, daily: Daily) -> None:
        """Make the card of the words that announced it. What can't be shown any more is closed in time."""
        bank = await self._database.read(self._banks.of, daily.guild_id)
        if _topic(daily, bank) and daily.closes_at is not None:
            if not await self._claim(daily, DailyState.SHOWING):
                return
            card = self._card(daily, bank, daily.closes_at)
            await self._sender.edit(_place(daily), daily.message_id or 0, card)
        await self._database.write(self._dailies.shown, daily)

    async def _open_thread(self, daily: Daily) -> None:
        opened: dict[str, Any] = {"state": DailyState.OPEN, "problem": None}
        topic = _topic(daily, await self._database.read(self._banks.of, daily.guild_id))
        if topic is not None:
            if not await self._claim(daily, DailyState.THREADING):
                return
            name = f"Spoilers: {daily.local_date.day} {daily.local_date:%B} · {topic.title}"
            await self._sender.open_thread(_place(daily), daily.message_id or 0, name)
            opened["thread_id"] = daily.message_id  # Discord gives a thread its message's id

        def note(conn: Connection) -> None:
            due_at = when_to_count(conn, daily, self._now())
            store.change(conn, daily.id, expect=DailyState.THREADING, due_at=due_at, **opened)

        await self._database.write(note)

    async def _count(self, daily: Daily) -> None:
        """Let the open card tell how many have answered. An edit that fails is left out, as the next one tells more."""

        def claim(conn: Connection) -> tuple[int, Bank] | None:
            bank = self._banks.of(conn, daily.guild_id)
            if not _topic(daily, bank):
                store.change(conn, daily.id, expect=DailyState.OPEN, due_at=daily.closes_at)
                return None
            claimed = self.queue.claim(conn, daily.id, expect=DailyState.OPEN, now=self._now())
            return (answer_log.count(conn, DAILY, daily.id), bank) if claimed else None

        found = await self._database.write(claim)
        if found is None or daily.closes_at is None:
            return
        number, bank = found
        try:
            card = self._card(daily, bank, daily.closes_at, number)
            await self._sender.edit(_place(daily), daily.message_id or 0, card)
        except (DeliveryRefused, DeliveryUnknown) as error:
            log.info(
                "guild %s: daily of %s: its number of answers: %s",
                daily.guild_id,
                daily.local_date,
                error,
            )
        counted = replace(daily, counted=number)

        def note(conn: Connection) -> None:
            due_at = when_to_count(conn, counted, self._now())  # some may have answered since
            values = {"state": DailyState.OPEN, "due_at": due_at, "counted": number}
            store.change(conn, daily.id, expect=DailyState.OPEN, **values)

        await self._database.write(note)

    async def _close(self, daily: Daily) -> None:
        """Reveal a daily, some of them only after the answers that are on their way.

        An open one waits because its card tells how all were graded. One with an erased answer waits because its member
        may have sent a second one, and after the close nothing tells who that member is.
        """
        waits = daily.topic_id is not None or await self._database.read(
            store.has_erased_answers, daily.id
        )
        if waits and daily.closes_at is not None:
            complete_at = daily.closes_at + ON_THE_WAY
            if self._now() < complete_at:
                await self._database.write(
                    store.change, daily.id, expect=daily.state, due_at=complete_at
                )
                return
        if not await self._claim(daily, DailyState.CLOSING):
            return
        await self._dailies.grade_all(daily.id)
        result = await self._database.read(self._result, daily)
        if result is not None:
            await self._sender.edit(_place(daily), daily.message_id or 0, result)
        problem = (
            None if daily.state is DailyState.CLOSING else daily.problem
        )  # a retry that succeeded has none
        await self._database.write(
            store.close_daily, daily.id, expect=DailyState.CLOSING, problem=problem
        )

    async def _claim(self, daily: Daily, state: DailyState) -> bool:
        return await self._database.write(
            self.queue.claim, daily.id, expect=daily.state, now=self._now(), state=state
        )

    def _result(self, conn: Connection, daily: Daily) -> Any:
        """The closed card; None if the bank has no more what the daily asks."""
        bank = self._banks.of(conn, daily.guild_id)
        if _topic(daily, bank) is None:
            return None
        topic = bank.topics.get(daily.topic_id or "")
        given = answer_log.to_question(conn, DAILY, daily.id)
        longest = sorted(given, key=lambda a: (-(a.streak or 0), a.user_id))[:_STREAKS]
        names = names_of(conn, daily.guild_id, [a.user_id for a in longest])
        streaks = tuple((names.get(a.user_id), a.streak or 0) for a in longest)
        if topic is not None:
            graded = [a.points for a in given if a.answer]
            percent = round(sum(graded) / len(graded)) if graded else None
            lacking = tuple(
                most_missed(
                    (a.answer or "" for a in given), [p.text for p in topic.key_points], _MISSED
                )
            )
            open_result = OpenDailyResult(daily.id, topic, len(given), percent, lacking, streaks)
            return self._views.result(open_result, bank)
        item, order = bank.items[daily.item_id or ""], answers.decode_order(daily.choice_order)
        outcome = count_answers(item, [(a.answer or "", a.correct) for a in given])
        result = DailyResult(daily.id, item, order, outcome, streaks)
        return self._views.result(result, bank)

    def _role(self, daily: Daily) -> int | None:
        """The role to ping, unless it was deleted."""
        if daily.role_id is not None and not self._sender.has_role(daily.guild_id, daily.role_id):
            log.warning(
                "guild %s: the role that its daily pings was deleted; posting without it",
                daily.guild_id,
            )
            return None
        return daily.role_id

    def _card(self, daily: Daily, bank: Bank, closes_at: datetime, answered: int = 0) -> Any:
        """The open card."""
        topic = bank.topics.get(daily.topic_id or "")
        if topic is not None:
            return self._views.question(OpenDailyCard(daily.id, topic, closes_at, answered), bank)
        item, order = bank.items[daily.item_id or ""], answers.decode_order(daily.choice_order)
        return self._views.question(DailyCard(daily.id, item, order, closes_at, answered), bank)


def _topic(daily: Daily, bank: Bank) -> Topic | None:
    """The topic that a daily asks about, whatever kind of question it is; None if the bank has it no more."""
    item = bank.items.get(daily.item_id or "")
    return bank.topic_of(item) if item else bank.topics.get(daily.topic_id or "")


def _place(daily: Daily) -> Place:
    return Place(daily.guild_id, daily.channel_id or 0)
