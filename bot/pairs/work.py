"""The steps of pairs that come due: searches and proposals that end, threads to open, no-shows, unsent messages."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from bot.core import servers
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused, UserError
from bot.core.jobs import Worker
from bot.core.posting import Post, PostWorker
from bot.members.store import names_of
from bot.pairs import store
from bot.pairs.messages import Messages, Views
from bot.pairs.rules import Ending, MessageKind, Pair, PairState, Search, SearchState
from bot.pairs.searches import Searches
from bot.pairs.service import Pairs
from bot.pairs.store import Unsent

log = logging.getLogger(__name__)
_NEEDED = {
    MessageKind.GATHER,
    MessageKind.TURN,
    MessageKind.QUESTION,
    MessageKind.RESULT,
    MessageKind.MODEL,
}
"""The messages without which an interview can't go on."""


class SearchWork(Worker[Search]):
    """Reaches members whose first message is not sent yet, and ends searches."""

    queue = store.SEARCHES

    def __init__(self, context: Context, searches: Searches) -> None:
        super().__init__(context)
        self._searches = searches

    def load(self, conn: Connection, key: int, /) -> Search | None:
        return store.search(conn, key)

    async def step(self, row: Search) -> None:
        if row.state is SearchState.SEEKING:
            await self._database.write(self._searches.expire, row.id)
        elif await self._database.write(
            self.queue.claim, row.id, expect=SearchState.REACHING, now=self._now()
        ):
            try:
                await self._searches.reach(row, tried_at=row.tried_at)
            except DeliveryRefused as error:
                log.info("search %s: its member can't be reached: %s", row.id, error)

    async def give_up(self, key: int, reason: str) -> None:
        log.error("search %s is given up: %s", key, reason)
        await self._database.write(store.delete_search, key)


class PairWork(Worker[Pair]):
    """Moves pairs on when their time has come."""

    queue = store.PAIRS

    def __init__(self, context: Context, searches: Searches, pairs: Pairs) -> None:
        super().__init__(context)
        self._searches = searches
        self._pairs = pairs

    def load(self, conn: Connection, key: int, /) -> Pair | None:
        return store.get(conn, key)

    async def step(self, row: Pair) -> None:
        if 0 in row.members:
            await self._database.write(self._end, row, Ending.LEFT)
            return
        if not self._sender.is_on(row.guild_id):
            await self._database.write(self._end, row, Ending.LOST)
            return
        match row.state:
            case PairState.AGREED | PairState.OPENING:
                await self._open(row)
            case PairState.PROPOSED:
                await self._database.write(self._end, row, Ending.SILENT)
            case PairState.GATHERING:
                await self._database.write(self._end, row, Ending.ABSENT)
            case PairState.ASKING:
                await self._database.write(self._end, row, Ending.IDLE)

    async def give_up(self, key: int, reason: str) -> None:
        log.error("pair %s is given up: %s", key, reason)
        pair = await self._database.read(store.get, key)
        if pair is not None:
            await self._database.write(self._pairs.lost, key, pair.thread_id)

    def _end(self, conn: Connection, row: Pair, ending: Ending) -> None:
        """End a pair that is still due in the same state."""
        servers.lock(conn, row.guild_id)
        pair = store.get(conn, row.id, lock=True)
        if pair is None or pair.state is not row.state or pair.due_at is None:
            return
        if pair.due_at > self._now():
            return
        waited = ending in {Ending.SILENT, Ending.ABSENT}
        absent = [user_id for user_id in pair.members if waited and not pair.is_ready(user_id)]
        self._searches.end_in(conn, pair, ending, leaving=absent)

    async def _open(self, pair: Pair) -> None:
        """Open the private thread, or let the members use direct messages where none is allowed."""
        found = await self._database.write(self._claim, pair)
        if found is None:
            return
        channels, name = found
        thread_id = None
        for channel_id in channels:
            place = Place(pair.guild_id, channel_id)
            tried_at = pair.tried_at
            try:
                thread_id = await self._sender.open_private_thread(place, name, tried_at=tried_at)
                for user_id in pair.members:
                    await self._sender.add_to_thread(Place(pair.guild_id, thread_id), user_id)
                break
            except DeliveryRefused as error:
                log.info("pair %s: no thread in channel %s: %s", pair.id, channel_id, error)
                thread_id = None
        await self._database.write(self._gather, pair.id, thread_id)

    def _claim(self, conn: Connection, pair: Pair) -> tuple[list[int], str] | None:
        """Return the channels where a thread may be opened, the older search's first."""
        now = self._now()
        opening = {"state": PairState.OPENING, "tried_at": pair.tried_at or now}
        if not self.queue.claim(conn, pair.id, expect=pair.state, now=now, **opening):
            return None
        searches = store.searches_of(conn, pair)
        channels = [search.channel_id for search in searches if search.channel_id]
        names = names_of(conn, pair.guild_id, pair.members)
        who = " and ".join(names.get(user_id, "a member") for user_id in pair.members)
        # its number makes the name unique, so that the thread can be found after a crash
        return list(dict.fromkeys(channels)), f"Mock interview {pair.id}: {who}"

    def _gather(self, conn: Connection, pair_id: int, thread_id: int | None) -> None:
        pair = store.get(conn, pair_id, lock=True)
        if pair is not None and pair.state is PairState.OPENING:
            self._pairs.gather(conn, pair, thread_id)


class MessageWork(PostWorker[Unsent]):
    """Sends the messages of pairs, each once and those of a channel in order."""

    queue = store.MESSAGES

    def __init__(self, context: Context, pairs: Pairs, messages: Messages, views: Views) -> None:
        super().__init__(context)
        self._pairs = pairs
        self._messages = messages
        self._views = views

    def load(self, conn: Connection, key: int, /) -> Unsent | None:
        return store.message(conn, key)

    async def step(self, row: Unsent) -> None:
        try:
            if await self.post_once(partial(self._claim, unsent=row)):
                self._context.scheduler.nudge(self._now())
        except DeliveryRefused as error:
            log.info("message %s of pair %s: %s", row.id, row.pair_id, error)
            await self._refused(row)

    async def give_up(self, key: int, reason: str) -> None:
        row = await self._database.read(store.message, key)
        if row is not None:
            await self._refused(row)

    async def _refused(self, row: Unsent) -> None:
        """Leave a message out. A pair that needs it goes on directly, or ends."""
        await self._database.write(self._leave_out, row)
        self._context.scheduler.nudge(self._now())

    def _leave_out(self, conn: Connection, row: Unsent) -> None:
        if row.kind in _NEEDED and row.pair_id is not None:
            # which moves a thread's messages
            self._pairs.lost(conn, row.pair_id, None if row.user_id else row.channel_id)
        store.delete_message(conn, row, self._now())

    def _claim(self, conn: Connection, unsent: Unsent) -> Post | None:
        now = self._now()
        tried_at = unsent.tried_at or now
        if not store.is_first(conn, unsent):
            store.wait(conn, unsent, now)
            return None
        if not self.queue.claim(conn, unsent.id, expect=unsent.kind, now=now, tried_at=tried_at):
            return None
        return Post(
            place=Place(0 if unsent.user_id else unsent.guild_id, unsent.channel_id),
            nonce=make_nonce("pm", unsent.id, unsent.created_at),
            tried_at=unsent.tried_at,
            build=partial(self._build, unsent),
            opened=partial(self._sent, unsent=unsent),
        )

    async def _build(self, unsent: Unsent) -> Any:
        try:
            card = await self._database.read(self._messages.describe, unsent)
        except UserError as error:  # its topic left the bank
            raise DeliveryRefused("refused", str(error)) from error
        if card is None:
            raise DeliveryRefused("refused", "Its pair was erased.")
        return self._views.message(card)

    def _sent(self, conn: Connection, *, message_id: int, unsent: Unsent) -> None:
        store.delete_message(conn, unsent, self._now())
