"""Pairs: searches for a partner, proposals, and the interview of two members.

Each change is one transaction, which also stores the messages that tell of it. `bot.pairs.work`
sends them, so a restart loses and repeats nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from bot.core import servers
from bot.core.calendar import local_date
from bot.core.computing import compute
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection, reading, writing
from bot.core.errors import DeliveryRefused, DeliveryUnknown, UserError
from bot.core.jobs import LEASE
from bot.core.limits import PAIR_CANDIDATES
from bot.daily.store import credit_day
from bot.interviews import rules as interviews_rules
from bot.interviews import store as interviews_store
from bot.interviews.assessment import encode, ticked_by_partner
from bot.interviews.cards import Report
from bot.interviews.service import Interviews
from bot.members.store import names_of, zone_of
from bot.memory import store as memory_store
from bot.memory.ability import ability_of
from bot.pairs import rules, store
from bot.pairs.cards import AskerCard, PairMessage, PairStatus, Status
from bot.pairs.rules import Ending, Kind, Pair, PairState, Search, SearchState, Turn
from bot.pairs.store import Unsent
from bot.questions.bank import check_topic
from bot.questions.model import Topic
from bot.questions.store import topics_met

_GONE = "That is over, or was called off. Look for another partner with </pair>."
_NO_SEARCH = "You aren't looking for a partner. Start with </pair>."
_CLOSED = (
    "I can't send you direct messages, and that's where I'd tell you who fits. Allow direct messages "
    "from this server in its privacy settings, then use </pair> again."
)


class Views(Protocol):
    """Makes the messages of pairs, as `bot.pairs.views` does."""

    def welcome(self, search: Search, /) -> Any: ...
    def message(self, card: PairMessage, /) -> Any: ...


class Pairs:
    """The use cases of pairs."""

    def __init__(self, context: Context, interviews: Interviews, views: Views) -> None:
        self._database = context.database
        self._banks = context.banks
        self._in_play = context.in_play
        self._scheduler = context.scheduler
        self._sender = context.sender
        self._interviews = interviews
        self._views = views
        self._now = context.now
        self._rng = context.rng

    # --- looking for a partner

    async def find(
        self,
        user_id: int,
        guild_id: int,
        *,
        channel_id: int | None,
        topic_id: str | None = None,
        hours: str | None = None,
    ) -> Status:
        """Look for a partner, or return the search that the member has.

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
        return rules.level_of(await compute(partial(ability_of, bank, cards)))

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
        self._scheduler.nudge(self._now())

    @writing
    def _reached(self, conn: Connection, search: Search, direct_id: int, knows: int | None) -> None:
        servers.lock(conn, search.guild_id)
        seeking = {"state": SearchState.SEEKING, "direct_id": direct_id, "due_at": search.ends_at}
        if store.change_search(conn, search.id, expect=SearchState.REACHING, **seeking):
            self._match(conn, search.id, knows=knows)

    def _match(self, conn: Connection, search_id: int, *, knows: int | None = None) -> bool:
        """Propose the longest waiting member who fits; return whether there is one.

        `knows` is the member who sees it in a reply and needs no message. The server is locked.
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
                self._tell(conn, each, Kind.PROPOSED, pair_id)
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
            topics=self._wanted(conn, pair),
            starts_at=pair.starts_at,
            answer_by=pair.due_at if pair.state is PairState.PROPOSED else None,
            now=pair.starts_at <= self._now(),
            ready=pair.is_ready(search.user_id),
            thread=_thread(pair),
            number=pair.turn if asks else None,
        )

    def _wanted(self, conn: Connection, pair: Pair) -> tuple[str, ...]:
        """Return the titles of the topics that two want, each once."""
        bank = self._banks.of(conn, pair.guild_id)
        searches = (store.search(conn, n) for n in (pair.first_search_id, pair.second_search_id))
        topics = (bank.topics.get(search.topic_id or "") for search in searches if search)
        return tuple(dict.fromkeys(topic.title for topic in topics if topic))

    async def stop(self, user_id: int) -> None:
        """End a member's search. A proposal or appointment ends with it."""
        await self._stop(user_id)
        self._scheduler.nudge(self._now())

    @writing
    def _stop(self, conn: Connection, user_id: int) -> None:
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

    async def accept(self, pair_id: int, user_id: int) -> None:
        """Accept a proposal. Once both have accepted, the interview begins at its time."""
        await self._accept(pair_id, user_id)
        self._scheduler.nudge(self._now())

    @writing
    def _accept(self, conn: Connection, pair_id: int, user_id: int) -> None:
        pair = self._locked(conn, pair_id, user_id)
        if pair.state is not PairState.PROPOSED:
            return
        ready = {_side(pair, user_id) + "_ready": True}
        if not pair.is_ready(pair.other(user_id)):
            store.change(conn, pair.id, expect=PairState.PROPOSED, **ready)
            return
        now = self._now()
        starts_at = max(now, pair.starts_at)
        agreed = {"state": PairState.AGREED, "starts_at": starts_at, "due_at": starts_at}
        store.change(conn, pair.id, expect=PairState.PROPOSED, **ready, **agreed)
        if starts_at > now:
            for search in self._searches(conn, pair):
                self._tell(conn, search, Kind.AGREED, pair.id)

    async def decline(self, pair_id: int, user_id: int) -> None:
        """Decline a proposal, or cancel an appointment. Both members go on looking."""
        await self._decline(pair_id, user_id)
        self._scheduler.nudge(self._now())

    @writing
    def _decline(self, conn: Connection, pair_id: int, user_id: int) -> None:
        pair = self._locked(conn, pair_id, user_id)
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
        """End a pair. Its members go on looking, but for the `leaving` ones.

        After questions were asked, nobody goes on looking. The server is locked.
        """
        now = self._now()
        if not store.change(
            conn, pair.id, expect=pair.state, state=PairState.ENDED, ending=ending, due_at=None
        ):
            return
        asked = pair.state is PairState.ASKING
        if asked or (pair.state is PairState.GATHERING and pair.thread_id is not None):
            self._say(conn, pair, Kind.OVER, direct=ending is Ending.LOST)
        freed: list[Search] = []
        for search in self._searches(conn, pair):
            known = search.user_id == knows
            if asked or search.user_id in leaving:
                store.delete_search(conn, search.id)
                if not asked and not known:
                    self._tell(conn, search, Kind.STOPPED, pair.id)
            elif search.ends_at <= now:
                store.delete_search(conn, search.id)
                if not known:
                    self._tell(conn, search, Kind.EXPIRED, pair.id)
            else:
                seeking = {"state": SearchState.SEEKING, "pair_id": None, "due_at": search.ends_at}
                store.change_search(conn, search.id, expect=SearchState.PAIRED, **seeking)
                freed.append(search)
        for search in freed:
            known = search.user_id == knows
            if not known:
                self._tell(conn, search, Kind.FREED, pair.id)
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
            self._tell(conn, search, Kind.EXPIRED, None)

    # --- the interview

    def gather(self, conn: Connection, pair: Pair, thread_id: int | None) -> None:
        """Ask both members to come, in their thread or in direct messages."""
        now = self._now()
        gathering = {
            "state": PairState.GATHERING,
            "thread_id": thread_id,
            "first_ready": False,
            "second_ready": False,
            "due_at": now + rules.COME_WITHIN,
        }
        if not store.change(conn, pair.id, expect=pair.state, **gathering):
            return
        found = store.get(conn, pair.id)
        assert found is not None
        self._say(conn, found, Kind.GATHER)
        if thread_id is not None:
            for search in self._searches(conn, pair):
                self._tell(conn, search, Kind.BEGINS, pair.id)

    async def come(self, pair_id: int, user_id: int) -> bool:
        """Note that a member has come; return whether the interview has begun."""
        begun = await self._come(pair_id, user_id)
        self._scheduler.nudge(self._now())
        return begun

    @writing
    def _come(self, conn: Connection, pair_id: int, user_id: int) -> bool:
        pair = self._locked(conn, pair_id, user_id)
        if pair.state is not PairState.GATHERING:
            return pair.state is PairState.ASKING
        ready = {_side(pair, user_id) + "_ready": True}
        if not pair.is_ready(pair.other(user_id)):
            store.change(conn, pair.id, expect=PairState.GATHERING, **ready)
            return False
        due_at = self._now() + rules.IDLE_AFTER
        asking = {"state": PairState.ASKING, "due_at": due_at, **ready}
        store.change(conn, pair.id, expect=PairState.GATHERING, **asking)
        self._next_turn(conn, pair.id)
        return True

    def _next_turn(self, conn: Connection, pair_id: int) -> None:
        """Draw the next question and change roles, or end the interview after the last one."""
        pair, now = store.get(conn, pair_id), self._now()
        assert pair is not None
        number = pair.turn + 1
        topic = None if number > rules.TURNS else self._draw(conn, pair, number)
        if topic is None:
            self.end_in(conn, pair, Ending.DONE if number > rules.TURNS else Ending.NO_TOPIC)
            return
        store.add_turn(conn, Turn(pair.id, number, topic.id, "", now, None, None))
        due_at = now + rules.IDLE_AFTER
        store.change(conn, pair.id, expect=PairState.ASKING, turn=number, due_at=due_at)
        self._say(conn, pair, Kind.TURN, number)

    def _draw(self, conn: Connection, pair: Pair, number: int) -> Topic | None:
        """Draw a topic for the member who answers: their own wish first, then their partner's."""
        answerer = pair.answerer(number)
        by_member = {search.user_id: search.topic_id for search in self._searches(conn, pair)}
        hidden = {
            topic_id
            for member in pair.members
            for topic_id in self._in_play.topics(conn, member, pair.guild_id)
        }
        return interviews_rules.draw_topic(
            self._banks.of(conn, pair.guild_id),
            topics_met(conn, answerer),
            used={turn.topic_id for turn in store.turns_of(conn, pair.id)},
            hidden=hidden,
            wanted=by_member.get(answerer) or by_member.get(pair.asker(number)),
            rng=self._rng,
        )

    @reading
    def card(self, conn: Connection, pair_id: int, number: int, user_id: int) -> AskerCard:
        """Return what the member who asks sees."""
        found = self._asked_by(conn, pair_id, number, user_id, lock=False)  # a read locks nothing
        return self._card(conn, *found)

    def _card(self, conn: Connection, pair: Pair, turn: Turn) -> AskerCard:
        partner_id, topic = pair.answerer(turn.number), self._topic(conn, pair, turn)
        return AskerCard(
            pair_id=pair.id,
            number=turn.number,
            partner=names_of(conn, pair.guild_id, [partner_id]).get(partner_id),
            topic=topic,
            ticks=_ticks(turn, topic),
            shown=turn.shown_at is not None,
        )

    @writing
    def tick(
        self, conn: Connection, pair_id: int, number: int, user_id: int, ticks: Collection[int]
    ) -> AskerCard:
        """Store which key points the other member has said, replacing earlier ticks."""
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        points = range(len(self._topic(conn, pair, turn).key_points))
        said = "".join(str(n) for n in sorted(ticks) if n in points)
        store.change_turn(conn, pair.id, turn.number, ticks=said)
        self._note_activity(conn, pair)
        return self._card(conn, *self._asked_by(conn, pair_id, number, user_id))

    async def show_question(self, pair_id: int, number: int, user_id: int) -> AskerCard:
        """Post the open question for the member who answers, once."""
        card = await self._show_question(pair_id, number, user_id)
        self._scheduler.nudge(self._now())
        return card

    @writing
    def _show_question(
        self, conn: Connection, pair_id: int, number: int, user_id: int
    ) -> AskerCard:
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        if turn.shown_at is None:
            store.change_turn(conn, pair.id, number, shown_at=self._now())
            self._say(conn, pair, Kind.QUESTION, number)
            self._note_activity(conn, pair)
        return self._card(conn, *self._asked_by(conn, pair_id, number, user_id))

    async def show_result(self, pair_id: int, number: int, user_id: int) -> None:
        """Show the ticks and the model answer to both, store the answer, and change roles."""
        await self._show_result(pair_id, number, user_id)
        self._scheduler.nudge(self._now())

    @writing
    def _show_result(self, conn: Connection, pair_id: int, number: int, user_id: int) -> None:
        self._locked(conn, pair_id, user_id)  # the last question ends the pair
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        now, answerer = self._now(), pair.answerer(number)
        store.change_turn(conn, pair.id, number, done_at=now)
        topic = self._topic(conn, pair, turn)
        points = [point.text for point in topic.key_points]
        assessment = ticked_by_partner(points, _ticks(turn, topic))
        interview_id = interviews_store.add_partner_answer(
            conn,
            pair.interview_of(answerer),
            user_id=answerer,
            topic_id=turn.topic_id,
            total=rules.QUESTIONS_EACH,
            grade=encode(assessment),
            score=assessment.score,
            asked_at=turn.asked_at,
            now=now,
        )
        kept = {_side(pair, answerer) + "_interview_id": interview_id}
        store.change(conn, pair.id, expect=PairState.ASKING, **kept)
        today = local_date(servers.zone(conn, pair.guild_id), now)
        credit_day(conn, pair.guild_id, answerer, today)
        self._say(conn, pair, Kind.RESULT, number)
        self._say(conn, pair, Kind.MODEL, number)
        self._next_turn(conn, pair.id)

    @reading
    def model_answer(self, conn: Connection, pair_id: int, number: int, user_id: int) -> Topic:
        """Return the topic of a finished question, for one of its two members."""
        pair = _own(store.get(conn, pair_id), user_id)
        turn = store.turn(conn, pair.id, number)
        if turn is None or turn.done_at is None:
            raise UserError("That question isn't finished yet. Its answer comes after the ticks.")
        return self._topic(conn, pair, turn)

    async def end(self, pair_id: int, user_id: int) -> None:
        """End an interview early. Answers that were ticked count."""
        await self._end(pair_id, user_id)
        self._scheduler.nudge(self._now())

    @writing
    def _end(self, conn: Connection, pair_id: int, user_id: int) -> None:
        pair = self._locked(conn, pair_id, user_id)
        if pair.state is PairState.ASKING:
            self.end_in(conn, pair, Ending.STOPPED)
        elif pair.state is not PairState.ENDED:
            self.end_in(conn, pair, Ending.LEFT, leaving=[user_id], knows=user_id)

    @reading
    def check_member(self, conn: Connection, pair_id: int, user_id: int) -> None:
        """Refuse anybody but the two members, and them once their interview is over."""
        _require_running(_own(store.get(conn, pair_id), user_id))

    async def report(self, pair_id: int, user_id: int) -> Report:
        """Return a member's own report."""
        interview_id = await self._interview_of(pair_id, user_id)
        return await self._interviews.report(interview_id, user_id)

    @reading
    def _interview_of(self, conn: Connection, pair_id: int, user_id: int) -> int:
        found = _own(store.get(conn, pair_id), user_id).interview_of(user_id)
        if found is None:
            raise UserError("You weren't asked anything, so there is no report. Try </pair> again.")
        return found

    async def thread_deleted(self, thread_id: int) -> None:
        """Let the pair that meets in a thread go on directly, if there is one."""
        pair_id = await self._database.read(store.in_thread, thread_id)
        if pair_id is not None:
            await self._database.write(self.lost, pair_id, thread_id)
            self._scheduler.nudge(self._now())

    def lost(self, conn: Connection, pair_id: int, thread_id: int | None) -> None:
        """Go on in direct messages if the thread is lost. If these are, end the pair.

        A pair that no longer meets in that thread goes on as it does.
        """
        pair = store.get(conn, pair_id)
        if pair is None:
            return
        servers.lock(conn, pair.guild_id)
        pair = store.get(conn, pair_id, lock=True)
        if pair is None or pair.state is PairState.ENDED or pair.thread_id != thread_id:
            return
        if thread_id is None:
            self.end_in(conn, pair, Ending.LOST)
        else:
            self._move(conn, pair, thread_id)

    def _move(self, conn: Connection, pair: Pair, thread_id: int) -> None:
        """Send a lost thread's unsent messages and its newest card directly."""
        now, gathering = self._now(), pair.state is PairState.GATHERING
        card = (Kind.GATHER, 0) if gathering else (Kind.TURN, pair.turn)
        unsent = store.unsent_in(conn, thread_id)
        for each in unsent:
            store.delete_message(conn, each, now)
        store.change(conn, pair.id, expect=pair.state, thread_id=None)
        messages = [(each.kind, each.number) for each in unsent]
        for kind, number in messages if card in messages else [*messages, card]:
            self._say(conn, pair, kind, number, direct=True)

    # --- messages

    def describe(self, conn: Connection, unsent: Unsent) -> PairMessage | None:
        """Return what a message says; None if its pair was erased."""
        pair = store.get(conn, unsent.pair_id) if unsent.pair_id else None
        if pair is None and unsent.kind is not Kind.EXPIRED:
            return None
        search = store.search_of(conn, unsent.user_id) if unsent.user_id else None
        looks_until = search.ends_at if search and search.pair_id is None else None
        if pair is None:
            nobody = (None, None)
            at = unsent.created_at
            return PairMessage(unsent.id, unsent.kind, 0, nobody, at, False)
        names = names_of(conn, pair.guild_id, pair.members)
        turn = store.turn(conn, pair.id, unsent.number) if unsent.number else None
        topic = self._topic(conn, pair, turn) if turn else None
        titles = self._banks.of(conn, pair.guild_id).section_titles
        return PairMessage(
            message_id=unsent.id,
            kind=unsent.kind,
            pair_id=pair.id,
            names=(names.get(pair.first_id), names.get(pair.second_id)),
            starts_at=pair.starts_at,
            answer_by=pair.due_at if pair.state is PairState.PROPOSED else None,
            now=pair.starts_at <= unsent.created_at,
            partner=names.get(pair.other(unsent.user_id)) if unsent.user_id else None,
            wanted=self._wanted(conn, pair),
            thread=_thread(pair),
            ending=pair.ending,
            looks_until=looks_until,
            number=unsent.number,
            asks=pair.asker(unsent.number) == unsent.user_id if unsent.user_id else None,
            asker=names.get(pair.asker(unsent.number)),
            answerer=names.get(pair.answerer(unsent.number)),
            topic=topic,
            section=titles.get(topic.section_id, "") if topic else "",
            ticks=_ticks(turn, topic) if turn and topic else frozenset(),
            answered=sum(each.done_at is not None for each in store.turns_of(conn, pair.id)),
        )

    def _say(
        self, conn: Connection, pair: Pair, kind: Kind, number: int = 0, *, direct: bool = False
    ) -> None:
        """Store a message for both: one in their thread or, with `direct`, one to each."""
        if pair.thread_id is not None and not direct:
            self._add(conn, pair.guild_id, pair.thread_id, kind, pair_id=pair.id, number=number)
            return
        for search in self._searches(conn, pair):
            self._tell(conn, search, kind, pair.id, number)

    def _tell(
        self, conn: Connection, search: Search, kind: Kind, pair_id: int | None, number: int = 0
    ) -> None:
        """Store a direct message."""
        if search.direct_id is not None:
            self._add(
                conn,
                search.guild_id,
                search.direct_id,
                kind,
                pair_id=pair_id,
                number=number,
                user_id=search.user_id,
            )

    def _add(
        self, conn: Connection, guild_id: int, channel_id: int, kind: Kind, **values: object
    ) -> None:
        now = self._now()
        given = {"guild_id": guild_id, "channel_id": channel_id, "kind": kind, **values}
        store.add_message(conn, created_at=now, due_at=now, **given)

    # --- look-ups

    def _searches(self, conn: Connection, pair: Pair) -> list[Search]:
        """Return the searches of a pair's members, without erased ones."""
        found = (store.search(conn, n) for n in (pair.first_search_id, pair.second_search_id))
        return [search for search in found if search is not None and search.pair_id == pair.id]

    def _locked(self, conn: Connection, pair_id: int, user_id: int) -> Pair:
        """Lock a member's pair, and its server, so that nobody is paired twice."""
        pair = _own(store.get(conn, pair_id), user_id)
        servers.lock(conn, pair.guild_id)
        pair = _own(store.get(conn, pair_id, lock=True), user_id)
        _require_running(pair)
        return pair

    def _asked_by(
        self, conn: Connection, pair_id: int, number: int, user_id: int, *, lock: bool = True
    ) -> tuple[Pair, Turn]:
        """Return the current question for the member who asks it; refuse everybody else."""
        pair = _own(store.get(conn, pair_id, lock=lock), user_id)
        _require_running(pair)
        turn = store.turn(conn, pair_id, number)
        if turn is None or number != pair.turn or turn.done_at is not None:
            raise UserError("That question is done. Use the newest card.")
        if pair.asker(number) != user_id:
            raise UserError(
                "Only the one who asks can press this. You'll see the key points after your answer."
            )
        return pair, turn

    def _topic(self, conn: Connection, pair: Pair, turn: Turn) -> Topic:
        topic = self._banks.of(conn, pair.guild_id).topics.get(turn.topic_id)
        if topic is None:
            raise UserError("This question was removed. Press End, and look again with </pair>.")
        return topic

    def _note_activity(self, conn: Connection, pair: Pair) -> None:
        due_at = self._now() + rules.IDLE_AFTER
        store.change(conn, pair.id, expect=PairState.ASKING, due_at=due_at)


def _own(pair: Pair | None, user_id: int) -> Pair:
    """Return the pair if this is one of its members; refuse everybody else."""
    if pair is None:
        raise UserError(_GONE)
    if user_id not in pair.members:
        raise UserError("This is for two other members. Find a partner with </pair>.")
    return pair


def _require_running(pair: Pair) -> None:
    """Refuse a pair that has ended, or that ends at once because a member was erased."""
    if pair.state is PairState.ENDED or 0 in pair.members:
        raise UserError(_GONE)


def _ticks(turn: Turn, topic: Topic) -> frozenset[int]:
    """Return the ticked key points, without those that the topic has lost since."""
    return frozenset(map(int, turn.ticks)) & frozenset(range(len(topic.key_points)))


def _side(pair: Pair, user_id: int) -> str:
    return "first" if user_id == pair.first_id else "second"


def _thread(pair: Pair) -> str | None:
    if pair.thread_id is None:
        return None
    return f"https://discord.com/channels/{pair.guild_id}/{pair.thread_id}"
