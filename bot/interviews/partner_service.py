"""Interviews with a partner: two members ask each other, question by question.

Each change is one transaction; `bot.interviews.partner_work` posts what it says.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec.structs import replace

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing, writing_due
from bot.core.errors import UserError
from bot.core.limits import PARTNERS_A_DAY
from bot.core.member_hashes import count_up, fact_about, remember, remembers
from bot.core.unstored import Notify, PendingStarts
from bot.interviews import partner_store, rules, store
from bot.interviews.model import (
    Confirmed,
    PartnerCard,
    PartnerEnding,
    PartnerInterview,
    PartnerState,
    ticked_by_partner,
)
from bot.interviews.service import draw_case
from bot.members.store import names_of
from bot.members.streak_service import Streaks
from bot.memory.store import topics_met
from bot.questions.bank import check_topic
from bot.questions.model import Topic

_LOOKING = (PartnerState.POSTING, PartnerState.OPEN)
_ASKED = (PartnerState.CALLING, PartnerState.ASKING)
_SHOWN = (PartnerState.SHOWING, PartnerState.CONFIRMING)
_BUSY = (PartnerState.OPENING, *_ASKED, *_SHOWN)
_NOT_WITH = "not with"
"""The fact about two members that one wants no further interview with the other."""
_GONE = "That is over. Look for a partner with </interview>."
_NO_CASE = "I don't know that case. Pick another in </topics>."


class PartnerInterviews:
    """The use cases of interviews with a partner."""

    def __init__(self, context: Context, streaks: Streaks) -> None:
        self._streaks = streaks
        self._database = context.database
        self._banks = context.banks
        self._packs = context.banks.packs
        self._in_play = context.in_play
        self._scheduler = context.scheduler
        self._now = context.now
        self._rng = context.rng
        self.pending_starts = PendingStarts(context.now)

    async def look(
        self,
        user_id: int,
        guild_id: int,
        channel_id: int,
        topic_id: str | None,
        notify: Notify,
        case_id: str | None = None,
    ) -> PartnerInterview:
        """Post a card that looks for a partner, or return the one that the member has.

        `notify` tells the member if it can't be posted. With a case, the other one asks its steps.
        """
        found = await self._look(user_id, guild_id, channel_id, topic_id, case_id)
        if found.state is PartnerState.POSTING:
            self.pending_starts.add(found.id, user_id, notify)
        return found

    @writing_due
    def _look(
        self,
        conn: Connection,
        user_id: int,
        guild_id: int,
        channel_id: int,
        topic_id: str | None,
        case_id: str | None,
    ) -> PartnerInterview:
        servers.lock(conn, guild_id)
        known = partner_store.of_member(conn, user_id, _LOOKING)
        if known is not None:
            return known
        self._require_free(conn, user_id, "You're")
        bank = self._banks.of(conn, guild_id)
        check_topic(bank, topic_id)
        if case_id is not None and self._packs.case(case_id) is None:
            raise UserError(_NO_CASE)
        if not bank.open_topics and case_id is None:
            raise UserError(
                "This server has no open questions to ask each other. "
                "Ask a moderator to turn on a pack with </settings>."
            )
        now = self._now()
        if not count_up(conn, "partner cards", user_id, now.date(), PARTNERS_A_DAY):
            raise UserError(
                f"You've looked for a partner {PARTNERS_A_DAY} times today, which is the most in a day. "
                "Look again tomorrow; the day ends at midnight UTC. Until then, go on alone with </interview>."
            )
        new = partner_store.create(
            conn,
            guild_id=guild_id,
            channel_id=channel_id,
            first_id=user_id,
            topic_id=topic_id,
            case_id=case_id,
            state=PartnerState.POSTING,
            created_at=now,
            due_at=now,
        )
        return _existing(partner_store.get(conn, new))

    def _require_free(self, conn: Connection, user_id: int, who: str) -> None:
        """Refuse a member who is in an interview with a partner."""
        if partner_store.of_member(conn, user_id, _BUSY) is not None:
            raise UserError(
                f"{who} in an interview with a partner right now. Try again after that."
            )

    @writing_due
    def join(self, conn: Connection, key: int, user_id: int, guild_id: int) -> PartnerCard:
        """Let a member take a search of their server; their thread is opened next."""
        servers.lock(conn, guild_id)
        found = _existing(partner_store.get(conn, key, lock=True))
        if found.guild_id != guild_id:
            raise UserError(_GONE)
        if found.first_id == user_id:
            raise UserError("That's your own card. Wait until somebody else presses this.")
        if found.state not in _LOOKING or found.is_deserted:
            raise UserError(
                "This one is taken or closed. Look for a partner yourself with </interview>."
            )
        pair = self._require_pair(conn, user_id, found.first_id, "The one who looks")
        now = self._now()
        opening = {"state": PartnerState.OPENING, "second_id": user_id, "pair": pair, "due_at": now}
        partner_store.change(conn, key, expect=found.state, **opening, tried_at=None)
        return self.describe(conn, _existing(partner_store.get(conn, key)))

    def _require_pair(self, conn: Connection, user_id: int, other: int, who: str) -> str:
        """Count an interview of two members, and return the hash of both; refuse if one can't."""
        pair = fact_about(conn, _NOT_WITH, other, user_id)
        if remembers(conn, pair):
            raise UserError(
                "One of you doesn't want to be put together again. Look for another partner with </interview>."
            )
        self._require_free(conn, user_id, "You're")
        self._require_free(conn, other, f"{who} is")
        for member, has in ((user_id, "You've"), (other, f"{who} has")):
            if not count_up(conn, "partners", member, self._now().date(), PARTNERS_A_DAY):
                raise UserError(
                    f"{has} had {PARTNERS_A_DAY} interviews with a partner today, which is the most in a day. "
                    "Try again tomorrow; the day ends at midnight UTC. Until then, </interview> works alone too."
                )
        return pair

    @writing_due
    def swap(self, conn: Connection, key: int, user_id: int) -> None:
        """Ask the one who asked a case another one, in the same thread."""
        servers.lock(conn, _of(partner_store.get(conn, key), user_id).guild_id)
        found = _of(partner_store.get(conn, key, lock=True), user_id)
        first, second = found.members
        if found.ending is not PartnerEnding.DONE or found.case_id is None or found.is_deserted:
            raise UserError(_GONE)
        case_id = self._another_case(conn, found)
        other = first if user_id == second else second
        pair = self._require_pair(conn, user_id, other, "Your partner")
        new = partner_store.create(
            conn,
            guild_id=found.guild_id,
            channel_id=found.channel_id,
            thread_id=found.thread_id,
            first_id=second,
            second_id=first,
            pair=pair,
            case_id=case_id,
            state=PartnerState.OPENING,
            created_at=self._now(),
        )
        self.ask(conn, _existing(partner_store.get(conn, new)), 1)

    def _another_case(self, conn: Connection, found: PartnerInterview) -> str:
        """Draw another case for the member who asks this one, and so has seen its key points."""
        offered = rules.offered_cases(self._packs, self._banks.of(conn, found.guild_id))
        cases = [case for case in offered if case.id != found.case_id]
        if not cases:
            raise UserError(
                "There is no other case for the questions of this server. Go on without one in </interview>."
            )
        return draw_case(conn, self._packs, cases, found.members[1], self._rng).id

    @writing_due
    def withdraw(self, conn: Connection, key: int, user_id: int) -> None:
        """Close a member's search."""
        found = _of(partner_store.get(conn, key, lock=True), user_id)
        if found.state not in _LOOKING:
            raise UserError(_GONE)
        self.close(conn, found, PartnerEnding.WITHDRAWN)

    def begin(self, conn: Connection, key: int, thread_id: int) -> None:
        """Ask the first question, once the thread is open."""
        found = partner_store.get(conn, key, lock=True)
        if found is not None and found.state is PartnerState.OPENING:
            partner_store.change(conn, key, expect=found.state, thread_id=thread_id)
            self._end_alone(conn, found)
            self.ask(conn, replace(found, thread_id=thread_id), 1)

    def _end_alone(self, conn: Connection, found: PartnerInterview) -> None:
        """End the case that a member began alone and has not answered, now that they are asked it."""
        alone = store.running(conn, found.first_id, on_case=True)
        asked = store.questions_of(conn, alone.id) if alone else []
        begun = any(question.answer is not None for question in asked)
        if alone is not None and alone.case_id == found.case_id and not begun:
            store.end(conn, alone.id, self._now())

    def desert(self, conn: Connection, key: int, thread_id: int | None = None) -> None:
        """End what one of the two has left, or the search of a member who has."""
        found = partner_store.get(conn, key, lock=True)
        if found is None or found.state in {PartnerState.CLOSING, PartnerState.ENDED}:
            return
        if thread_id is not None:
            partner_store.change(conn, key, expect=found.state, thread_id=thread_id)
        search = found.second_id is None
        self.close(conn, found, PartnerEnding.WITHDRAWN if search else PartnerEnding.LEFT)

    @writing_due
    def exchange(self, conn: Connection, key: int, user_id: int) -> None:
        """Let the other one ask first, and something else, as long as nothing is ticked."""
        found = self._running(conn, key, user_id)
        if found.turn > 1 or found.ticks or found.state not in _ASKED:
            raise UserError(
                "You can exchange roles before the first question is answered. "
                "Go on with the newest card in the thread."
            )
        case_id = self._another_case(conn, found) if found.case_id else None
        second, first = found.members
        roles: dict[str, Any] = {"first_id": first, "second_id": second, "case_id": case_id}
        partner_store.change(conn, key, expect=found.state, **roles)
        self.ask(conn, replace(found, **roles), found.turn)

    @writing_due
    def card(self, conn: Connection, key: int, number: int, user_id: int) -> PartnerCard | None:
        """Return what the member who asks sees; None if the question had to be replaced."""
        return self._asked_by(conn, key, number, user_id)

    @writing_due
    def tick(
        self,
        conn: Connection,
        key: int,
        number: int,
        mark: int,
        user_id: int,
        ticks: Collection[int],
    ) -> PartnerCard | None:
        """Store which key points the other member has said, replacing earlier ticks.

        `mark` is that of the key points on the card; None if these are not asked any more.
        """
        card = self._asked_by(conn, key, number, user_id)
        if card is None or card.topic is None or card.interview.asked_mark != mark:
            return None
        found, points = card.interview, range(len(card.topic.key_points))
        values: dict[str, Any] = {"ticks": "".join(str(n) for n in sorted(ticks) if n in points)}
        if found.state in {PartnerState.ASKING, PartnerState.CONFIRMING}:
            values["due_at"] = self._now() + rules.IDLE_AFTER
        partner_store.change(conn, key, expect=found.state, **values)
        return replace(card, interview=replace(found, ticks=values["ticks"]))

    @writing_due
    def show_ticks(
        self, conn: Connection, key: int, number: int, mark: int, user_id: int
    ) -> PartnerCard | None:
        """Let the other one see the ticks, which may still change until they are confirmed."""
        card = self._asked_by(conn, key, number, user_id)
        if card is None or card.interview.asked_mark != mark:
            return None
        if card.interview.state in _SHOWN:
            return card
        showing = {"state": PartnerState.SHOWING, "due_at": self._now(), "tried_at": None}
        partner_store.change(conn, key, expect=card.interview.state, **showing)
        return replace(card, interview=replace(card.interview, state=PartnerState.SHOWING))

    @writing_due
    def ticks(
        self, conn: Connection, key: int, number: int, user_id: int
    ) -> PartnerCard | int | None:
        """Return what was ticked or, once it is confirmed, the question of the member's interview.

        None if the question had to be replaced.
        """
        return self._ticks(conn, key, number, user_id)

    @writing_due
    def confirm(
        self, conn: Connection, key: int, number: int, mark: int, user_id: int, said: str
    ) -> PartnerCard | Confirmed | int | None:
        """Store the answer with these ticks, and go on; do nothing if they or the key points have changed.

        Returns a value like `ticks`, with what changed for the member's streak if they confirm now.
        """
        card = self._ticks(conn, key, number, user_id)
        if not isinstance(card, PartnerCard) or card.topic is None:
            return card
        found, now = card.interview, self._now()
        if (found.asked_mark, found.ticks) != (mark, said):
            return card
        assessment = ticked_by_partner([p.text for p in card.topic.key_points], card.ticks)
        interview_id = store.add_partner_answer(
            conn,
            found.interview_of(user_id),
            user_id=user_id,
            topic_id=card.topic.id,
            case_id=found.case_id,
            total=rules.TURNS if found.case_id else rules.QUESTIONS_EACH,
            assessment=assessment,
            asked_at=found.asked_at or now,
            now=now,
        )
        mine = "first_interview_id" if user_id == found.first_id else "second_interview_id"
        partner_store.change(conn, key, expect=found.state, **{mine: interview_id})
        streak, news = self._streaks.credit(conn, user_id, found.guild_id, now)
        self.ask(conn, _existing(partner_store.get(conn, key)), number + 1)
        return Confirmed(store.questions_of(conn, interview_id)[-1].id, streak, news)

    @writing_due
    def end(self, conn: Connection, key: int, user_id: int) -> None:
        """End an interview early. Answers that were confirmed count."""
        self.close(conn, self._running(conn, key, user_id), PartnerEnding.STOPPED)

    @reading
    def interview_of(self, conn: Connection, key: int, user_id: int) -> int:
        """Return the interview that holds what a member was asked."""
        found = _of(partner_store.get(conn, key), user_id).interview_of(user_id)
        if found is None:
            raise UserError(
                "You weren't asked anything, so there is no report. Look for another partner with </interview>."
            )
        return found

    @reading
    def check_member(self, conn: Connection, key: int, user_id: int) -> None:
        """Refuse everybody but the two members of an interview."""
        _of(partner_store.get(conn, key), user_id)

    @writing
    def keep_apart(self, conn: Connection, key: int, user_id: int) -> None:
        """Never put these two together again, whoever asks for it and whatever they erase or erased."""
        found = _of(partner_store.get(conn, key), user_id)
        if found.pair is None:
            raise UserError(_GONE)
        remember(conn, found.pair)

    def close(self, conn: Connection, found: PartnerInterview, ending: PartnerEnding) -> None:
        """End a search or interview; what it says last is posted next."""
        closing = {"state": PartnerState.CLOSING, "due_at": self._now()}
        # a card that a crash left unstored is still to be found
        tried_at = found.tried_at if found.state is PartnerState.POSTING else None
        partner_store.change(
            conn, found.id, expect=found.state, ending=ending, tried_at=tried_at, **closing
        )

    def describe(self, conn: Connection, found: PartnerInterview) -> PartnerCard:
        bank, case = self._banks.of(conn, found.guild_id), self._packs.case(found.case_id)
        topic_id = (found.asked_topic_id if found.turn else found.topic_id) or ""
        topic = self._packs.step(topic_id) if found.case_id else bank.topics.get(topic_id)
        section = bank.section_titles.get(topic.section_id, "") if topic else ""
        return PartnerCard(
            interview=found,
            names=names_of(conn, found.guild_id, found.members),
            topic=topic,
            section=case.title if case else section,
            case=case,
        )

    def ask(self, conn: Connection, found: PartnerInterview, number: int) -> None:
        """Draw a question and call its asker, or end the interview after the last one."""
        topic = None if number > rules.TURNS else self._draw(conn, found, number)
        if topic is None:
            over = PartnerEnding.DONE if number > rules.TURNS else PartnerEnding.NO_TOPIC
            self.close(conn, found, over)
            return
        now = self._now()
        asked = {"turn": number, "asked_topic_id": topic.id, "asked_mark": topic.mark}
        asked |= {"asked_at": now, "ticks": ""}
        calling = {"state": PartnerState.CALLING, "due_at": now, "tried_at": None}
        partner_store.change(conn, found.id, expect=found.state, **asked, **calling)

    def _draw(self, conn: Connection, found: PartnerInterview, number: int) -> Topic | None:
        """Draw a topic for the member who answers, or return the case's step."""
        if found.case_id is not None:
            return self._packs.step(f"{found.case_id}.{number}")
        interviews = [found.interview_of(member) for member in found.members]
        used = {q.topic_id for n in interviews if n for q in store.questions_of(conn, n)}
        used.add(found.asked_topic_id or "")
        return rules.draw_topic(
            self._banks.of(conn, found.guild_id),
            topics_met(conn, found.answerer(number)),
            used=used,
            hidden=self._hidden(conn, found),
            wanted=found.topic_id,
            rng=self._rng,
        )

    def _hidden(self, conn: Connection, found: PartnerInterview) -> set[str]:
        """Return the topics that are questions of the day now on a server of either member."""
        topics = self._in_play.topics
        return {n for member in found.members for n in topics(conn, member, found.guild_id)}

    def _running(self, conn: Connection, key: int, user_id: int) -> PartnerInterview:
        """Lock an interview that goes on, for one of its members; refuse everybody else."""
        found = _of(partner_store.get(conn, key, lock=True), user_id)
        if found.state not in (*_ASKED, *_SHOWN) or found.is_deserted:
            raise UserError(_GONE)
        return found

    def _asked_by(
        self, conn: Connection, key: int, number: int, user_id: int
    ) -> PartnerCard | None:
        """Return the current question for the member who asks it; refuse everybody else."""
        found = self._running(conn, key, user_id)
        if found.asker(number) != user_id:
            raise UserError(
                "Only the one who asks can press this. Answer first, and you'll see the key points."
            )
        return self._current(conn, found, number)

    def _ticks(
        self, conn: Connection, key: int, number: int, user_id: int
    ) -> PartnerCard | int | None:
        found = _of(partner_store.get(conn, key), user_id)
        if found.answerer(number) != user_id:
            raise UserError("This is for the one who answered. Use your own card.")
        interview_id = found.interview_of(user_id)
        before = number - 1 if found.case_id else (number - 1) // 2
        answered = store.questions_of(conn, interview_id) if interview_id else []
        if len(answered) > before:
            return answered[before].id
        found = self._running(conn, key, user_id)
        if found.state not in _SHOWN:
            raise UserError("The ticks aren't there yet. Answer first, and you'll see them.")
        return self._current(conn, found, number)

    def _current(
        self, conn: Connection, found: PartnerInterview, number: int
    ) -> PartnerCard | None:
        """Return the question that is asked now.

        It is replaced, and this returns None, if it has become a question of the day since it was
        drawn, because its key points and its answer would be shown before the reveal; and if it was
        changed or removed, because the ticks are about other key points.
        """
        if number != found.turn:
            raise UserError("That question is done. Use the newest card in the thread.")
        card = self.describe(conn, found)
        same = card.topic is not None and card.topic.mark == found.asked_mark
        if same and found.asked_topic_id not in self._hidden(conn, found):
            return card
        self.ask(conn, found, number)
        return None


def _existing(found: PartnerInterview | None) -> PartnerInterview:
    if found is None:
        raise UserError(_GONE)
    return found


def _of(found: PartnerInterview | None, user_id: int) -> PartnerInterview:
    """Return an interview of this member; refuse everybody else."""
    found = _existing(found)
    if user_id not in found.members:
        if found.is_deserted:  # they may be the one who has deleted their data
            raise UserError(_GONE)
        raise UserError("This is for two other members. Look for a partner with </interview>.")
    return found
