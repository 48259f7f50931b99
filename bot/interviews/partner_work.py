"""The steps of interviews with a partner that come due: cards to post, a thread to open, and ends."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.posting import Post, PostWorker
from bot.interviews import partner_store, partner_views, rules
from bot.interviews.model import PartnerEnding, PartnerInterview, PartnerState
from bot.interviews.partner_service import PartnerInterviews

log = logging.getLogger(__name__)

_POSTS = {
    PartnerState.POSTING: (partner_views.looking, PartnerState.OPEN, rules.OPEN_FOR),
    PartnerState.CALLING: (partner_views.turn, PartnerState.ASKING, rules.IDLE_AFTER),
    PartnerState.SHOWING: (partner_views.ticks_ready, PartnerState.CONFIRMING, rules.IDLE_AFTER),
    PartnerState.CLOSING: (partner_views.over, PartnerState.ENDED, None),
}
"""By state: the card to post, the next state, and the length of that one."""


class PartnerWork(PostWorker[PartnerInterview]):
    """Moves interviews with a partner on when their time has come."""

    queue = partner_store.QUEUE

    def __init__(self, context: Context, partners: PartnerInterviews) -> None:
        super().__init__(context)
        self._partners = partners

    def load(self, conn: Connection, key: int, /) -> PartnerInterview | None:
        return partner_store.get(conn, key)

    async def step(self, row: PartnerInterview) -> None:
        if not self._sender.is_on(row.guild_id):
            await self._database.write(self._end, row.id, PartnerEnding.LOST)
            return
        try:
            if row.state is PartnerState.OPENING:
                await self._open(row)
            elif row.state is PartnerState.CLOSING and row.thread_id is None:
                await self._close_card(row)
            elif row.state in _POSTS:
                await self.post_once(partial(self._claim, row=row))
            else:
                await self._database.write(self._time_is_up, row.id)
        except DeliveryRefused as error:
            log.info("interview %s with a partner: %s", row.id, error)
            await self._refused(row.id, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        log.error("interview %s with a partner is given up: %s", key, reason)
        await self._refused(key, reason)

    async def _refused(self, key: int, reason: str) -> None:
        """End what can't go on. Without a thread, the card or a private reply says so."""
        row = await self._database.read(partner_store.get, key)
        if row is None:
            return
        if row.state is PartnerState.OPENING:
            await self._database.write(self._partners.close, row, PartnerEnding.REFUSED)
            self._context.scheduler.nudge(self._now())
            return
        await self._database.write(self._end, key, row.ending or PartnerEnding.LOST)
        if row.state is PartnerState.POSTING:
            sorry = (
                f"I couldn't post your card. {reason} Once that's fixed, use </interview> again."
            )
            await self._partners.pending_starts.notify(key, sorry)

    def _end(self, conn: Connection, key: int, ending: PartnerEnding) -> None:
        row = partner_store.get(conn, key, lock=True)
        if row is not None and row.state is not PartnerState.ENDED:
            ended = {"state": PartnerState.ENDED, "ending": ending, "due_at": None}
            partner_store.change(conn, key, expect=row.state, tried_at=None, **ended)

    def _time_is_up(self, conn: Connection, key: int) -> None:
        """Close a search that found nobody, or an interview where nothing happens."""
        row = partner_store.get(conn, key, lock=True)
        if row is None or row.due_at is None or row.due_at > self._now():
            return
        if row.state is PartnerState.OPEN:
            self._partners.close(conn, row, PartnerEnding.EXPIRED)
        elif row.state in {PartnerState.ASKING, PartnerState.CONFIRMING}:
            ending = PartnerEnding.LEFT if 0 in row.members else PartnerEnding.IDLE
            self._partners.close(conn, row, ending)

    async def _open(self, row: PartnerInterview) -> None:
        """Open the private thread for both."""
        name = await self._database.write(self._claim_thread, row)
        if name is None:
            return
        place = Place(row.guild_id, row.channel_id)
        thread_id = await self._sender.open_private_thread(place, name, tried_at=row.tried_at)
        for user_id in row.members:
            await self._sender.add_to_thread(Place(row.guild_id, thread_id), user_id)
        await self._database.write(self._partners.begin, row.id, thread_id)
        self._context.scheduler.nudge(self._now())

    def _claim_thread(self, conn: Connection, row: PartnerInterview) -> str | None:
        """Return the name of the thread to open."""
        if not self._claimed(conn, row):
            return None
        names = self._partners.describe(conn, row).names
        who = " and ".join(names.get(user_id, "a member") for user_id in row.members)
        # its number makes the name unique, so that the thread can be found after a crash
        return f"Mock interview {row.id}: {who}"

    def _claimed(self, conn: Connection, row: PartnerInterview) -> bool:
        now = self._now()
        tried_at = row.tried_at or now
        return self.queue.claim(conn, row.id, expect=row.state, now=now, tried_at=tried_at)

    async def _close_card(self, row: PartnerInterview) -> None:
        """Take the button off a card that led to no interview."""
        if not await self._database.write(self._claimed, row):
            return
        if row.message_id is not None:
            card = await self._database.read(self._partners.describe, row)
            place = Place(row.guild_id, row.channel_id)
            await self._sender.edit(place, row.message_id, partner_views.closed(card))
        await self._database.write(self._end, row.id, row.ending or PartnerEnding.LOST)

    def _claim(self, conn: Connection, row: PartnerInterview) -> Post | None:
        if not self._claimed(conn, row):
            return None
        searching = row.state is PartnerState.POSTING
        return Post(
            place=Place(row.guild_id, row.thread_id or row.channel_id),
            nonce=make_nonce(f"p{row.turn}{row.state[:2]}", row.id, row.asked_at or row.created_at),
            tried_at=row.tried_at,
            build=partial(self._message, row),
            opened=partial(self._posted, row=row),
            missed=partial(self._end, key=row.id, ending=PartnerEnding.EXPIRED),
            expires_at=row.created_at + rules.OPEN_FOR if searching else None,
        )

    async def _message(self, row: PartnerInterview) -> Any:
        card = await self._database.read(self._partners.describe, row)
        if card.topic is None and row.state is PartnerState.CALLING:
            raise DeliveryRefused("refused", "Its topic left the bank.")
        show, _, _ = _POSTS[row.state]
        return show(card)

    def _posted(self, conn: Connection, *, message_id: int, row: PartnerInterview) -> None:
        _, following, lasts = _POSTS[row.state]
        values: dict[str, Any] = {"state": following, "tried_at": None}
        values["due_at"] = self._now() + lasts if lasts else None
        if row.state is PartnerState.POSTING:
            values["message_id"] = message_id
            self._partners.pending_starts.remove(row.id)
        partner_store.change(conn, row.id, expect=row.state, **values)
