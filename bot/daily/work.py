"""Creating dailies when their time comes, posting them, opening their threads, and closing them.

When a server's schedule is due, each local date whose post time has passed gets a row. Each step
takes such a row from one state to the next, as `MOVES` in `bot.daily.rules` says.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers.store import DAILY
from bot.core import calendar, member_hashes, servers
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.jobs import PATIENCE, Worker
from bot.core.posting import Post, PostWorker
from bot.daily import rules, schedule_store, store
from bot.daily import views as view
from bot.daily.model import Daily, DailyQuestion, DailyResult, DailyState, Schedule
from bot.daily.schedule_service import Schedules, next_post, rule_of
from bot.daily.service import move, opened
from bot.members.store import names_of
from bot.questions.answers import Outcome, count_answers
from bot.questions.model import Bank

log = logging.getLogger(__name__)

_MOST_STREAKS = 3
"""The longest streaks that a closed card names."""
_BATCH = 500
"""The schedules whose post times are computed in one transaction at start-up."""
_OFFLINE = "I was offline for more than 6 hours, so that day was skipped."
_GONE = "Its question left the question bank before it was posted."


class ScheduleWork(Worker[Schedule]):
    """Creates the row of each local date of a due schedule, to be posted or as missed."""

    queue = schedule_store.SCHEDULES

    def __init__(self, context: Context, schedules: Schedules) -> None:
        super().__init__(context)
        self._schedules = schedules

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
            except Exception as error:  # one schedule must not keep the bot from starting
                log.error("guild %s: its daily has no post time: %r", schedule.guild_id, error)
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
        taken = store.taken(conn, schedule_id, first)
        for due in calendar.due(rule_of(schedule), now=now, since=since, taken=taken):
            if due.late:
                missed = {"state": DailyState.MISSED, "problem": _OFFLINE}
                store.create(conn, schedule, due.day, scheduled_at=due.at, **missed)
                log.warning("guild %s: no daily on %s: %s", guild_id, due.day, _OFFLINE)
            else:
                values = self._schedules.new_daily(
                    conn, schedule, due.day, scheduled_at=due.at, now=now
                )
                store.create(conn, schedule, due.day, **values)
        _, at = next_post(conn, schedule, now)
        schedule_store.change_schedule(conn, schedule_id, settled_until=now, next_at=at, failures=0)


class DailyWork(PostWorker[Daily]):
    """Moves dailies on.

    If a role is pinged, an announcement with the question's words is posted first, because a card
    can't show them in a notification. It is then edited into the card.
    """

    queue = store.QUEUE

    def load(self, conn: Connection, key: int, /) -> Daily | None:
        return store.get(conn, key)

    async def wake(self, guild_id: int) -> None:
        """Post a refused daily at once, after a change that may have allowed it."""
        now = self._now()
        if await self._database.write(store.wake_refused, guild_id, now):
            self._context.scheduler.nudge(now)

    def patience(self, state: str | None) -> timedelta:
        move = rules.MOVES.get(DailyState(state)) if state else None
        return (move and move.patience) or PATIENCE

    async def step(self, row: Daily) -> None:
        began = self._now()
        state = rules.due_step(row, began)
        try:
            match state:
                case DailyState.POSTING:
                    await self.post_once(partial(self._claim_post, daily=row))
                case DailyState.SHOWING:
                    await self._show_card(row)
                case DailyState.THREADING:
                    await self._open_thread(row)
                case DailyState.OPEN:
                    await self._refresh_count(row)
                case DailyState.CLOSING:
                    await self._close(row)
        except DeliveryRefused as error:
            log.warning("guild %s: daily of %s: %s", row.guild_id, row.local_date, error)
            if rules.MOVES[state].tries_again and error.what not in {"server", "message"}:
                await self.retry_refused(row.id, state, error, row.tried_at, began=began)
            else:
                await self.give_up(row.id, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        """Skip what fails: the date, the card, the thread, the number on it, or the result."""
        await self._database.write(self._skip_step, key, reason)

    def _skip_step(self, conn: Connection, daily_id: int, reason: str) -> None:
        daily = store.get(conn, daily_id, lock=True)
        if daily is not None and daily.state in rules.MOVES:
            now = self._now()
            given_up = rules.MOVES[rules.due_step(daily, now)]
            problem = given_up.problem.format(reason) or None
            move(conn, daily, given_up.given_up, now, problem=problem)

    def _claim_post(self, conn: Connection, daily: Daily) -> Post | None:
        now = self._now()
        claim, state = self.queue.claim_try, DailyState.POSTING
        if not claim(conn, daily.id, expect=state, now=now, loaded=daily.tried_at):
            return None
        bank = self._banks.of(conn, daily.guild_id)
        question = rules.asked_by(daily, bank)
        schedule = schedule_store.schedule(conn, daily.schedule_id)
        if question is None:
            self._miss(conn, daily, problem=_GONE)
            return None
        withdrawn = rules.is_withdrawn(daily, schedule)
        role_id = self._role(daily)
        closes_at = now + timedelta(hours=daily.answer_hours)
        return Post(
            place=_place(daily),
            nonce=make_nonce("d", daily.id, daily.scheduled_at),
            tried_at=daily.tried_at,
            build=partial(
                self._first_message, replace(daily, closes_at=closes_at), question, bank, role_id
            ),
            opened=partial(opened, daily=daily, now=now, announced=role_id is not None),
            missed=partial(self._skip if withdrawn else self._miss, daily=daily),
            expires_at=daily.scheduled_at + (timedelta() if withdrawn else calendar.CATCH_UP),
        )

    async def _first_message(
        self, daily: Daily, question: DailyQuestion, bank: Bank, role_id: int | None
    ) -> Any:
        """Return the announcement if a role is pinged, otherwise the card."""
        if role_id is None:
            return view.card(daily, question, bank)
        return view.announcement(daily, question, role_id)

    def _skip(self, conn: Connection, daily: Daily) -> None:
        move(conn, daily, DailyState.SKIPPED, self._now())

    def _miss(self, conn: Connection, daily: Daily, *, problem: str = _OFFLINE) -> None:
        """Store that a date has no daily, and why."""
        problem = daily.problem or problem
        move(conn, daily, DailyState.MISSED, self._now(), problem=problem)
        log.warning("guild %s: no daily on %s: %s", daily.guild_id, daily.local_date, problem)

    async def _show_card(self, daily: Daily) -> None:
        """Edit the announcement into the card, if what the daily asks is still in the bank."""
        bank = await self._database.read(self._banks.of, daily.guild_id)
        question = rules.asked_by(daily, bank)
        if question is not None:
            if not await self._claim(daily, DailyState.SHOWING):
                return
            card = view.card(daily, question, bank)
            await self._sender.edit(_place(daily), daily.message_id or 0, card)
        await self._done(daily, problem=None)

    async def _open_thread(self, daily: Daily) -> None:
        bank = await self._database.read(self._banks.of, daily.guild_id)
        question = rules.asked_by(daily, bank)
        if question is None:
            await self._done(daily, problem=None)
            return
        if not await self._claim(daily, DailyState.THREADING):
            return
        title = f"Spoilers: {daily.local_date.day} {daily.local_date:%B} · {question.topic.title}"
        await self._sender.open_thread(_place(daily), daily.message_id or 0, title)
        # a thread has the id of its message:
        # https://discord.com/developers/docs/resources/channel#start-thread-from-message
        await self._done(daily, problem=None, thread_id=daily.message_id)

    async def _refresh_count(self, daily: Daily) -> None:
        """Show on the open card how many have answered. An edit that fails is not retried."""
        if self._sender.is_busy():
            await self._done(daily)  # it is due again, because the card has an older number
            return
        if not await self._claim(daily, DailyState.OPEN):
            return
        bank = await self._database.read(self._banks.of, daily.guild_id)
        counted = await self._database.read(answers_store.count, DAILY, daily.id)
        question = rules.asked_by(daily, bank)
        if question is not None:
            try:
                card = view.card(replace(daily, counted=counted), question, bank)
                await self._sender.edit(_place(daily), daily.message_id or 0, card)
            except Exception as error:
                log.info(
                    "guild %s: daily of %s: its number of answers: %r",
                    daily.guild_id,
                    daily.local_date,
                    error,
                )
        await self._done(daily, counted=counted)

    async def _close(self, daily: Daily) -> None:
        """Reveal a daily.

        One with an erased answer waits until the answers sent before the close have arrived: its
        member may have sent a second one, which can no longer be recognized after the close.
        """
        assert daily.closes_at is not None
        complete_at = daily.closes_at + rules.ON_THE_WAY
        if self._now() < complete_at and await self._database.read(
            member_hashes.has_hashes, DAILY, daily.id
        ):
            await self._database.write(
                store.change, daily.id, expect=daily.state, due_at=complete_at
            )
            return
        if not await self._claim(daily, DailyState.CLOSING):
            return
        result = await self._database.read(self._result, daily)
        if result is not None:
            await self._sender.edit(_place(daily), daily.message_id or 0, result)
        problem = daily.problem
        if daily.state is DailyState.CLOSING:  # an earlier attempt to close wrote over it
            problem = rules.lack(daily) if result is not None else None
        await self._done(replace(daily, state=DailyState.CLOSING), problem=problem)

    async def _claim(self, daily: Daily, state: DailyState) -> bool:
        return await self._database.write(
            self.queue.claim, daily.id, expect=daily.state, now=self._now(), state=state
        )

    async def _done(self, daily: Daily, **values: Any) -> None:
        """Store that a daily's step is done."""

        def store_next(conn: Connection) -> None:
            move(conn, daily, rules.next_state(daily), self._now(), **values)

        await self._database.write(store_next)

    def _result(self, conn: Connection, daily: Daily) -> Any:
        """Return the closed card, or None if what the daily asks is no longer in the bank."""
        bank = self._banks.of(conn, daily.guild_id)
        question = rules.asked_by(daily, bank)
        if question is None:
            return None
        given = answers_store.to_question(conn, DAILY, daily.id)
        longest = sorted(given, key=lambda a: (-(a.streak or 0), a.user_id))[:_MOST_STREAKS]
        names = names_of(conn, daily.guild_id, [a.user_id for a in longest])
        streaks = tuple((names.get(a.user_id), a.streak or 0) for a in longest)
        if question.item is not None:
            outcome = count_answers(question.item, [(a.answer or "", a.correct) for a in given])
            return view.result(daily, question, DailyResult(outcome, streaks), bank)
        ticks = [a.answer for a in given if a.answer]
        missed = rules.most_missed(ticks, [p.text for p in question.topic.key_points])
        outcome = Outcome(len(given), 0, {})
        result = DailyResult(outcome, streaks, missed, len(ticks))
        return view.result(daily, question, result, bank)

    def _role(self, daily: Daily) -> int | None:
        """Return the role to ping, or None if there is none or it was deleted."""
        if daily.role_id is not None and not self._sender.has_role(daily.guild_id, daily.role_id):
            log.warning(
                "guild %s: the role that its daily pings was deleted; posting without it",
                daily.guild_id,
            )
            return None
        return daily.role_id


def _place(daily: Daily) -> Place:
    return Place(daily.guild_id, daily.channel_id or 0)
