"""The interview of two members: from their coming to its end, question by question.

Each change is one transaction, which also stores the messages that tell of it.
"""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing_due
from bot.core.errors import UserError
from bot.core.tables import values_of
from bot.interviews import rules as interviews_rules
from bot.interviews import store as interviews_store
from bot.interviews.assessment import encode, ticked_by_partner
from bot.interviews.cards import Report
from bot.interviews.service import Interviews
from bot.members.store import names_of
from bot.members.streak_service import Streaks
from bot.pairs import rules, store
from bot.pairs.cards import AskerCard
from bot.pairs.messages import Messages, ticks_of
from bot.pairs.rules import Ending, MessageKind, Pair, PairState, Turn
from bot.pairs.searches import Searches, locked, own_pair, require_running
from bot.questions.model import Topic
from bot.questions.store import topics_met


class Pairs:
    """The use cases of pairs once both have agreed; `searches` has those before."""

    def __init__(
        self,
        context: Context,
        messages: Messages,
        searches: Searches,
        interviews: Interviews,
        streaks: Streaks,
    ) -> None:
        self._database = context.database
        self._banks = context.banks
        self._in_play = context.in_play
        self._scheduler = context.scheduler
        self._messages = messages
        self._searches = searches
        self._interviews = interviews
        self._streaks = streaks
        self._now = context.now
        self._rng = context.rng

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
        self._messages.say(conn, found, MessageKind.GATHER)
        if thread_id is not None:
            for search in store.searches_of(conn, pair):
                self._messages.tell(conn, search, MessageKind.BEGINS, pair.id)

    @writing_due
    def come(self, conn: Connection, pair_id: int, user_id: int) -> bool:
        """Note that a member has come; return whether the interview has begun."""
        pair = locked(conn, pair_id, user_id)
        if pair.state is not PairState.GATHERING:
            return pair.state is PairState.ASKING
        ready = {f"{pair.side(user_id)}_ready": True}
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
            self._searches.end_in(
                conn, pair, Ending.DONE if number > rules.TURNS else Ending.NO_TOPIC
            )
            return
        store.add_turn(conn, Turn(pair.id, number, topic.id, "", now, None, None))
        due_at = now + rules.IDLE_AFTER
        store.change(conn, pair.id, expect=PairState.ASKING, turn=number, due_at=due_at)
        self._messages.say(conn, pair, MessageKind.TURN, number)

    def _draw(self, conn: Connection, pair: Pair, number: int) -> Topic | None:
        """Draw a topic for the member who answers: their own wish first, then their partner's."""
        answerer = pair.answerer(number)
        by_member = {search.user_id: search.topic_id for search in store.searches_of(conn, pair)}
        return interviews_rules.draw_topic(
            self._banks.of(conn, pair.guild_id),
            topics_met(conn, answerer),
            used={turn.topic_id for turn in store.turns_of(conn, pair.id)},
            hidden=self._hidden(conn, pair),
            wanted=by_member.get(answerer) or by_member.get(pair.asker(number)),
            rng=self._rng,
        )

    def _hidden(self, conn: Connection, pair: Pair) -> set[str]:
        """Return the topics that are questions of the day now on a server of either member."""
        topics = self._in_play.topics
        return {n for member in pair.members for n in topics(conn, member, pair.guild_id)}

    @writing_due
    def card(self, conn: Connection, pair_id: int, number: int, user_id: int) -> AskerCard:
        """Return what the member who asks sees."""
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        return self._exchanged(conn, pair, turn) or self._card(conn, pair, turn)

    def _exchanged(self, conn: Connection, pair: Pair, turn: Turn) -> AskerCard | None:
        """Replace a question that has become one of the day since it was drawn; None for others.

        Its key points and its answer would otherwise be shown before the reveal.
        """
        if turn.topic_id not in self._hidden(conn, pair):
            return None
        topic = self._draw(conn, pair, turn.number)
        if topic is None:
            raise UserError(
                "That's a question of the day now, and no other is left to ask. "
                "Press End, and look again with </pair>."
            )
        new = Turn(pair.id, turn.number, topic.id, "", self._now(), None, None)
        store.change_turn(conn, **values_of(new))
        self._note_activity(conn, pair)
        self._messages.say(conn, pair, MessageKind.TURN, turn.number)
        return replace(self._card(conn, pair, new), exchanged=True)

    def _card(self, conn: Connection, pair: Pair, turn: Turn) -> AskerCard:
        partner_id, topic = pair.answerer(turn.number), self._messages.topic(conn, pair, turn)
        return AskerCard(
            pair_id=pair.id,
            number=turn.number,
            partner=names_of(conn, pair.guild_id, [partner_id]).get(partner_id),
            topic=topic,
            ticks=ticks_of(turn, topic),
            shown=turn.shown_at is not None,
        )

    @writing_due
    def tick(
        self, conn: Connection, pair_id: int, number: int, user_id: int, ticks: Collection[int]
    ) -> AskerCard:
        """Store which key points the other member has said, replacing earlier ticks."""
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        if exchanged := self._exchanged(conn, pair, turn):
            return exchanged
        points = range(len(self._messages.topic(conn, pair, turn).key_points))
        said = "".join(str(n) for n in sorted(ticks) if n in points)
        store.change_turn(conn, pair.id, turn.number, ticks=said)
        self._note_activity(conn, pair)
        return self._card(conn, pair, replace(turn, ticks=said))

    @writing_due
    def show_question(self, conn: Connection, pair_id: int, number: int, user_id: int) -> AskerCard:
        """Post the open question for the member who answers, once."""
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        if exchanged := self._exchanged(conn, pair, turn):
            return exchanged
        now = self._now()
        if turn.shown_at is None:
            store.change_turn(conn, pair.id, number, shown_at=now)
            self._messages.say(conn, pair, MessageKind.QUESTION, number)
            self._note_activity(conn, pair)
        return self._card(conn, pair, replace(turn, shown_at=now))

    @writing_due
    def show_result(
        self,
        conn: Connection,
        pair_id: int,
        number: int,
        user_id: int,
        *,
        even_nothing: bool = True,
    ) -> AskerCard | None:
        """Show the ticks and the model answer to both, store the answer, and change roles.

        Returns the asker's card if nothing was shown: because another question replaced this one,
        or because nothing is ticked and `even_nothing` is False.
        """
        locked(conn, pair_id, user_id)  # the last question ends the pair
        pair, turn = self._asked_by(conn, pair_id, number, user_id)
        if exchanged := self._exchanged(conn, pair, turn):
            return exchanged
        if not (turn.ticks or even_nothing):
            return self._card(conn, pair, turn)
        now, answerer = self._now(), pair.answerer(number)
        store.change_turn(conn, pair.id, number, done_at=now)
        topic = self._messages.topic(conn, pair, turn)
        points = [point.text for point in topic.key_points]
        assessment = ticked_by_partner(points, ticks_of(turn, topic))
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
        kept = {f"{pair.side(answerer)}_interview_id": interview_id}
        store.change(conn, pair.id, expect=PairState.ASKING, **kept)
        self._streaks.credit(conn, answerer, pair.guild_id, now)
        self._messages.say(conn, pair, MessageKind.RESULT, number)
        self._messages.say(conn, pair, MessageKind.MODEL, number)
        self._next_turn(conn, pair.id)
        return None

    @reading
    def model_answer(self, conn: Connection, pair_id: int, number: int, user_id: int) -> Topic:
        """Return the topic of a finished question, for one of its two members."""
        pair = own_pair(store.get(conn, pair_id), user_id)
        turn = store.turn(conn, pair.id, number)
        if turn is None or turn.done_at is None:
            raise UserError("That question isn't finished yet. Its answer comes after the ticks.")
        return self._messages.topic(conn, pair, turn)

    @writing_due
    def end(self, conn: Connection, pair_id: int, user_id: int) -> None:
        """End an interview early. Answers that were ticked count."""
        pair = locked(conn, pair_id, user_id)
        if pair.state is PairState.ASKING:
            self._searches.end_in(conn, pair, Ending.STOPPED)
        elif pair.state is not PairState.ENDED:
            self._searches.end_in(conn, pair, Ending.LEFT, leaving=[user_id], knows=user_id)

    @reading
    def check_member(self, conn: Connection, pair_id: int, user_id: int) -> None:
        """Refuse anybody but the two members, and them once their interview is over."""
        require_running(own_pair(store.get(conn, pair_id), user_id))

    async def report(self, pair_id: int, user_id: int) -> Report:
        """Return a member's own report."""
        interview_id = await self._interview_of(pair_id, user_id)
        return await self._interviews.report(interview_id, user_id)

    @reading
    def _interview_of(self, conn: Connection, pair_id: int, user_id: int) -> int:
        found = own_pair(store.get(conn, pair_id), user_id).interview_of(user_id)
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
            self._searches.end_in(conn, pair, Ending.LOST)
        else:
            self._move(conn, pair, thread_id)

    def _move(self, conn: Connection, pair: Pair, thread_id: int) -> None:
        """Send a lost thread's unsent messages and its newest card directly."""
        now, gathering = self._now(), pair.state is PairState.GATHERING
        card = (MessageKind.GATHER, 0) if gathering else (MessageKind.TURN, pair.turn)
        unsent = store.unsent_in(conn, thread_id)
        for each in unsent:
            store.delete_message(conn, each, now)
        store.change(conn, pair.id, expect=pair.state, thread_id=None)
        messages = [(each.kind, each.number) for each in unsent]
        for kind, number in messages if card in messages else [*messages, card]:
            self._messages.say(conn, pair, kind, number, direct=True)

    def _asked_by(
        self, conn: Connection, pair_id: int, number: int, user_id: int
    ) -> tuple[Pair, Turn]:
        """Return the current question for the member who asks it; refuse everybody else."""
        pair = own_pair(store.get(conn, pair_id, lock=True), user_id)
        require_running(pair)
        turn = store.turn(conn, pair_id, number)
        if turn is None or number != pair.turn or turn.done_at is not None:
            raise UserError("That question is done. Use the newest card.")
        if pair.asker(number) != user_id:
            raise UserError(
                "Only the one who asks can press this. You'll see the key points after your answer."
            )
        return pair, turn

    def _note_activity(self, conn: Connection, pair: Pair) -> None:
        due_at = self._now() + rules.IDLE_AFTER
        store.change(conn, pair.id, expect=PairState.ASKING, due_at=due_at)
