"""Creating recaps when their time comes, and posting them.

When a server's schedule is due, each week whose time has passed gets a row; then the row is posted.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.jobs import Worker
from bot.core.posting import Post, PostWorker
from bot.questions.model import Item
from bot.questions.store import note_asked
from bot.recap import rules, store
from bot.recap import views as view
from bot.recap.model import Recap, RecapSchedule, RecapState
from bot.recap.service import Recaps, upcoming

log = logging.getLogger(__name__)
_OFFLINE = "I was offline for more than a day, so it was skipped."


class RecapScheduleWork(Worker[RecapSchedule]):
    """Creates the row of each week whose recap is due, to be posted or as missed."""

    queue = store.SCHEDULES

    def load(self, conn: Connection, key: int, /) -> RecapSchedule | None:
        return store.schedule(conn, key)

    async def step(self, row: RecapSchedule) -> None:
        await self._database.write(
            self._decide, row.guild_id, on_server=self._sender.is_on(row.guild_id)
        )

    async def give_up(self, key: int, reason: str) -> None:
        """Let the schedule rest for some hours; its recap may still come in time."""
        log.error("guild %s: its recap has to wait: %s", key, reason)
        await self._database.write(store.rest, key, self._now() + rules.LATE / 4)

    def _decide(self, conn: Connection, guild_id: int, *, on_server: bool) -> None:
        """Create the due weeks of a schedule, and compute its next time.

        No row is created while the bot is not on the server.
        """
        now = self._now()
        schedule = store.schedule(conn, guild_id, claim=True)
        if schedule is None or schedule.channel_id is None or schedule.next_at is None:
            return
        if schedule.next_at > now:  # another process was first
            store.save_schedule(conn, schedule)
            return
        zone = servers.zone(conn, guild_id)
        taken = store.taken(conn, guild_id, local_date(zone, now) - rules.TAKEN_FOR)
        first, weekday = schedule.first_week, schedule.weekday
        due = rules.due(zone, weekday, now=now, first=first, taken=taken) if on_server else []
        for week, usual_at in due:
            at = max(usual_at, schedule.next_at)  # a change may have moved it into the past
            values: dict[str, Any] = {"state": RecapState.POSTING, "due_at": now}
            if now - at > rules.LATE:
                values = {"state": RecapState.MISSED, "problem": _OFFLINE}
            store.create(
                conn, guild_id, week, channel_id=schedule.channel_id, scheduled_at=at, **values
            )
        next_week, next_at = upcoming(conn, schedule, now)
        if not on_server:
            first = next_week
        store.save_schedule(conn, replace(schedule, first_week=first, next_at=next_at))


class RecapWork(PostWorker[Recap]):
    """Posts recaps."""

    queue = store.QUEUE

    def __init__(self, context: Context, recaps: Recaps) -> None:
        super().__init__(context)
        self._recaps = recaps

    def load(self, conn: Connection, key: int, /) -> Recap | None:
        return store.get(conn, key)

    def patience(self, _state: str | None) -> timedelta:
        return rules.LATE

    async def step(self, row: Recap) -> None:
        began = self._now()
        try:
            await self.post_once(partial(self._claim, recap=row))
        except DeliveryRefused as error:
            log.warning("guild %s: recap of the week of %s: %s", row.guild_id, row.week, error)
            if error.what == "server":
                await self.give_up(row.id, str(error))
            else:
                state, tried_at = RecapState.POSTING, row.tried_at
                await self.retry_refused(row.id, state, error, tried_at, began=began)

    async def give_up(self, key: int, reason: str) -> None:
        """Skip the week."""
        await self._database.write(_miss, key, reason)

    def _open(self, conn: Connection, recap: Recap, item: Item | None, message_id: int) -> None:
        """Store that a recap is posted."""
        posted = {"state": RecapState.POSTED, "message_id": message_id}
        done = {**posted, "due_at": None, "problem": None}
        store.change(conn, recap.id, expect=RecapState.POSTING, **done)
        if item is not None:
            note_asked(conn, recap.guild_id, item.id, self._now())

    def _claim(self, conn: Connection, recap: Recap) -> Post | None:
        claim, state = self.queue.claim_try, RecapState.POSTING
        if not claim(conn, recap.id, expect=state, now=self._now(), loaded=recap.tried_at):
            return None
        schedule = store.schedule(conn, recap.guild_id)
        withdrawn = schedule is None or rules.is_withdrawn(recap.week, schedule)
        week = None if recap.item_id else self._recaps.look_back(conn, recap)
        item = None if week else self._recaps.question(conn, recap)
        if item is not None:
            store.change(conn, recap.id, expect=state, item_id=item.id)
            build = partial(view.quiet, recap.id, item)
        elif week is not None:
            build = partial(view.recap, week)
        else:
            store.change(conn, recap.id, expect=state, state=RecapState.QUIET, due_at=None)
            return None
        return Post(
            place=Place(recap.guild_id, recap.channel_id),
            nonce=make_nonce("w", recap.id, recap.scheduled_at),
            tried_at=recap.tried_at,
            build=build,
            opened=partial(self._open, recap=recap, item=item),
            missed=partial(
                _miss, recap_id=recap.id, problem=recap.problem or (None if withdrawn else _OFFLINE)
            ),
            expires_at=recap.scheduled_at + (timedelta() if withdrawn else rules.LATE),
        )


def _miss(conn: Connection, recap_id: int, problem: str | None) -> None:
    """Store that a week has no recap, and why."""
    missed = {"state": RecapState.MISSED, "due_at": None, "problem": problem}
    store.change(conn, recap_id, expect=RecapState.POSTING, **missed)
