"""The messages of rounds: posted, edited while answers come in, and revealed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from bot.answers import store as answers_store
from bot.answers.store import ROUND, Answer
from bot.core.context import Context, Place
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.members.store import names_of
from bot.questions import answers
from bot.questions.cards import count_answers
from bot.questions.model import Bank
from bot.rounds import rules, store
from bot.rounds.cards import Fastest, Leader, QuestionCard, RevealCard, StandingsCard
from bot.rounds.rules import Phase
from bot.rounds.service import get_question_or_refuse, standings_of
from bot.rounds.store import Round, RoundQuestion

log = logging.getLogger(__name__)


class Views(Protocol):
    """`bot.rounds.views`, as far as messages in channels need it."""

    def question(self, card: QuestionCard, bank: Bank, /) -> Any: ...
    def reveal(self, card: RevealCard, bank: Bank, /) -> Any: ...
    def standings(self, card: StandingsCard, /) -> Awaitable[Any]: ...


class RoundCards:
    """Builds and sends a round's messages."""

    def __init__(self, context: Context, views: Views) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._sender = context.sender
        self._views = views

    async def reveal(self, round_: Round, question: RoundQuestion, given: Sequence[Answer]) -> None:
        """Edit an open question's card into the reveal.

        Do nothing if it was never posted or its item has left the bank.
        """
        bank = await self._database.read(self._banks.of, round_.guild_id)
        item = bank.items.get(question.item_id)
        if item is None or question.message_id is None:
            return
        best = [a for a in given if a.correct][: rules.FASTEST]
        names = await self._database.read(names_of, round_.guild_id, [a.user_id for a in best])
        players = {a.user_id for a in given}
        if len(players) == 1:
            players |= await self._database.read(_players_before, round_.id, question.number)
        card = RevealCard(
            question_id=question.id,
            item=item,
            order=answers.decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            outcome=count_answers(item, [(a.answer or "", a.correct) for a in given]),
            fastest=tuple(Fastest(names.get(a.user_id), a.elapsed_ms or 0, a.points) for a in best),
            alone=len(players) == 1,
            leaders=await self._leaders(round_, question.number),
            goes_on=round_.ending is None,
            hosted=round_.hosted,
        )
        await self._sender.edit(_place(round_), question.message_id, self._views.reveal(card, bank))

    async def _leaders(self, round_: Round, number: int) -> tuple[Leader, ...]:
        """Return the leaders with points after every fifth question, else nothing."""
        if number % rules.LEADERS_EVERY:
            return ()
        standings = await self._database.read(standings_of, round_.id)
        tallies = [tally for _, tally in standings if tally.points][: rules.LEADERS]
        names = await self._database.read(
            names_of, round_.guild_id, [tally.user_id for tally in tallies]
        )
        return tuple(Leader(names.get(tally.user_id), tally.points) for tally in tallies)

    def standings(self, card: StandingsCard) -> Awaitable[Any]:
        """Return the message of the standings."""
        return self._views.standings(card)

    async def refresh(self, question_id: int) -> int | None:
        """Show the present count of answers on an open card and return it.

        Return None if the question is not open.
        """
        question, round_, answered = await self._database.read(_question_with_count, question_id)
        if (
            question.message_id is None
            or question.deadline_at is None
            or question.number != round_.number
            or round_.phase is not Phase.OPEN
        ):
            return None
        try:
            ends_at, left = None, None
            if not round_.hosted:
                ends_at = question.deadline_at
                left = max(0, (ends_at - self._now()) // timedelta(seconds=1))
            message = await self.question(round_, question, ends_at, left, answered)
            await self._sender.edit(_place(round_), question.message_id, message)
            # another process may have revealed it during this edit, which then replaced the reveal
            question, round_, answered = await self._database.read(
                _question_with_count, question_id
            )
            if question.revealed_at is not None:
                given = await self._database.read(answers_store.to_question, ROUND, question_id)
                await self.reveal(round_, question, given)
        except (DeliveryUnknown, DeliveryRefused) as error:  # the reveal will deal with it
            log.info("round %s: counter not refreshed: %s", round_.id, error)
        return answered

    async def question(
        self,
        round_: Round,
        question: RoundQuestion,
        ends_at: datetime | None,
        left: int | None = None,
        answered: int = 0,
    ) -> Any:
        """Return the message of an open question."""
        bank = await self._database.read(self._banks.of, round_.guild_id)
        card = QuestionCard(
            question_id=question.id,
            item=bank.items[question.item_id],
            order=answers.decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            seconds=question.seconds,
            ends_at=ends_at,
            left=left,
            answered=answered,
        )
        return self._views.question(card, bank)


def _place(round_: Round) -> Place:
    return Place(round_.guild_id, round_.channel_id)


def _question_with_count(conn: Connection, question_id: int) -> tuple[RoundQuestion, Round, int]:
    question, round_ = get_question_or_refuse(conn, question_id)
    return question, round_, answers_store.count(conn, ROUND, question_id)


def _players_before(conn: Connection, round_id: int, number: int) -> set[int]:
    """Return the members who answered a question of the round before this one."""
    asked = store.question_ids(conn, round_id)
    return answers_store.players(conn, ROUND, [key for n, key in asked.items() if n < number])
