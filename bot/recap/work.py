"""The recap, moved on by the work queue: decide which weeks are due, then post each once.

A schedule comes due at its time, which gives the week its row; the row is posted like a question of the day.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from bot.core import servers
from bot.core.calendar import RETRY, local_date
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.jobs import Worker
from bot.recap import rules, store
from bot.recap.rules import Recap, RecapState
from bot.recap.service import Recaps, upcoming
from bot.recap.store import RecapRow, Schedule

log = logging.getLogger(__name__)
_OFFLINE = "I was offline for more than a day, so it was skipped."


class Views(Protocol):
    """What the recap shows; `bot.recap.views`."""

    def recap(self, found: Recap, /) -> Awaitable[Any]: ...


class RecapScheduleWork(Worker[Schedule]):
    """Gives every week whose recap's time has come its row: to be posted, or missed."""

    queue = store.SCHEDULES

    def load(self, conn: Connection, key: int, /) -> Schedule | None:
        return store.schedule(conn, key)

    async def step(self, row: Schedule) -> None:
        await self._database.write(
            self._decide, row.guild_id, here=self._context.sender.is_on(row.guild_id)
        )

    async def give_up(self, key: int, reason: str) -> None:
        """A schedule that can't be followed today may be tomorrow."""
        log.error("guild %s: its recap is left out: %s", key, reason)
        await self._database.write(store.rest, key, self._now() + timedelta(days=1))

    def _decide(self, conn: Connection, guild_id: int, *, here: bool) -> None:
        """Decide the weeks that have come; a server that has removed the bot has none until it returns."""
        now = self._now()
        schedule = store.schedule(conn, guild_id, claim=True)
        if (
            schedule is None
            or schedule.channel_id is None
            or schedule.next_at is None
            or schedule.next_at > now
        ):
            return
        zone = servers.zone(conn, guild_id)
        taken = store.taken(conn, guild_id, local_date(zone, now) - rules.TAKEN_FOR)
        since = schedule.settled_until if here else now
        for week, at in rules.due(zone, schedule.weekday, now=now, since=since, taken=taken):
            values: dict[str, Any] = {"state": RecapState.POSTING, "due_at": now}
            if now - at > rules.LATE:
                values = {"state": RecapState.MISSED, "problem": _OFFLINE}
            store.create(
                conn, guild_id, week, channel_id=schedule.channel_id, scheduled_at=at, **values
            )
        next_at = upcoming(conn, schedule, now)
        store.save_schedule(conn, replace(schedule, settled_until=now, next_at=next_at))


class RecapWork(Worker[RecapRow]):
    """Posts a recap, once."""

    queue = store.QUEUE

    def __init__(self, context: Context, recaps: Recaps, views: Views) -> None:
        super().__init__(context)
        self._sender = context.sender
        self._recaps = recaps
        self._views = views

    def load(self, conn: Connection, key: int, /) -> RecapRow | None:
        return store.get(conn, key)

    async def wake(self, guild_id: int) -> None:
        now = self._now()
        if await self._database.write(store.wake, guild_id, now):
            self._context.scheduler.nudge(now)

    def patience(self, _state: str | None) -> timedelta:
        return rules.LATE

    async def step(self, row: RecapRow) -> None:
        try:
            await self._post(row)
        except DeliveryRefused as error:
            log.warning("guild %s: recap of the week of %s: %s", row.guild_id, row.week, error)
            if error.what == "server":
                await self.give_up(row.id, str(error))
            else:  # refused, so surely not done: again, while it is not too late
                again = {"problem": str(error), "due_at": self._now() + RETRY, "tried_at": None}
                await self._database.write(store.change, row.id, expect=RecapState.POSTING, **again)

    async def give_up(self, key: int, reason: str) -> None:
        """A week without its recap is a week without its recap."""
        missed = {"state": RecapState.MISSED, "due_at": None, "problem": reason}
        await self._database.write(store.change, key, expect=RecapState.POSTING, **missed)

    async def _post(self, row: RecapRow) -> None:
        now = self._now()
        too_late = now - row.scheduled_at > rules.LATE
        if too_late and row.tried_at is None:
            await self.give_up(row.id, row.problem or _OFFLINE)
            return

        def claim(conn: Connection) -> Recap | None:
            tried = row.tried_at or now
            if not self.queue.claim(
                conn, row.id, expect=RecapState.POSTING, now=now, tried_at=tried
            ):
                return None
            found = self._recaps.look_back(conn, row)
            if found is None:
                store.change(
                    conn, row.id, expect=RecapState.POSTING, state=RecapState.QUIET, due_at=None
                )
            return found

        found = await self._database.write(claim)
        if found is None:
            return
        message, place = await self._views.recap(found), Place(row.guild_id, row.channel_id)
        if too_late:  # only one that was tried: if it is there, it counts
            message_id = await self._sender.find(place, message, row.tried_at or now)
        else:
            nonce = make_nonce("w", row.id, row.scheduled_at)
            message_id = await self._sender.post(
                place, message, nonce, tried_at=row.tried_at, urgent=False
            )
        if message_id is None:
            await self.give_up(row.id, row.problem or _OFFLINE)
            return
        posted = {
            "state": RecapState.POSTED,
            "message_id": message_id,
            "due_at": None,
            "problem": None,
        }
        await self._database.write(store.change, row.id, expect=RecapState.POSTING, **posted)
        log.info("guild %s: recap of the week of %s posted", row.guild_id, row.week)
