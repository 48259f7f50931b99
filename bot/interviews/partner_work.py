"""The steps of interviews with a partner that come due: cards to post, a thread to open, and ends."""

from __future__ import annotations

import logging
from datetime import timedelta
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
        closing = row.state in {PartnerState.CLOSING, PartnerState.ENDED}
        try:
            if row.is_deserted and not closing:
                await self._database.write(self._partners.desert, row.id)
                self._context.scheduler.nudge(self._now())
            elif row.state is PartnerState.OPENING:
                await self._open(row)
            elif row.state is PartnerState.CLOSING and row.thread_id is None:
                await self._close_card(row)
            elif row.state in _POSTS:
                await self.post_once(partial(self._claim, row=row))
            else:
                await self._database.write(self._time_is_up, row.id)
        except DeliveryRefused as error:
            log.info("interview %s with a partner: %s", row.id, error)
            no_thread = error.what == "permission"
            ending = PartnerEnding.REFUSED if no_thread else PartnerEnding.LOST
            await self._stop(row.id, str(error), ending)

    async def give_up(self, key: int, reason: str) -> None:
        log.error("interview %s with a partner is given up: %s", key, reason)
        await self._stop(key, reason, PartnerEnding.LOST)

    async def _stop(self, key: int, reason: str, ending: PartnerEnding) -> None:
        """End what can't go on. Without a thread, the card or a private reply says so."""
        row = await self._database.read(partner_store.get, key)
        if row is None:
            return
        if row.state is PartnerState.OPENING:
            await self._database.write(self._partners.close, row, ending)
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
            self._partners.close(conn, row, PartnerEnding.IDLE)

    async def _open(self, row: PartnerInterview) -> None:
        """Open the private thread for both."""
        claimed = await self._database.write(self._claim_thread, row)
        if claimed is None:
            return
        name, others = claimed
        place = Place(row.guild_id, row.channel_id)
        thread_id = await self._sender.open_private_thread(place, name, others=others)
        thread = Place(row.guild_id, thread_id)
        here = [await self._add(thread, user_id) for user_id in row.members]
        begin = self._partners.begin if all(here) else self._partners.desert
        await self._database.write(begin, row.id, thread_id)
        self._context.scheduler.nudge(self._now())

    async def _add(self, thread: Place, user_id: int) -> bool:
        """Add a member to a thread; False if they have left the server or can't be added."""
        try:
            await self._sender.add_to_thread(thread, user_id)
        except DeliveryRefused as error:
            log.info("a member can't be added to the thread %s: %s", thread.channel_id, error)
            return False
        return True

    def _claim_thread(
        self, conn: Connection, row: PartnerInterview
    ) -> tuple[str, set[int] | None] | None:
        """Return the name of the thread to open and, after an earlier try, those of other interviews."""
        if not self._claimed(conn, row):
            return None
        names = self._partners.describe(conn, row).names
        who = " and ".join(names.get(user_id, "a member") for user_id in row.members)
        others = partner_store.threads_on(conn, row.guild_id) if row.tried_at else None
        return f"Mock interview: {who}", others

    def _claimed(self, conn: Connection, row: PartnerInterview) -> bool:
        """Claim a row, unless something was pressed since it was loaded."""
        if partner_store.get(conn, row.id, lock=True) != row:
            return False
        now = self._now()
        return self.queue.claim_try(conn, row.id, expect=row.state, now=now, loaded=row.tried_at)

    async def _close_card(self, row: PartnerInterview) -> None:
        """Take the button off a card that led to no interview."""
        if not await self._database.write(self._claimed, row):
            return
        card = await self._database.read(self._partners.describe, row)
        place, message_id = Place(row.guild_id, row.channel_id), row.message_id
        if message_id is None and row.tried_at is not None:
            message_id = await self._sender.find(place, partner_views.looking(card), row.tried_at)
        if message_id is not None:
            await self._sender.edit(place, message_id, partner_views.closed(card))
        await self._database.write(self._end, row.id, row.ending or PartnerEnding.LOST)

    def _claim(self, conn: Connection, row: PartnerInterview) -> Post | None:
        if not self._claimed(conn, row):
            return None
        searching = row.state is PartnerState.POSTING
        calling = row.state is PartnerState.CALLING
        if calling and self._partners.describe(conn, row).topic is None:  # it left the bank
            self._partners.ask(conn, row, row.turn)
            return None
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
        show, _, _ = _POSTS[row.state]
        return show(card)

    def _posted(self, conn: Connection, *, message_id: int, row: PartnerInterview) -> None:
        """Go on, unless something was pressed while the message was on its way."""
        found = partner_store.get(conn, row.id, lock=True)
        if found is None:
            return
        following, lasts = _POSTS[row.state][1:]
        if row.state is PartnerState.POSTING:
            self._partners.pending_starts.remove(row.id)
            partner_store.change(conn, row.id, expect=found.state, message_id=message_id)
            if found.state in {PartnerState.CLOSING, PartnerState.ENDED}:
                # it was withdrawn, and the card that came too late has a button to take off
                row, following, lasts = found, PartnerState.CLOSING, timedelta()
        if _asked(found) != _asked(row):
            return
        if found.is_deserted and lasts is not None:
            lasts = timedelta()
        due_at = None if lasts is None else self._now() + lasts
        following_step = {"state": following, "due_at": due_at, "tried_at": None}
        partner_store.change(conn, row.id, expect=found.state, **following_step)


def _asked(row: PartnerInterview) -> tuple[object, ...]:
    return row.state, row.turn, row.asked_topic_id, row.asked_at
