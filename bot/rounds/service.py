"""The use cases of rounds besides answering: start, stop, status, the host's buttons, and reviews.

`bot.rounds.work` does what is due.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

from msgspec import Struct

from bot.answers import store as answers_store
from bot.answers.store import ROUND
from bot.core import servers
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.core.limits import ROUNDS_OPEN
from bot.core.pending_starts import Notify, PendingStarts
from bot.members.store import names_of
from bot.play import rules as play_rules
from bot.play import service as play_service
from bot.play.service import draw_items
from bot.questions import answers, drawing
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review, missed_items
from bot.questions.model import Bank, Item
from bot.rounds import rules, store
from bot.rounds.answering import get_question_or_refuse
from bot.rounds.cards import Leader, OpenQuestion, RoundStatus, Started
from bot.rounds.messages import standings_of
from bot.rounds.rules import Options, Phase
from bot.rounds.store import Round, RoundQuestion

log = logging.getLogger(__name__)


class _Start(Struct, frozen=True):
    """The request to start a round."""

    guild_id: int
    channel_id: int
    starter_id: int
    wanted: Options
    now: datetime


class Rounds:
    """Rounds on all servers of this process."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._clock = context.clock
        self._rng = context.rng
        self._in_play = context.in_play
        self.pending_starts = PendingStarts(context.now)

    async def start(
        self,
        *,
        guild_id: int,
        channel_id: int,
        starter_id: int,
        notify: Notify | None = None,
        roles: Collection[int] = (),
        manages: bool = False,
        **options: Any,
    ) -> Started:
        """Draw the questions and store the round; refuse more rounds than the limits allow.

        `notify` shows the starter a sentence if the first question can't be posted. `roles` are the
        starter's. The other options are those of `rules.Options`.
        """
        wanted = Options(**options)
        start = _Start(guild_id, channel_id, starter_id, wanted, now=self._now())
        if wanted.hosted and wanted.seconds:
            raise UserError(
                "A hosted round has no clock. Leave out the seconds, or start a timed one."
            )
        bank, drawn = await self._check_and_draw(start, roles, manages=manages)
        started = await self._database.write(self._create, start, bank, drawn)
        log.info("round %s started: guild %s, channel %s", started.round_id, guild_id, channel_id)
        if notify is not None:
            self.pending_starts.add(started.round_id, starter_id, notify)
        self._scheduler.nudge(started.first_at)
        return started

    @reading
    def _check_and_draw(
        self, conn: Connection, start: _Start, roles: Collection[int], *, manages: bool
    ) -> tuple[Bank, list[Item]]:
        """Return a server's bank and the items of a round; refuse members who may not start one.

        This is a read because drawing takes longer than the rest of a start, and other members'
        answers would wait for a write.
        """
        servers.require_starter(conn, start.guild_id, roles, manages=manages)
        bank = self._banks.of(conn, start.guild_id)
        check_topic(bank, start.wanted.topic_id)
        _refuse_another(conn, start)
        return bank, self._draw(conn, start, bank)

    def _draw(self, conn: Connection, start: _Start, bank: Bank) -> list[Item]:
        return draw_items(conn, self._in_play, start.guild_id, bank, start.wanted, self._rng)

    def _create(self, conn: Connection, start: _Start, bank: Bank, drawn: list[Item]) -> Started:
        wanted = start.wanted
        _refuse_another(conn, start)
        in_play = self._in_play.items(conn, start.guild_id)
        if not in_play.isdisjoint(item.id for item in drawn):  # another start was faster
            drawn = self._draw(conn, start, bank)
        questions = [
            (i.id, answers.encode_order(drawing.shuffled(i, self._rng)), wanted.limit(i))
            for i in drawn
        ]
        first_at = start.now + rules.LEAD
        round_id = store.create(
            conn,
            questions=questions,
            now=start.now,
            first_at=first_at,
            guild_id=start.guild_id,
            channel_id=start.channel_id,
            starter_id=start.starter_id,
            topic_id=wanted.topic_id,
            difficulty=wanted.difficulty,
            seconds=wanted.seconds,
            hosted=wanted.hosted,
        )
        if round_id is None:
            raise UserError(
                "A round is already running in this channel. Join in, or see </quiz status>."
            )
        limits = [limit for _, _, limit in questions if limit]
        return Started(
            round_id=round_id,
            questions=len(questions),
            wanted=wanted.questions,
            seconds=(min(limits), max(limits)) if limits else None,
            topic=bank.topics.get(wanted.topic_id or ""),
            difficulty=wanted.difficulty,
            first_at=first_at,
        )

    async def subject(self, question_id: int) -> str | None:
        """Return the id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    async def stop(self, *, channel_id: int, user_id: int, may_manage: bool) -> bool:
        """End the channel's round after the current reveal; a second call ends it now.

        Return whether a reveal comes before the standings.
        """
        now = self._now()

        def store_stop(conn: Connection) -> bool:
            round_ = store.running_in(conn, channel_id)
            if round_ is None:
                raise _none_running()
            if not may_manage and user_id != round_.starter_id:
                raise UserError(
                    "Only whoever started this round, or someone with Manage Messages, can stop it."
                )
            values = rules.stop(
                round_.phase, stopped=bool(round_.ending), failing=round_.failures > 0, now=now
            )
            if values is None:
                raise UserError("This round is already ending. The standings follow in a moment.")
            if not store.change(conn, round_.id, expect=round_.phase, **values):
                raise UserError("The round just moved on. Use </quiz stop> again.")
            return round_.phase in {Phase.ASKING, Phase.OPEN}

        still_open = await self._database.write(store_stop)
        self._scheduler.nudge(now)
        return still_open

    @reading
    def status(self, conn: Connection, channel_id: int) -> RoundStatus:
        """Return the round that runs in a channel; refuse if there is none."""
        round_ = store.running_in(conn, channel_id)
        if round_ is None:
            raise _none_running(store.last_ended(conn, channel_id))
        leaders = standings_of(conn, round_.id)[: rules.LEADERS]
        members = [round_.starter_id, *(tally.user_id for _, tally in leaders)]
        names = names_of(conn, round_.guild_id, members)
        return RoundStatus(
            number=round_.number,
            total=round_.total,
            starter=names.get(round_.starter_id),
            phase=round_.phase,
            hosted=round_.hosted,
            due_at=round_.due_at or self._now(),
            ending=round_.ending is not None,
            question=_open_question(conn, round_),
            leaders=tuple(
                (place, Leader(names.get(tally.user_id), tally.points)) for place, tally in leaders
            ),
        )

    @reading
    def review_one(self, conn: Connection, click: Click) -> Review:
        """Return a member's answer to a revealed question, for "Explain".

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
            raise UserError("This question is still open. You'll see why at the reveal.")
        given = answers_store.get(conn, ROUND, question.id, click.user_id)
        item = still_there(self._banks.of(conn, round_.guild_id).items.get(question.item_id))
        return play_service.review(item, question.choice_order, given)

    @reading
    def review_all(self, conn: Connection, round_id: int, user_id: int) -> list[Review]:
        """Return a member's answers to all revealed questions of a round, for "My answers"."""
        asked = store.question_ids(conn, round_id).values()
        given = {a.question_id: a for a in answers_store.of_member(conn, ROUND, asked, user_id)}
        if not given:
            raise UserError("You didn't play this round. Join the next one.")
        round_ = store.get(conn, round_id)
        assert round_ is not None
        items = self._banks.of(conn, round_.guild_id).items
        questions = [q for q in store.revealed_questions(conn, round_id) if q.item_id in items]
        return [
            play_service.review(items[q.item_id], q.choice_order, given.get(q.id))
            for q in questions
        ]

    async def misses(self, round_id: int, user_id: int) -> list[str]:
        """Return the ids of the items of a round that a member missed; refuse if there are none."""
        return missed_items(await self.review_all(round_id, user_id))

    @reading
    def options(self, conn: Connection, round_id: int, guild_id: int, channel_id: int) -> Options:
        """Return the options of a round in this channel, to start another one like it."""
        round_ = store.get(conn, round_id)
        if round_ is None or (round_.guild_id, round_.channel_id) != (guild_id, channel_id):
            raise UserError(
                "I don't know that round any longer. Start a new one with </quiz start>."
            )
        return Options(
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
        due = self._now() + play_rules.grace(self._clock.delay())

        def close(conn: Connection) -> None:
            question, round_ = get_question_or_refuse(conn, question_id, lock=True)
            _refuse_unless_host(round_, user_id, may_manage=may_manage)
            if not round_.hosted:
                raise UserError(
                    "This round goes by the clock: the answer comes when the time is up."
                )
            if round_.phase is Phase.ASKING and round_.number == question.number:
                raise UserError(
                    "This question is only just coming. Press Reveal again in a moment."
                )
            _refuse_moved_on(question, round_, message_id)
            if round_.phase is Phase.OPEN and round_.due_at and round_.due_at > due:
                store.change(conn, round_.id, expect=Phase.OPEN, due_at=due)

        await self._database.write(close)
        self._scheduler.nudge(due)

    async def go_on(
        self, question_id: int, message_id: int, user_id: int, *, may_manage: bool
    ) -> None:
        """End the pause after a question's reveal. Repeated calls do nothing."""
        now = self._now()

        def end_pause(conn: Connection) -> None:
            question, round_ = get_question_or_refuse(conn, question_id, lock=True)
            _refuse_unless_host(round_, user_id, may_manage=may_manage)
            _refuse_moved_on(question, round_, message_id)
            if round_.phase is Phase.REVEAL:
                raise UserError("The answer is only just coming. Press Next again in a moment.")
            if round_.phase is Phase.PAUSE and round_.due_at and round_.due_at > now:
                store.change(conn, round_.id, expect=Phase.PAUSE, due_at=now)

        await self._database.write(end_pause)
        self._scheduler.nudge(now)


def _open_question(conn: Connection, round_: Round) -> OpenQuestion | None:
    question = store.question_of(conn, round_.id, round_.number)
    if (
        round_.phase is not Phase.OPEN
        or question is None
        or question.message_id is None
        or question.deadline_at is None
    ):
        return None
    return OpenQuestion(
        guild_id=round_.guild_id,
        channel_id=round_.channel_id,
        message_id=question.message_id,
        deadline_at=question.deadline_at,
        answered=answers_store.count(conn, ROUND, question.id),
    )


def _refuse_another(conn: Connection, start: _Start) -> None:
    """Refuse a round beyond the limits per member and per server.

    If its channel has a round already, `_create` says so instead.
    """
    own = [r for r in store.started_by(conn, start.starter_id) if r.channel_id != start.channel_id]
    if own:
        is_here = own[0].guild_id == start.guild_id
        where = f"in <#{own[0].channel_id}>" if is_here else "on another server"
        raise UserError(
            f"The round that you started {where} is still running. "
            "End it there with </quiz stop> first."
        )
    running = store.running_on(conn, start.guild_id)
    if len(running) >= ROUNDS_OPEN and all(r.channel_id != start.channel_id for r in running):
        channels = ", ".join(f"<#{r.channel_id}>" for r in running)
        raise UserError(
            f"This server has {len(running)} rounds running, as many as it can. "
            f"Join one of them: {channels}."
        )


def _none_running(last: Round | None = None) -> UserError:
    """Return the refusal if no round runs. It says why the last one ended early, if it did."""
    if last is None or last.detail is None:
        return UserError("No round is running in this channel. Start one with </quiz start>.")
    return UserError(
        f"No round is running in this channel. The last one ended early: {last.detail}"
    )


def _refuse_unless_host(round_: Round, user_id: int, *, may_manage: bool) -> None:
    """Refuse members who may not show the answer or go on."""
    if user_id != round_.starter_id and not may_manage:
        raise UserError(
            "Only whoever started this round, or someone with Manage Messages, can move it on."
        )


def _refuse_moved_on(question: RoundQuestion, round_: Round, message_id: int) -> None:
    """Refuse a button on a card that is not the round's newest."""
    if (round_.number, question.message_id) != (question.number, message_id):
        raise UserError(
            "The round has moved on already. The newest card in this channel is the one to use."
        )
