"""Looking for a partner: searches, proposals and appointments, and what ends them.

Each change is one transaction, which also stores the messages that tell of it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bot.core import servers
from bot.core.computing import compute
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection, reading, writing, writing_due
from bot.core.errors import DeliveryRefused, DeliveryUnknown, UserError
from bot.core.jobs import LEASE
from bot.core.limits import PAIR_CANDIDATES
from bot.members.store import names_of, zone_of
from bot.memory import store as memory_store
from bot.memory.ability import ability_of
from bot.pairs import rules, store
from bot.pairs.cards import PairStatus, Status
from bot.pairs.messages import Messages, Views
from bot.pairs.rules import Ending, MessageKind, Pair, PairState, Search, SearchState
from bot.questions.bank import check_topic

_GONE = "That is over, or was called off. Look for another partner with </pair>."
_NO_SEARCH = "You aren't looking for a partner. Start with </pair>."
_CLOSED = (
    "I can't send you direct messages, and that's where I'd tell you who fits. Allow direct messages "
    "from this server in its privacy settings, then use </pair> again."
)


class Searches:
    """Finds partners for members, and ends pairs."""

    def __init__(self, context: Context, messages: Messages, views: Views) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._sender = context.sender
        self._messages = messages
        self._views = views
        self._now = context.now

    async def find(
        self,
        user_id: int,
        guild_id: int,
        *,
        channel_id: int | None,
        topic_id: str | None = None,
        hours: str | None = None,
    ) -> Status:
        """Start a member's search with a direct message, and return it or the one that they have.

        `channel_id` is where a private thread can be opened; None if it can't.
        """
        known = await self.status(user_id, guild_id)
        if known is not None:
            return known
        level = await self._level(user_id, guild_id)
        created = await self._create(
            user_id, guild_id, channel_id=channel_id, topic_id=topic_id, hours=hours, level=level
        )
        if created is not None:
            try:
                await self.reach(created, tried_at=None)
            except DeliveryRefused as error:
                raise UserError(_CLOSED if error.what == "closed" else str(error)) from error
            except DeliveryUnknown:
                pass  # the worker tries again
        found = await self.status(user_id, guild_id, continued=created is None)
        if found is None:
            raise UserError("Your search has just ended. Start again with </pair>.")
        return found

    async def _level(self, user_id: int, guild_id: int) -> int | None:
        bank = await self._database.read(self._banks.of, guild_id)
        cards = await self._database.read(memory_store.cards_of, user_id)
        return rules.level_of(await compute(ability_of, bank, cards))

    @writing
    def _create(
        self,
        conn: Connection,
        user_id: int,
        guild_id: int,
        *,
        channel_id: int | None,
        topic_id: str | None,
        hours: str | None,
        level: int | None,
    ) -> Search | None:
        """Store a search that is claimed by this process; None if the member has one."""
        bank = self._banks.of(conn, guild_id)
        check_topic(bank, topic_id)
        if not bank.open_topics:
            raise UserError(
                "This server has no open questions to ask each other. "
                "Ask a moderator to turn on a pack with </settings>."
            )
        now = self._now()
        search_id = store.create_search(
            conn,
            guild_id=guild_id,
            user_id=user_id,
            channel_id=channel_id,
            topic_id=topic_id,
            hours=hours or "any",
            zone=zone_of(conn, user_id, guild_id),
            level=level,
            state=SearchState.REACHING,
            tried_at=now,
            started_at=now,
            ends_at=now + rules.OPEN_FOR,
            due_at=now + LEASE,
        )
        return None if search_id is None else store.search(conn, search_id)

    async def reach(self, search: Search, *, tried_at: datetime | None) -> None:
        """Send the first direct message of a search, then look for somebody who fits.

        If Discord refuses the message, the search is deleted and DeliveryRefused is raised.
        `tried_at` is the time of an earlier attempt; None if the member waits for a reply, which then
        says who fits.
        """
        nonce = make_nonce("ps", search.id, search.started_at)
        try:
            direct_id = await self._sender.open_direct(search.user_id)
            await self._sender.post(
                Place(0, direct_id), self._views.welcome(search), nonce, tried_at=tried_at
            )
        except DeliveryRefused:
            await self._database.write(store.delete_search, search.id)
            raise
        knows = search.user_id if tried_at is None else None
        await self._reached(search, direct_id, knows)

    @writing_due
    def _reached(self, conn: Connection, search: Search, direct_id: int, knows: int | None) -> None:
        servers.lock(conn, search.guild_id)
        seeking = {"state": SearchState.SEEKING, "direct_id": direct_id, "due_at": search.ends_at}
        if store.change_search(conn, search.id, expect=SearchState.REACHING, **seeking):
            self._match(conn, search.id, knows=knows)

    def _match(self, conn: Connection, search_id: int, *, knows: int | None = None) -> bool:
        """Propose the longest waiting member who fits; return whether there is one.

        `knows` is the member who sees it in a reply and needs no message. The caller has locked
        the server.
        """
        now = self._now()
        search = store.search(conn, search_id)
        if search is None or search.state is not SearchState.SEEKING:
            return False
        waiting = store.seeking(conn, search.guild_id, PAIR_CANDIDATES)
        past = store.without_questions(conn, search.user_id, now - rules.OPEN_FOR, PAIR_CANDIDATES)
        bank = self._banks.of(conn, search.guild_id)
        found = rules.best_match(search, waiting, past, bank, now)
        if found is None:
            return False
        other, starts_at = found
        first, second = sorted((search, other), key=lambda each: (each.started_at, each.id))
        pair_id = store.create(
            conn,
            guild_id=search.guild_id,
            first_id=first.user_id,
            second_id=second.user_id,
            first_search_id=first.id,
            second_search_id=second.id,
            state=PairState.PROPOSED,
            starts_at=starts_at,
            created_at=now,
            due_at=rules.answer_until(starts_at, now),
        )
        paired = {"state": SearchState.PAIRED, "pair_id": pair_id, "due_at": None}
        for each in (first, second):
            store.change_search(conn, each.id, expect=SearchState.SEEKING, **paired)
            if each.user_id != knows:
                self._messages.tell(conn, each, MessageKind.PROPOSED, pair_id)
        return True

    @reading
    def status(
        self, conn: Connection, user_id: int, guild_id: int | None, *, continued: bool = True
    ) -> Status | None:
        """Return a member's search; None if they look for nobody."""
        search = store.search_of(conn, user_id)
        if search is None:
            return None
        bank = self._banks.of(conn, search.guild_id)
        topic = bank.topics.get(search.topic_id or "")
        return Status(
            topic=topic.title if topic else None,
            hours=search.hours,
            zone=search.zone,
            ends_at=search.ends_at,
            reached=search.state is not SearchState.REACHING,
            elsewhere=guild_id is not None and guild_id != search.guild_id,
            pair=self._pair_status(conn, search),
            continued=continued,
        )

    def _pair_status(self, conn: Connection, search: Search) -> PairStatus | None:
        pair = store.get(conn, search.pair_id) if search.pair_id else None
        if pair is None or pair.state is PairState.ENDED:
            return None
        partner_id = pair.other(search.user_id)
        asks = pair.turn and pair.asker(pair.turn) == search.user_id
        return PairStatus(
            pair_id=pair.id,
            state=pair.state,
            partner=names_of(conn, pair.guild_id, [partner_id]).get(partner_id),
            topics=self._messages.wanted(conn, pair),
            starts_at=pair.starts_at,
            answer_by=pair.due_at if pair.state is PairState.PROPOSED else None,
            now=pair.starts_at <= self._now(),
            ready=pair.is_ready(search.user_id),
            thread=pair.thread,
            number=pair.turn if asks else None,
        )

    @writing_due
    def stop(self, conn: Connection, user_id: int) -> None:
        """End a member's search. A proposal or appointment ends with it."""
        search = store.search_of(conn, user_id)
        if search is None:
            raise UserError(_NO_SEARCH)
        servers.lock(conn, search.guild_id)
        search = store.search(conn, search.id)  # it may have been paired before the lock
        if search is None:
            raise UserError(_NO_SEARCH)
        pair = store.get(conn, search.pair_id, lock=True) if search.pair_id else None
        if pair is None or pair.state is PairState.ENDED:
            store.delete_search(conn, search.id)
            return
        if pair.state is PairState.ASKING:
            raise UserError("Your interview is running. Press End in it to stop.")
        self.end_in(conn, pair, Ending.LEFT, leaving=[user_id], knows=user_id)

    @writing_due
    def accept(self, conn: Connection, pair_id: int, user_id: int) -> None:
        """Accept a proposal. Once both have accepted, the interview begins at its time."""
        pair = locked(conn, pair_id, user_id)
        if pair.state is not PairState.PROPOSED:
            return
        ready = {f"{pair.side(user_id)}_ready": True}
        if not pair.is_ready(pair.other(user_id)):
            store.change(conn, pair.id, expect=PairState.PROPOSED, **ready)
            return
        now = self._now()
        starts_at = max(now, pair.starts_at)
        agreed = {"state": PairState.AGREED, "starts_at": starts_at, "due_at": starts_at}
        store.change(conn, pair.id, expect=PairState.PROPOSED, **ready, **agreed)
        if starts_at > now:
            for search in store.searches_of(conn, pair):
                self._messages.tell(conn, search, MessageKind.AGREED, pair.id)

    @writing_due
    def decline(self, conn: Connection, pair_id: int, user_id: int) -> None:
        """Decline a proposal, or cancel an appointment. Both members go on looking."""
        pair = locked(conn, pair_id, user_id)
        if pair.state in {PairState.PROPOSED, PairState.AGREED}:
            self.end_in(conn, pair, Ending.DECLINED, knows=user_id)

    def end_in(
        self,
        conn: Connection,
        pair: Pair,
        ending: Ending,
        *,
        leaving: Collection[int] = (),
        knows: int | None = None,
    ) -> None:
        """End a pair. Its members go on looking, except the `leaving` ones.

        After questions were asked, nobody goes on looking. `knows` is the member who sees it in a
        reply and needs no message. The caller has locked the server.
        """
        now = self._now()
        if not store.change(
            conn, pair.id, expect=pair.state, state=PairState.ENDED, ending=ending, due_at=None
        ):
            return
        asked = pair.state is PairState.ASKING
        if asked or (pair.state is PairState.GATHERING and pair.thread_id is not None):
            self._messages.say(conn, pair, MessageKind.OVER, direct=ending is Ending.LOST)
        freed: list[Search] = []
        for search in store.searches_of(conn, pair):
            known = search.user_id == knows
            if asked or search.user_id in leaving:
                store.delete_search(conn, search.id)
                if not asked and not known:
                    self._messages.tell(conn, search, MessageKind.STOPPED, pair.id)
            elif search.ends_at <= now:
                store.delete_search(conn, search.id)
                if not known:
                    self._messages.tell(conn, search, MessageKind.EXPIRED, pair.id)
            else:
                seeking = {"state": SearchState.SEEKING, "pair_id": None, "due_at": search.ends_at}
                store.change_search(conn, search.id, expect=SearchState.PAIRED, **seeking)
                freed.append(search)
        for search in freed:
            known = search.user_id == knows
            if not known:
                self._messages.tell(conn, search, MessageKind.FREED, pair.id)
            self._match(conn, search.id, knows=search.user_id if known else None)

    def expire(self, conn: Connection, search_id: int) -> None:
        """End a search that found nobody in time."""
        search = store.search(conn, search_id)
        if search is not None:
            servers.lock(conn, search.guild_id)
            search = store.search(conn, search_id)  # it may have been paired before the lock
        if (
            search is not None
            and search.state is SearchState.SEEKING
            and search.ends_at <= self._now()
        ):
            store.delete_search(conn, search.id)
            self._messages.tell(conn, search, MessageKind.EXPIRED, None)


def locked(conn: Connection, pair_id: int, user_id: int) -> Pair:
    """Lock a member's pair, and its server, so that nobody is paired twice."""
    pair = own_pair(store.get(conn, pair_id), user_id)
    servers.lock(conn, pair.guild_id)
    pair = own_pair(store.get(conn, pair_id, lock=True), user_id)
    require_running(pair)
    return pair


def own_pair(pair: Pair | None, user_id: int) -> Pair:
    """Return the pair if this is one of its members; refuse everybody else."""
    if pair is None:
        raise UserError(_GONE)
    if user_id not in pair.members:
        raise UserError("This is for two other members. Find a partner with </pair>.")
    return pair


def require_running(pair: Pair) -> None:
    """Refuse a pair that has ended, or that ends at once because a member was erased."""
    if pair.state is PairState.ENDED or 0 in pair.members:
        raise UserError(_GONE)
