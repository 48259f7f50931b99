"""Answering a round's open question. A click on a card is one transaction of this module."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.store import ROUND
from bot.core import member_hashes, snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.games.rules import grace
from bot.games.service import judge
from bot.questions.answers import Shown, already, decode_order, shown_answer
from bot.questions.bank import still_there
from bot.questions.model import Item
from bot.rounds import rules, store
from bot.rounds.counter import AnswerCounter
from bot.rounds.messages import RoundMessages
from bot.rounds.model import Locked, Phase, Round, RoundQuestion

T = TypeVar("T")
_OLD_CARD = "This card is out of date. Answer on the newest one in this channel."


class _Stored(Struct, frozen=True):
    """A stored answer; `due_at` is when its round is due, if that has changed.

    `opened_at` is when its question was opened; None if its card shows no new count.
    """

    locked: Locked
    opened_at: datetime | None = None
    due_at: datetime | None = None


class OpenQuestions:
    """The open questions of all rounds, and the counts of answers on their cards."""

    def __init__(self, context: Context, messages: RoundMessages) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._clock = context.clock
        self.counter = AnswerCounter(context.now, messages.refresh, context.sender.is_busy)

    async def answer(self, click: Click) -> Locked:
        """Store a member's answer and return once it is committed.

        Refuse a second answer and a late one. An answer given in time counts even if it arrives
        after the reveal, as long as the question isn't scored.
        """
        stored = await self._database.write(self._answer, click)
        if stored.due_at is not None:
            self._scheduler.nudge(stored.due_at)
        locked = stored.locked
        if stored.opened_at is not None:
            deadline = None if locked.hosted else locked.reveal_at
            self.counter.touch(click.question_id, opened=stored.opened_at, deadline=deadline)
        return locked

    def _answer(self, conn: Connection, click: Click) -> _Stored:
        question, round_, mark = _found(store.locked_question(conn, click.question_id))
        if (round_.guild_id, round_.channel_id) != (click.guild_id, click.channel_id):
            raise UserError(
                "This card belongs to another channel. Answer on the one that's open here."
            )
        _refuse_if_over(question, round_, click.message_id, click.at)
        due_at = None
        if question.message_id is None:
            # the click came before Discord's response to our post, and proves that it exists
            self.open(conn, question.id, click.message_id)
            question, round_ = get_question_or_refuse(conn, question.id)
            due_at = round_.due_at
        if question.deadline_at is None or question.opened_at is None:  # it isn't asked yet
            raise UserError(_OLD_CARD)
        _refuse_late(question, round_, click.at)
        _refuse_erased(conn, question, round_, click.user_id)
        bank = self._banks.with_mark(round_.guild_id, mark)
        item = still_there(bank.items.get(question.item_id))
        order = decode_order(question.choice_order)
        answer = judge(
            conn,
            click,
            item,
            order,
            source=ROUND,
            guild_id=round_.guild_id,
            shown_at=question.opened_at,
            limit_ms=question.seconds and question.seconds * 1000,
        )
        if not answers_store.add(conn, answer):
            self._refuse_second(conn, question, round_, click.user_id)
        alone = not (round_.two_played or _note_second_player(conn, round_, click.user_id))
        shown = shown_answer(item, order, answer.answer or "")
        if round_.phase is not Phase.OPEN:
            store.change(conn, round_.id, expect=round_.phase, idle=0)
            return _Stored(Locked(shown, None))
        end = self._new_end(conn, question, round_, click, alone=alone)
        if end is not None:
            due_at = self._move_end(conn, question, end)
        # a member who is alone knows the count, and if somebody else comes, this end moves back
        cut_short = alone and end is not None and question.number == 1
        latest = question.deadline_at if cut_short else end or question.deadline_at
        locked = Locked(shown, latest, hosted=round_.hosted)
        return _Stored(locked, None if cut_short else question.opened_at, due_at)

    def _new_end(
        self, conn: Connection, question: RoundQuestion, round_: Round, click: Click, *, alone: bool
    ) -> datetime | None:
        """Return when an open question ends now that a member has answered; None if as before.

        It ends early when all players have answered: the first one at half its time if nobody else
        has answered or opened its form. If somebody else comes in time, it has its full time again.
        A hosted one ends when its host reveals it.
        """
        if round_.hosted or question.deadline_at is None:
            return None
        if not alone and (full := _time_for_others(question, round_)):
            return full
        is_first = question.number == 1
        early = max(click.at + (rules.ALONE if is_first else rules.EARLY), self._now())
        if is_first and question.opened_at is not None:
            early = max(early, question.opened_at + (question.deadline_at - question.opened_at) / 2)
        if _ended_early(question) or early >= question.deadline_at:
            return None
        if not is_first:
            return early if store.all_have_answered(conn, question) else None
        others = not alone or member_hashes.has_hash_of_others(
            conn, store.FORM, question.id, click.user_id
        )
        return None if others else early

    def _move_end(self, conn: Connection, question: RoundQuestion, end: datetime) -> datetime:
        """Let an open question end at another time; return when its reveal is due."""
        due_at = self._due(end)
        store.end_question(conn, question, deadline_at=end, due_at=due_at)
        return due_at

    async def check_open(self, click: Click) -> Shown:
        """Return the item and the order of a question's choices, to open a modal.

        Refuse if the member can't answer it (any more).
        """
        shown, is_noted = await self._check_open(click)
        if is_noted:
            await self._database.write(self._note_form, click)
        return shown

    def _note_form(self, conn: Connection, click: Click) -> None:
        """Note who opens a form, so that the first question waits for a second member."""
        question, round_ = get_question_or_refuse(conn, click.question_id, lock=True)
        member_hashes.add_hash(
            conn, store.FORM, question.id, guild_id=round_.guild_id, user_id=click.user_id
        )
        if full := _time_for_others(question, round_):
            self._move_end(conn, question, full)

    @reading
    def _check_open(self, conn: Connection, click: Click) -> tuple[Shown, bool]:
        """Return what `check_open` does, and whether the form is to be noted."""
        question, round_ = get_question_or_refuse(conn, click.question_id)
        now = self._now()
        _refuse_if_over(question, round_, click.message_id, now)
        self._refuse_second(conn, question, round_, click.user_id)
        _refuse_late(question, round_, now)
        _refuse_erased(conn, question, round_, click.user_id)
        shown = self._item(conn, round_, question), decode_order(question.choice_order)
        return shown, question.number == 1 and not round_.hosted

    def open(self, conn: Connection, question_id: int, message_id: int) -> None:
        """Open a question whose message was posted, unless it was opened already or erased."""
        found = store.question_and_round(conn, question_id)
        if found is None or found[1].phase is not Phase.ASKING:
            return
        question, round_ = found
        if question.number != round_.number:
            return
        opened = snowflakes.created_at(message_id)
        limit = timedelta(seconds=question.seconds) if question.seconds else rules.HOSTED_LIMIT
        deadline = opened + limit
        store.change_question(
            conn, question_id, message_id=message_id, opened_at=opened, deadline_at=deadline
        )
        store.change(
            conn, round_.id, expect=Phase.ASKING, phase=Phase.OPEN, due_at=self._due(deadline)
        )

    def _refuse_second(
        self, conn: Connection, question: RoundQuestion, round_: Round, user_id: int
    ) -> None:
        earlier = answers_store.get(conn, ROUND, question.id, user_id)
        if earlier is not None:
            item = self._item(conn, round_, question)
            raise already(item, question.choice_order, earlier.answer or "", earlier.answered_at)

    def _due(self, reveal: datetime) -> datetime:
        """Return when to reveal, so that answers given before `reveal` have arrived."""
        return reveal + grace(self._clock.delay())

    def _item(self, conn: Connection, round_: Round, question: RoundQuestion) -> Item:
        return still_there(self._banks.of(conn, round_.guild_id).items.get(question.item_id))


def get_question_or_refuse(
    conn: Connection, question_id: int, *, lock: bool = False
) -> tuple[RoundQuestion, Round]:
    """Return a question and its round, which `lock` locks for a change; refuse unknown ids."""
    return _found(store.question_and_round(conn, question_id, lock=lock))


def _found(row: T | None) -> T:
    if row is None:
        raise UserError("That question is gone. Start a new round with </quiz>.")
    return row


def _full_time(question: RoundQuestion) -> datetime | None:
    """Return when the time of a question with a clock is up, if it was opened."""
    if question.opened_at is None or question.seconds is None:
        return None
    return question.opened_at + timedelta(seconds=question.seconds)


def _ended_early(question: RoundQuestion) -> bool:
    """Return whether a question with a clock took no more answers before its time was up."""
    full, deadline = _full_time(question), question.deadline_at
    return full is not None and deadline is not None and deadline < full


def _time_for_others(question: RoundQuestion, round_: Round) -> datetime | None:
    """Return the full time of an open question that ends early only because one member plays."""
    is_open = round_.phase is Phase.OPEN and not round_.ending
    is_cut = is_open and question.number == 1 and _ended_early(question)
    return _full_time(question) if is_cut else None


def _note_second_player(conn: Connection, round_: Round, user_id: int) -> bool:
    """Store that two have played, if somebody else has answered in the round; return whether.

    From then on the round pays, also for what the first player answered alone. An erased player is
    somebody else, unless it is this one.
    """
    asked = store.question_ids(conn, round_.id).values()
    others = answers_store.players(conn, ROUND, asked) - {user_id}
    two = bool(others) or member_hashes.has_hash_of_others(conn, store.PLAYED, round_.id, user_id)
    if two:
        store.change(conn, round_.id, expect=round_.phase, two_played=True)
    for player in others:
        pay.pay_late(conn, answers_store.of_member(conn, ROUND, asked, player))
    return two


def _refuse_if_over(question: RoundQuestion, round_: Round, message_id: int, at: datetime) -> None:
    """Refuse an answer given `at` if the question or its round had ended by then."""
    if round_.phase in {Phase.STANDINGS, Phase.CLOSING, Phase.ENDED}:
        raise UserError("This round is over. Start a new one with </quiz>.")
    if question.message_id is not None and question.message_id != message_id:
        raise UserError(_OLD_CARD)
    is_scored = round_.number != question.number or round_.phase is Phase.ASK
    if is_scored or (question.revealed_at is not None and at > question.revealed_at):
        raise UserError(_why_late(question, round_))


def _refuse_late(question: RoundQuestion, round_: Round, at: datetime) -> None:
    """Refuse an answer given after the deadline, so that the reveal can show all that count."""
    deadline = _time_for_others(question, round_) or question.deadline_at
    if deadline is not None and at > deadline:
        raise UserError(_why_late(question, round_))


def _refuse_erased(conn: Connection, question: RoundQuestion, round_: Round, user_id: int) -> None:
    if round_.erased_in == question.number and member_hashes.has_hash_of(
        conn, ROUND, question.id, user_id
    ):
        raise UserError(
            "You answered this question before you deleted your data, "
            "and each member answers once. Wait for its reveal, then answer the next one."
        )


def _why_late(question: RoundQuestion, round_: Round) -> str:
    """Return why an answer is too late, and what to do next."""
    if round_.hosted:
        why = "That was too late: the answer was shown already."
    elif not _ended_early(question):
        why = "Time was up, so that answer didn't count."
    elif round_.ending:  # by "Stop", or before it
        why = "That was too late: this question closed early."
    elif question.number == 1:
        why = "That was too late: only one person had answered, so this question closed early."
    else:
        why = "That was too late: everyone playing had answered, so this question closed early."
    if round_.ending or question.number == round_.total:
        return f"{why} The round ends here. Start a new one with </quiz>."
    return f"{why} Answer the next one."
