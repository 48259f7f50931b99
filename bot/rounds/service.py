"""The use cases of rounds besides answering: start, status, stop, and the host's buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from bot.answers import store as answers_store
from bot.answers.store import ROUND
from bot.core.clicks import Click
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import ROUNDS_OPEN
from bot.core.unstored import Notify
from bot.games.model import GameQuestion, Starter
from bot.games.service import GameService
from bot.members.store import names_of
from bot.questions import answers, drawing
from bot.questions.model import Bank, Item
from bot.questions.week import topic_of_week
from bot.rounds import rules, store
from bot.rounds.answering import get_question_or_refuse
from bot.rounds.messages import standings_of
from bot.rounds.model import NewRound, Phase, Round, RoundOptions, RoundQuestion, RoundStatus

T = TypeVar("T")


class Rounds(GameService):
    """Rounds on all servers of this process."""

    source = ROUND

    async def start(
        self, starter: Starter, options: RoundOptions, notify: Notify | None = None
    ) -> NewRound:
        """Start a round; refuse more rounds than the limits allow."""
        if options.hosted and options.seconds:
            raise UserError(
                "A hosted round has no clock. Leave out the seconds, or start a timed one."
            )

        first_at = self._now() + rules.LEAD

        def create(conn: Connection, bank: Bank, drawn: Sequence[Item]) -> NewRound:
            return self._create(conn, starter, options, bank, drawn, first_at)

        return await self._start(starter, options, notify, first_at, create)

    def _create(
        self,
        conn: Connection,
        starter: Starter,
        options: RoundOptions,
        bank: Bank,
        drawn: Sequence[Item],
        first_at: datetime,
    ) -> NewRound:
        questions = [
            (
                item.id,
                answers.encode_order(drawing.shuffled(item, self._rng)),
                rules.limit_for(item, options),
            )
            for item in drawn
        ]
        round_id = store.create(
            conn, starter, options, questions, now=first_at - rules.LEAD, first_at=first_at
        )
        if round_id is None:
            raise UserError(
                "A round is already running in this channel. Join in with its next question."
            )
        limits = [limit for _, _, limit in questions if limit]
        week = None
        if options.topic_id is None:
            week = topic_of_week(conn, bank, starter.guild_id, self._now())
            week = week if week and any(item.topic_id == week.id for item in drawn) else None
        return NewRound(
            id=round_id,
            levels=tuple(item.level for item in drawn),
            wanted=options.questions,
            seconds=(min(limits), max(limits)) if limits else None,
            topic=week or bank.topics.get(options.topic_id or ""),
            of_week=week is not None,
            first_at=first_at,
        )

    def _refuse_another(self, conn: Connection, starter: Starter) -> None:
        """Refuse a round beyond the limits per member and per server.

        If its channel has a round already, `_create` says so instead.
        """
        started = store.started_by(conn, starter.user_id)
        own = [r for r in started if r.channel_id != starter.channel_id]
        if own:
            is_here = own[0].guild_id == starter.guild_id
            where = f"in <#{own[0].channel_id}>" if is_here else "on another server"
            raise UserError(
                f"The round that you started {where} is still running. "
                "To end it, use </quiz> there and press Stop."
            )
        running = store.running_on(conn, starter.guild_id)
        here = any(r.channel_id == starter.channel_id for r in running)
        if len(running) >= ROUNDS_OPEN and not here:
            channels = ", ".join(f"<#{r.channel_id}>" for r in running)
            raise UserError(
                f"This server has {len(running)} rounds running, as many as it can. "
                f"Join one of them: {channels}."
            )

    @reading
    def status(self, conn: Connection, channel_id: int) -> RoundStatus | None:
        """Return the round that runs in a channel, or None."""
        round_ = store.running_in(conn, channel_id)
        if round_ is None:
            return None
        leaders = standings_of(conn, round_.id)[: rules.LEADERS] if round_.two_played else []
        members = [round_.starter_id, *(tally.user_id for _, tally in leaders)]
        question = store.question_of(conn, round_.id, round_.number)
        is_open = question is not None and round_.phase is Phase.OPEN
        return RoundStatus(
            round=round_,
            question=question if is_open else None,
            answered=answers_store.count(conn, ROUND, question.id) if question else 0,
            leaders=tuple(leaders),
            names=names_of(conn, round_.guild_id, members),
        )

    async def stop(self, round_id: int, user_id: int, *, may_manage: bool) -> bool:
        """End a round after the current reveal; a second call ends it now.

        Return whether a reveal comes before the standings.
        """

        now = self._now()

        def store_stop(conn: Connection, reveal_at: datetime) -> bool:
            round_ = store.get(conn, round_id, lock=True)
            if round_ is None or round_.phase is Phase.ENDED:
                raise UserError("This round is over. Start a new one with </quiz>.")
            if not may_manage and user_id != round_.starter_id:
                raise UserError(
                    "Only whoever started this round, or someone with Manage Messages, can stop it. Ask one of them."
                )
            if round_.phase is Phase.OPEN and round_.due_at is not None:
                reveal_at = min(reveal_at, round_.due_at)
            values = rules.stop(
                round_.phase,
                stopped=bool(round_.ending),
                failing=round_.failures > 0,
                now=now,
                reveal_at=reveal_at,
            )
            if values is None:
                raise UserError("This round is already ending. Wait a moment for the standings.")
            store.change(conn, round_.id, expect=round_.phase, **values)
            if round_.ending and round_.phase is Phase.OPEN:
                store.move_deadline(conn, round_.id, round_.number, now)
            return round_.phase in {Phase.ASKING, Phase.OPEN}

        reveal_follows = await self._write_due(store_stop, now + self.grace())
        self._scheduler.nudge(now)
        return reveal_follows

    def _item_of(self, conn: Connection, click: Click) -> str | None:
        question = store.question(conn, click.question_id)
        round_ = store.get(conn, question.round_id) if question else None
        if question is None or round_ is None:
            return None
        is_asked_here = (
            round_.guild_id == click.guild_id and question.message_id == click.message_id
        )
        return question.item_id if is_asked_here else None

    def _question(self, conn: Connection, click: Click) -> tuple[int, GameQuestion]:
        """Return the question of a click on "Explain" once it is revealed.

        The message must be the question's own: after a restore from a backup, an old card may have
        the id of another question.
        """
        question, round_ = get_question_or_refuse(conn, click.question_id)
        if question.message_id != click.message_id:
            raise UserError(
                "This card is out of date: I don't know which question it showed. "
                "</practice> asks more like it."
            )
        if question.revealed_at is None:
            raise UserError("This question is still open. Wait for its reveal, and you'll see why.")
        return round_.guild_id, _asked(question)

    def _questions(
        self, conn: Connection, game_id: int, user_id: int
    ) -> tuple[int, Sequence[GameQuestion]]:
        round_ = store.get(conn, game_id)
        asked = store.question_ids(conn, game_id).values()
        if round_ is None or not answers_store.of_member(conn, ROUND, asked, user_id):
            raise UserError(
                "You didn't play this round. Start another with </quiz>, or join the next one."
            )
        revealed = store.revealed_questions(conn, game_id)
        return round_.guild_id, [_asked(question) for question in revealed]

    @reading
    def options_of(
        self, conn: Connection, round_id: int, guild_id: int, channel_id: int
    ) -> RoundOptions:
        """Return the options of a round in this channel, to start another one like it."""
        round_ = store.get(conn, round_id)
        if round_ is None or (round_.guild_id, round_.channel_id) != (guild_id, channel_id):
            raise UserError("I don't know that round any longer. Start a new one with </quiz>.")
        return RoundOptions(
            questions=round_.total,
            topic_id=round_.topic_id,
            difficulty=round_.difficulty,
            seconds=round_.seconds,
            hosted=round_.hosted,
        )

    async def show_answer(
        self, question_id: int, message_id: int, user_id: int, *, may_manage: bool
    ) -> None:
        """Reveal an open question of a hosted round. Repeated calls do nothing."""
        deadline_at = self._now()

        def close(conn: Connection, due_at: datetime) -> None:
            question, round_ = _hosted(conn, question_id, user_id, may_manage=may_manage)
            if not round_.hosted:
                raise UserError(
                    "This round goes by the clock. Wait until the time is up, and the answer comes."
                )
            if round_.phase is Phase.ASKING and round_.number == question.number:
                raise UserError(
                    "This question is only just coming. Press Reveal again in a moment."
                )
            if _lasts_beyond(question, round_, message_id, Phase.OPEN, due_at):
                store.end_question(conn, question, deadline_at=deadline_at, due_at=due_at)

        await self._write_due(close, deadline_at + self.grace())

    async def go_on(
        self, question_id: int, message_id: int, user_id: int, *, may_manage: bool
    ) -> None:
        """End the pause after a question's reveal. Repeated calls do nothing."""

        def end_pause(conn: Connection, due_at: datetime) -> None:
            question, round_ = _hosted(conn, question_id, user_id, may_manage=may_manage)
            if _lasts_beyond(question, round_, message_id, Phase.PAUSE, due_at):
                store.change(conn, round_.id, expect=Phase.PAUSE, due_at=due_at)
            if round_.phase is Phase.REVEAL:
                raise UserError("The answer is only just coming. Press Next again in a moment.")

        await self._write_due(end_pause, self._now())

    @reading
    def missing(
        self,
        conn: Connection,
        question_id: int,
        message_id: int,
        user_id: int,
        *,
        may_manage: bool,
    ) -> tuple[list[str | None] | None, int]:
        """Return the names of players who haven't answered an open question, for its host.

        None before anybody is a player. The second value is the number of answers.
        """
        question, round_ = _hosted(conn, question_id, user_id, may_manage=may_manage, lock=False)
        if question.message_id != message_id or question.revealed_at is not None:
            raise UserError("This question is over. Use the newest card in this channel.")
        ids = store.question_ids(conn, round_.id)
        lately = [ids[n] for n in (question.number - 1, question.number - 2) if n in ids]
        players = answers_store.players(conn, ROUND, lately)
        answered = answers_store.players(conn, ROUND, [question.id])
        waited_for = sorted(players - answered)
        names = names_of(conn, round_.guild_id, waited_for)
        return [names.get(user) for user in waited_for] if players else None, len(answered)

    async def _write_due(self, work: Callable[[Connection, datetime], T], due_at: datetime) -> T:
        """Run a write that makes a round due at a time."""
        done = await self._database.write(work, due_at)
        self._scheduler.nudge(due_at)
        return done


def _asked(question: RoundQuestion) -> GameQuestion:
    return GameQuestion(question.id, question.item_id, question.choice_order)


def _hosted(
    conn: Connection, question_id: int, user_id: int, *, may_manage: bool, lock: bool = True
) -> tuple[RoundQuestion, Round]:
    """Return a question and its locked round; refuse members who may not move it on."""
    question, round_ = get_question_or_refuse(conn, question_id, lock=lock)
    if user_id != round_.starter_id and not may_manage:
        raise UserError(
            "Only whoever started this round, or someone with Manage Messages, can move it on. Ask one of them."
        )
    return question, round_


def _lasts_beyond(
    question: RoundQuestion, round_: Round, message_id: int, phase: Phase, due_at: datetime
) -> bool:
    """Return whether a round is in a phase that lasts beyond `due_at`.

    Refuse a button on a card that is not its newest.
    """
    if (round_.number, question.message_id) != (question.number, message_id):
        raise UserError("The round has moved on already. Use the newest card in this channel.")
    return round_.phase is phase and round_.due_at is not None and round_.due_at > due_at
