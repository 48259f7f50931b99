"""Creating dailies when their time comes, posting them, opening their threads, and closing them.

When a server's schedule is due, each local date whose post time has passed gets a row. Each step
takes such a row from one state (see `bot.daily.store`) to the next.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers.store import DAILY
from bot.core import calendar, servers
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.core.jobs import PATIENCE, Worker
from bot.core.posting import Post, PostWorker
from bot.core.zones import ScheduleError
from bot.daily import schedule_store, store
from bot.daily.cards import Announcement, DailyCard, DailyResult, OpenDailyCard, OpenDailyResult
from bot.daily.rules import DEFAULT_HOURS, ON_THE_WAY, Daily, DailyState, Schedule, asked_by
from bot.daily.schedule_service import next_post, rule_of
from bot.daily.service import Dailies, when_to_count
from bot.interviews.rules import most_lacking
from bot.members.store import names_of
from bot.questions import answers
from bot.questions.cards import count_answers
from bot.questions.model import Bank, Topic

log = logging.getLogger(__name__)

_MOST_STREAKS = 3
_MOST_LACKING = 3
"""The longest streaks, and the key points most often missed, that a closed card names."""
_BATCH = 500
"""The schedules whose post times are computed in one transaction at start-up."""
_OFFLINE = "I was offline for more than 6 hours, so that day was skipped."


class Views(Protocol):
    """Makes the messages of a daily, as `bot.daily.views` does."""

    def announcement(self, words: Announcement, /) -> Any: ...
    def question(self, card: DailyCard | OpenDailyCard, bank: Bank, /) -> Any: ...
    def result(self, card: DailyResult | OpenDailyResult, bank: Bank, /) -> Any: ...


class ScheduleWork(Worker[Schedule]):
    """Creates the row of each local date of a due schedule, to be posted or as missed."""

    queue = schedule_store.SCHEDULES

    def __init__(self, context: Context, dailies: Dailies) -> None:
        super().__init__(context)
        self._dailies = dailies

    def load(self, conn: Connection, key: int, /) -> Schedule | None:
        return schedule_store.schedule(conn, key)

    async def step(self, row: Schedule) -> None:
        await self._database.write(
            self._decide, row.guild_id, row.id, on_server=self._sender.is_on(row.guild_id)
        )

    async def give_up(self, key: int, reason: str) -> None:
        """Pause the schedule."""
        log.error("daily schedule %s is paused: %s", key, reason)
        await self._database.write(
            schedule_store.change_schedule, key, paused=True, next_at=None, failures=0
        )

    async def recompute(self) -> None:
        """Compute all post times again at start-up, because zone data may have changed."""
        last: int | None = 0
        while last is not None:
            last = await self._database.write(self._recompute_batch, last)

    def _recompute_batch(self, conn: Connection, after: int) -> int | None:
        """Compute the post times of the next schedules by id.

        Returns the last of these ids, or None if no schedule comes after them.
        """
        earliest = self._now() - calendar.LOOK_BACK
        since = earliest.date() - timedelta(days=1)  # no zone is a day behind
        found = schedule_store.active_schedules(conn, since, after=after, limit=_BATCH)
        for schedule, taken in found:
            try:
                settled = max(schedule.settled_until, earliest)
                _, at = calendar.next_occurrence(rule_of(schedule), after=settled, taken=taken)
            except ScheduleError as error:
                log.error("guild %s: its daily has no post time: %s", schedule.guild_id, error)
                continue
            if at != schedule.next_at:
                schedule_store.change_schedule(conn, schedule.id, next_at=at)
        return found[-1][0].id if len(found) == _BATCH else None

    def _decide(
        self, conn: Connection, guild_id: int, schedule_id: int, *, on_server: bool
    ) -> None:
        """Create the due dates of a schedule, and compute its next post time.

        No row is created while the bot is not on the server.
        """
        now = self._now()
        servers.lock(conn, guild_id)  # so that two dailies can't draw the same question
        schedule = schedule_store.schedule(conn, schedule_id, claim=True)
        if schedule is None or schedule.next_at is None or schedule.next_at > now:
            return
        if schedule.paused:  # another process stored the post time just after the pause
            schedule_store.change_schedule(conn, schedule_id, next_at=None)
            return
        since = max(schedule.settled_until, now - calendar.LOOK_BACK) if on_server else now
        first = calendar.local_date(schedule.zone, since)
        taken = store.taken(conn, guild_id, schedule.number, first)
        for due in calendar.due(rule_of(schedule), now=now, since=since, taken=taken):
            if due.late:
                store.create(
                    conn,
                    guild_id,
                    due.day,
                    number=schedule.number,
                    name=schedule.name,
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
        schedule_store.change_schedule(conn, schedule_id, settled_until=now, next_at=at, failures=0)


class DailyWork(PostWorker[Daily]):
    """Moves dailies on.

    If a role is pinged, an announcement with the question's words is posted first, because a card
    can't show them in a notification. It is then edited into the card.
    """

    queue = store.QUEUE

    def __init__(self, context: Context, dailies: Dailies, views: Views) -> None:
        super().__init__(context)
        self._dailies = dailies
        self._views = views

    def load(self, conn: Connection, key: int, /) -> Daily | None:
        return store.get(conn, key)

    def patience(self, state: str | None) -> timedelta:
        """A post and its card are retried until it is too late, a thread and a close for less."""
        return calendar.CATCH_UP if state in {DailyState.POSTING, DailyState.SHOWING} else PATIENCE

    async def step(self, row: Daily) -> None:
        open_now = row.closes_at is not None and self._now() < row.closes_at
        try:
            match row.state:
                case DailyState.POSTING:
                    await self.post_once(partial(self._claim_post, daily=row))
                case DailyState.SHOWING if open_now:
                    await self._show_card(row)
                case DailyState.THREADING:
                    await self._open_thread(row)
                case DailyState.OPEN if open_now:
                    await self._refresh_count(row)
                case DailyState.SHOWING | DailyState.OPEN | DailyState.CLOSING:
                    await self._close(row)
        except DeliveryRefused as error:
            log.warning("guild %s: daily of %s: %s", row.guild_id, row.local_date, error)
            lost = error.what == "server" or (
                row.state is DailyState.SHOWING and error.what == "message"
            )
            if row.state in {DailyState.POSTING, DailyState.SHOWING} and not lost:
                await self.retry_refused(row.id, row.state, error)
            else:
                await self.give_up(row.id, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        """Skip what fails: the date, the thread, the count on the card, or showing the result."""
        await self._dailies.grader.grade_all(key)
        await self._database.write(self._skip_step, key, reason)

    def _skip_step(self, conn: Connection, daily_id: int, reason: str) -> None:
        daily = store.get(conn, daily_id, lock=True)
        if daily is None:
            return
        now = self._now()
        values: dict[str, Any]
        match daily.state:
            case DailyState.POSTING:
                values = {"state": DailyState.MISSED, "due_at": None, "problem": reason}
            case DailyState.THREADING:
                values = {
                    "state": DailyState.OPEN,
                    "due_at": when_to_count(conn, daily, now),
                    "problem": f"The question is posted, but its thread isn't. {reason}",
                }
            case DailyState.OPEN if daily.closes_at is not None and daily.closes_at > now:
                values = {"state": DailyState.OPEN, "due_at": daily.closes_at}
            case _:
                store.close_daily(conn, daily_id, expect=daily.state, problem=reason)
                return
        store.change(conn, daily_id, expect=daily.state, **values)

    def _claim_post(self, conn: Connection, daily: Daily) -> Post | None:
        now = self._now()
        schedule = schedule_store.schedule_of(conn, daily.guild_id, daily.number)
        bank = self._banks.of(conn, daily.guild_id)
        is_removed = schedule is None and daily.tried_at is None
        if is_removed or daily.channel_id is None or asked_by(daily, bank) is None:
            self._miss(conn, daily)
            return None
        tried_at = daily.tried_at or now
        if not self.queue.claim(
            conn, daily.id, expect=DailyState.POSTING, now=now, tried_at=tried_at
        ):
            return None
        role_id = self._role(daily)
        hours = schedule.answer_hours if schedule else DEFAULT_HOURS
        closes_at = now + timedelta(hours=hours)
        return Post(
            place=_place(daily),
            nonce=make_nonce("d", daily.id, daily.scheduled_at),
            tried_at=daily.tried_at,
            build=partial(self._first_message, daily, bank, role_id, closes_at),
            opened=partial(self._dailies.opened, daily=daily, announced=role_id is not None),
            missed=partial(self._miss, daily=daily),
            expires_at=daily.scheduled_at + calendar.CATCH_UP,
        )

    async def _first_message(
        self, daily: Daily, bank: Bank, role_id: int | None, closes_at: datetime
    ) -> Any:
        """Return the announcement if a role is pinged, otherwise the card."""
        if role_id is None:
            return self._card(daily, bank, closes_at)
        asked = asked_by(daily, bank)
        assert asked is not None
        words = asked.question if isinstance(asked, Topic) else asked.prompt
        return self._views.announcement(Announcement(daily.id, words, role_id, daily.name))

    def _miss(self, conn: Connection, daily: Daily) -> None:
        """Store that a date has no daily, and why."""
        problem = daily.problem or _OFFLINE
        missed = {"state": DailyState.MISSED, "due_at": None, "problem": problem}
        store.change(conn, daily.id, expect=DailyState.POSTING, **missed)
        log.warning("guild %s: no daily on %s: %s", daily.guild_id, daily.local_date, problem)

    async def _show_card(self, daily: Daily) -> None:
        """Edit the announcement into the card, if what the daily asks is still in the bank."""
        bank = await self._database.read(self._banks.of, daily.guild_id)
        if asked_by(daily, bank) and daily.closes_at is not None:
            if not await self._claim(daily, DailyState.SHOWING):
                return
            card = self._card(daily, bank, daily.closes_at)
            await self._sender.edit(_place(daily), daily.message_id or 0, card)
        await self._database.write(self._dailies.shown, daily)

    async def _open_thread(self, daily: Daily) -> None:
        values: dict[str, Any] = {"state": DailyState.OPEN, "problem": None}
        bank = await self._database.read(self._banks.of, daily.guild_id)
        if asked := asked_by(daily, bank):
            if not await self._claim(daily, DailyState.THREADING):
                return
            topic = asked if isinstance(asked, Topic) else bank.topic_of(asked)
            title = f"Spoilers: {daily.local_date.day} {daily.local_date:%B} · {topic.title}"
            await self._sender.open_thread(_place(daily), daily.message_id or 0, title)
            # a thread has the id of its message:
            # https://discord.com/developers/docs/resources/channel#start-thread-from-message
            values["thread_id"] = daily.message_id

        def store_thread(conn: Connection) -> None:
            due_at = when_to_count(conn, daily, self._now())
            store.change(conn, daily.id, expect=DailyState.THREADING, due_at=due_at, **values)

        await self._database.write(store_thread)

    async def _refresh_count(self, daily: Daily) -> None:
        """Show on the open card how many have answered. An edit that fails is not retried."""

        def claim(conn: Connection) -> tuple[int, Bank] | None:
            bank = self._banks.of(conn, daily.guild_id)
            if not asked_by(daily, bank):
                store.change(conn, daily.id, expect=DailyState.OPEN, due_at=daily.closes_at)
                return None
            claimed = self.queue.claim(conn, daily.id, expect=DailyState.OPEN, now=self._now())
            return (answers_store.count(conn, DAILY, daily.id), bank) if claimed else None

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

        def store_count(conn: Connection) -> None:
            due_at = when_to_count(conn, counted, self._now())  # some may have answered since
            values = {"state": DailyState.OPEN, "due_at": due_at, "counted": number}
            store.change(conn, daily.id, expect=DailyState.OPEN, **values)

        await self._database.write(store_count)

    async def _close(self, daily: Daily) -> None:
        """Reveal a daily, in two cases only after the answers sent before the close have arrived.

        An open question waits because its card shows how all answers were graded. A daily with an
        erased answer waits because its member may have sent a second one, which can no longer be
        recognized after the close.
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
        await self._dailies.grader.grade_all(daily.id)
        result = await self._database.read(self._result, daily)
        if result is not None:
            await self._sender.edit(_place(daily), daily.message_id or 0, result)
        # a problem of an earlier attempt to close is solved by this one
        problem = None if daily.state is DailyState.CLOSING else daily.problem
        await self._database.write(
            store.close_daily, daily.id, expect=DailyState.CLOSING, problem=problem
        )

    async def _claim(self, daily: Daily, state: DailyState) -> bool:
        return await self._database.write(
            self.queue.claim, daily.id, expect=daily.state, now=self._now(), state=state
        )

    def _result(self, conn: Connection, daily: Daily) -> Any:
        """Return the closed card, or None if what the daily asks is no longer in the bank."""
        bank = self._banks.of(conn, daily.guild_id)
        asked = asked_by(daily, bank)
        if asked is None:
            return None
        given = answers_store.to_question(conn, DAILY, daily.id)
        longest = sorted(given, key=lambda a: (-(a.streak or 0), a.user_id))[:_MOST_STREAKS]
        names = names_of(conn, daily.guild_id, [a.user_id for a in longest])
        streaks = tuple((names.get(a.user_id), a.streak or 0) for a in longest)
        result: DailyResult | OpenDailyResult
        if isinstance(asked, Topic):
            texts = (a.answer or "" for a in given)
            lacking = most_lacking(texts, [p.text for p in asked.key_points], _MOST_LACKING)
            result = OpenDailyResult(
                daily.id, asked, len(given), tuple(lacking), streaks, daily.name
            )
        else:
            order = answers.decode_order(daily.choice_order)
            outcome = count_answers(asked, [(a.answer or "", a.correct) for a in given])
            result = DailyResult(daily.id, asked, order, outcome, streaks, daily.name)
        return self._views.result(result, bank)

    def _role(self, daily: Daily) -> int | None:
        """Return the role to ping, or None if there is none or it was deleted."""
        if daily.role_id is not None and not self._sender.has_role(daily.guild_id, daily.role_id):
            log.warning(
                "guild %s: the role that its daily pings was deleted; posting without it",
                daily.guild_id,
            )
            return None
        return daily.role_id

    def _card(self, daily: Daily, bank: Bank, closes_at: datetime, answered: int = 0) -> Any:
        """Return the card of an open daily."""
        asked = asked_by(daily, bank)
        assert asked is not None
        card: DailyCard | OpenDailyCard
        if isinstance(asked, Topic):
            card = OpenDailyCard(daily.id, asked, closes_at, answered, daily.name)
        else:
            order = answers.decode_order(daily.choice_order)
            card = DailyCard(daily.id, asked, order, closes_at, answered, daily.name)
        return self._views.question(card, bank)


def _place(daily: Daily) -> Place:
    return Place(daily.guild_id, daily.channel_id or 0)
