"""Answering a round's open question. A click on a card passes through this module."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec import Struct

from bot.answers import store as answers_store
from bot.answers.store import ROUND, Answer
from bot.core import erased_answers, snowflakes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.members.store import teams_of
from bot.play import rules as play_rules
from bot.play.service import judge
from bot.questions.answers import Shown, already, decode_order, shown_answer
from bot.questions.bank import still_there
from bot.questions.model import Item
from bot.rounds import rules, store
from bot.rounds.cards import Locked
from bot.rounds.counter import AnswerCountRefresher
from bot.rounds.messages import RoundMessages
from bot.rounds.rules import Phase
from bot.rounds.store import Round, RoundQuestion

_MAX_CACHED = 10_000
"""Open questions in the cache. One that was dropped is loaded again with its next answer."""
_OLD_CARD = "This card is out of date. Answer on the newest one in this channel."
_TOO_LATE = "Time was up, so that answer didn't count. Catch the next one."
_SHOWN = "That was too late: the answer was shown already. Answer the next one."
_CLOSED_EARLY = (
    "That was too late: everyone playing had answered, so this question closed early. "
    "Answer the next one, and you'll be waited for."
)


class _CachedQuestion(Struct, frozen=True):
    """An open question. `players` is as in `rules.reveal_at`; `answered` has the time of each
    answer by member.

    `teams` are the team roles when it was loaded. `round` may be out of date, except for its
    number, server, channel and kind.
    """

    question_id: int
    round: Round
    limit_ms: int | None
    message_id: int
    opened_at: datetime
    deadline_at: datetime
    item: Item
    order: tuple[int, ...]
    players: Collection[int]
    answered: dict[int, datetime]
    teams: Collection[int]


class OpenQuestions:
    """The open questions of all rounds of this process, and the counts of answers on their cards."""

    def __init__(self, context: Context, messages: RoundMessages) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._clock = context.clock
        self.counters = AnswerCountRefresher(context.now, messages.refresh)
        self._cached: dict[int, _CachedQuestion] = {}
        """Committed data by question id; only the database knows whether a question is open."""

    async def answer(self, click: Click) -> Locked:
        """Store a member's answer and return once it is committed.

        Refuse a second answer and a late one. An answer given in time counts even if it arrives
        after the reveal, as long as the question isn't scored.
        """
        question = self._cached.get(click.question_id) or await self._load(click)
        round_ = question.round
        _refuse_elsewhere(round_, click)
        if click.message_id != question.message_id:
            raise UserError(_OLD_CARD)
        if click.at > question.deadline_at:
            raise UserError(_TOO_LATE)
        answer = judge(
            click,
            question.item,
            question.order,
            source=ROUND,
            guild_id=round_.guild_id,
            shown_at=question.opened_at,
            limit_ms=question.limit_ms,
            teams=question.teams,
        )
        shown = shown_answer(question.item, question.order, answer.answer or "")
        if not await self._database.write(store.add_answer, answer, round_.id, round_.number):
            is_open = await self._database.write(
                self._add_checked, answer, round_.id, click.message_id
            )
            if not is_open:
                return Locked(shown, None)
        question.answered[click.user_id] = click.at
        reveal = await self._reveal_at(question)
        hosted = question.limit_ms is None
        self.counters.touch(
            round_.id,
            question.question_id,
            count=len(question.answered),
            opened=question.opened_at,
            deadline=None if hosted else reveal,
        )
        return Locked(shown, reveal, hosted=hosted)

    async def _reveal_at(self, question: _CachedQuestion) -> datetime:
        """Return when a question is revealed; make its reveal due if all players have answered."""
        if question.limit_ms is None:  # only its host reveals it earlier
            return question.deadline_at
        number = question.round.number
        reveal = rules.reveal_at(
            number=number,
            deadline=question.deadline_at,
            players=question.players,
            answered_at=question.answered,
        )
        if reveal < question.deadline_at:
            due = self._due(reveal)
            await self._database.write(store.bring_forward, question.round.id, number, due)
            self._scheduler.nudge(due)
        return reveal

    @reading
    def check_open(
        self, conn: Connection, question_id: int, message_id: int, user_id: int
    ) -> Shown:
        """Return the item and the order of a question's choices, to open a modal.

        Refuse if the member can't answer it (any more).
        """
        question, round_ = get_question_or_refuse(conn, question_id)
        item = self._item(conn, round_, question)
        now = self._now()
        _refuse_if_over(question, round_, message_id, now)
        self._refuse_second(conn, question, round_, user_id)
        if question.deadline_at is not None and now > question.deadline_at:
            raise UserError(_TOO_LATE)
        _refuse_erased(conn, question_id, user_id)
        return item, decode_order(question.choice_order)

    async def forget(self, round_id: int) -> None:
        """Drop a round's question from the cache, and wait for an edit of its count under way."""
        self._cached = {k: known for k, known in self._cached.items() if known.round.id != round_id}
        await self.counters.stop(round_id)

    def forget_member(self, user_id: int) -> None:
        """Drop the open questions of rounds that the member started or played.

        They are loaded again, without the erased data, with their next answer.
        """
        self._cached = {
            key: known
            for key, known in self._cached.items()
            if user_id not in {known.round.starter_id, *known.players, *known.answered}
        }

    def forget_server(self, guild_id: int) -> None:
        """Drop the open questions of a server whose rounds were erased."""
        self._cached = {
            key: known for key, known in self._cached.items() if known.round.guild_id != guild_id
        }

    def open(self, conn: Connection, question_id: int, message_id: int) -> None:
        """Open a question whose message was posted, unless it was opened already or erased."""
        found = store.question_and_round(conn, question_id)
        if found is None or found[1].phase is not Phase.ASKING:
            return
        question, round_ = found
        opened = snowflakes.created_at(message_id)
        limit = timedelta(seconds=question.seconds) if question.seconds else rules.HOSTED_LIMIT
        deadline = opened + limit
        store.change_question(
            conn, question_id, message_id=message_id, opened_at=opened, deadline_at=deadline
        )
        store.change(
            conn, round_.id, expect=Phase.ASKING, phase=Phase.OPEN, due_at=self._due(deadline)
        )

    async def _load(self, click: Click) -> _CachedQuestion:
        """Load a click's question and cache it if it is open; refuse if it can't be answered."""
        question = await self._database.read(self._read_question, click)
        if question is None:  # the click came before Discord's response to our post
            question = await self._database.write(self._open_by_click, click)
            self._scheduler.nudge(self._due(question.deadline_at))
        if question.round.phase is not Phase.OPEN:
            return question
        cached = self._cached.setdefault(question.question_id, question)  # two clicks may load it
        if len(self._cached) > _MAX_CACHED:
            del self._cached[next(iter(self._cached))]
        return cached

    def _read_question(self, conn: Connection, click: Click) -> _CachedQuestion | None:
        """Read the question of a click; return None if its message isn't stored yet."""
        question, round_ = get_question_or_refuse(conn, click.question_id)
        _refuse_elsewhere(round_, click)
        item = self._item(conn, round_, question)
        _refuse_if_over(question, round_, click.message_id, click.at)
        if (
            question.message_id is None
            or question.opened_at is None
            or question.deadline_at is None
        ):
            return None
        asked = store.question_ids(conn, round_.id)
        latest = [asked[n] for n in (round_.number - 1, round_.number - 2) if n in asked]
        given = answers_store.to_question(conn, ROUND, question.id)
        return _CachedQuestion(
            question_id=question.id,
            round=round_,
            limit_ms=question.seconds and question.seconds * 1000,
            message_id=question.message_id,
            opened_at=question.opened_at,
            deadline_at=question.deadline_at,
            item=item,
            order=decode_order(question.choice_order),
            players=answers_store.players(conn, ROUND, latest),
            answered={a.user_id: a.answered_at for a in given},
            teams=teams_of(conn, round_.guild_id),
        )

    def _open_by_click(self, conn: Connection, click: Click) -> _CachedQuestion:
        """Open a question whose message is not stored yet: a click on it proves that it exists."""
        question, round_ = get_question_or_refuse(conn, click.question_id, lock=True)
        _refuse_if_over(question, round_, click.message_id, click.at)
        self.open(conn, question.id, click.message_id)
        opened = self._read_question(conn, click)
        assert opened is not None
        return opened

    def _add_checked(
        self, conn: Connection, answer: Answer, round_id: int, message_id: int
    ) -> bool:
        """Store an answer that `store.add_answer` did not; refuse a late or a second one.

        Return whether the question is still open.
        """
        # locked before the question is read, because a reveal may be under way
        round_ = store.get(conn, round_id, lock=True)
        question = store.question(conn, answer.question_id)
        assert question is not None
        assert round_ is not None
        self._refuse_second(conn, question, round_, answer.user_id)
        _refuse_if_over(question, round_, message_id, answer.answered_at)
        _refuse_erased(conn, question.id, answer.user_id)
        store.add_checked_answer(conn, answer, round_)
        return round_.phase is Phase.OPEN

    def _refuse_second(
        self, conn: Connection, question: RoundQuestion, round_: Round, user_id: int
    ) -> None:
        earlier = answers_store.get(conn, ROUND, question.id, user_id)
        if earlier is not None:
            item = self._item(conn, round_, question)
            raise already(item, question.choice_order, earlier.answer or "", earlier.answered_at)

    def _due(self, reveal: datetime) -> datetime:
        """Return when to reveal, so that answers given before `reveal` have arrived."""
        return reveal + play_rules.grace(self._clock.delay())

    def _item(self, conn: Connection, round_: Round, question: RoundQuestion) -> Item:
        return still_there(self._banks.of(conn, round_.guild_id).items.get(question.item_id))


def get_question_or_refuse(
    conn: Connection, question_id: int, *, lock: bool = False
) -> tuple[RoundQuestion, Round]:
    """Return a question and its round, which `lock` locks for a change; refuse unknown ids."""
    found = store.question_and_round(conn, question_id, lock=lock)
    if found is None:
        raise UserError("That question is gone. Start a new round with </quiz start>.")
    return found


def _refuse_elsewhere(round_: Round, click: Click) -> None:
    if (round_.guild_id, round_.channel_id) != (click.guild_id, click.channel_id):
        raise UserError("This card belongs to another channel. Answer on the one that's open here.")


def _refuse_if_over(question: RoundQuestion, round_: Round, message_id: int, at: datetime) -> None:
    """Refuse an answer given `at` if the question or its round had ended by then."""
    if round_.phase in {Phase.STANDINGS, Phase.CLOSING, Phase.ENDED}:
        raise UserError("This round is over. Start a new one with </quiz start>.")
    if question.message_id is not None and question.message_id != message_id:
        raise UserError(_OLD_CARD)
    is_scored = round_.number != question.number or round_.phase is Phase.ASK
    if is_scored or (question.revealed_at is not None and at > question.revealed_at):
        why = _CLOSED_EARLY if _closed_early(question, round_) else _TOO_LATE
        raise UserError(_SHOWN if round_.hosted else why)


def _refuse_erased(conn: Connection, question_id: int, user_id: int) -> None:
    if erased_answers.has_hash_of(conn, ROUND, question_id, user_id):
        raise UserError(
            "You answered this question before you deleted your data, "
            "and each member answers once. Wait for its reveal, then answer the next one."
        )


def _closed_early(question: RoundQuestion, round_: Round) -> bool:
    """Return whether the reveal came early because all players had answered."""
    return (
        question.revealed_at is not None
        and question.deadline_at is not None
        and question.revealed_at < question.deadline_at
        and round_.ending is None
    )
