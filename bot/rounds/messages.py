"""The messages of rounds: posted, edited while answers come in, and revealed."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.answers import store as answers_store
from bot.answers.model import Answer, Tally
from bot.answers.store import ROUND
from bot.chat.messages import Message
from bot.core.context import Context, Place
from bot.core.database import Connection, reading
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.daily.schedule_store import schedules_of
from bot.games.rules import SHOWN
from bot.games.service import has_repeats
from bot.members.store import names_of
from bot.questions.answers import count_answers, decode_order
from bot.rounds import rules, store
from bot.rounds import views as view
from bot.rounds.model import (
    Phase,
    QuestionCard,
    RevealCard,
    Round,
    RoundQuestion,
    StandingsCard,
)

log = logging.getLogger(__name__)
_SECOND = timedelta(seconds=1)


class RoundMessages:
    """Builds and sends a round's messages."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._sender = context.sender

    async def question(
        self,
        round_: Round,
        question: RoundQuestion,
        ends_at: datetime | None,
        left: int | None = None,
        answered: int = 0,
    ) -> Message:
        """Return the message of an open question."""
        bank = await self._database.read(self._banks.of, round_.guild_id)
        card = QuestionCard(
            question_id=question.id,
            item=bank.items[question.item_id],
            order=decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            seconds=question.seconds,
            ends_at=ends_at,
            left=left,
            answered=answered,
        )
        return view.question(card, bank)

    async def refresh(self, question_id: int) -> bool:
        """Show the present count of answers on a card; return False if it is not open any more."""
        found = await self._database.read(store.question_and_round, question_id)
        if found is None or found[1].phase is not Phase.OPEN:
            return False
        question, round_ = found
        if question.message_id is None or question.number != round_.number:
            return False
        answered = await self._database.read(answers_store.count, ROUND, question_id)
        ends_at = None if round_.hosted else question.deadline_at
        left = None if ends_at is None else max(0, (ends_at - self._now()) // _SECOND)
        try:
            message = await self.question(round_, question, ends_at, left, answered)
            await self._sender.edit(place_of(round_), question.message_id, message, urgent=True)
            # another process may have revealed it during this edit, which then replaced the reveal
            found = await self._database.read(store.question_and_round, question_id)
            if found is not None and found[0].revealed_at is not None:
                given = await self._database.read(answers_store.to_question, ROUND, question_id)
                await self.reveal(found[1], found[0], given)
        except (DeliveryUnknown, DeliveryRefused) as error:  # the reveal will deal with it
            log.info("round %s: counter not refreshed: %s", round_.id, error)
        return True

    async def reveal(self, round_: Round, question: RoundQuestion, given: Sequence[Answer]) -> None:
        """Edit an open question's card into the reveal.

        Do nothing if it was never posted or its item has left the bank.
        """
        if question.message_id is None:
            return
        shown = await self._reveal_card(round_, question, given)
        if shown is not None:
            message = view.reveal(shown)
            await self._sender.edit(place_of(round_), question.message_id, message, urgent=True)

    @reading
    def _reveal_card(
        self, conn: Connection, round_: Round, question: RoundQuestion, given: Sequence[Answer]
    ) -> RevealCard | None:
        item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
        if item is None:
            return None
        right = [] if round_.hosted else [a for a in given if a.correct]
        best = [Tally(a.user_id, a.points, 1, 1, a.elapsed_ms or 0) for a in right[: rules.FASTEST]]
        leaders: list[Tally] = []
        if round_.two_played and rules.names_leaders(question.number, round_):
            ranked = standings_of(conn, round_.id)
            leaders = [tally for _, tally in ranked if tally.points][: rules.LEADERS]
        shown = [tally.user_id for tally in (*best, *leaders)]
        return RevealCard(
            question_id=question.id,
            item=item,
            order=decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            outcome=count_answers(item, [(a.answer or "", a.correct) for a in given]),
            fastest=tuple(best),
            names=names_of(conn, round_.guild_id, shown),
            leaders=tuple(leaders),
            goes_on=round_.ending is None,
            hosted=round_.hosted,
        )

    async def standings(self, round_: Round) -> Message:
        """Return the message of the standings."""
        return await view.standings(await self._standings_card(round_))

    @reading
    def _standings_card(self, conn: Connection, round_: Round) -> StandingsCard:
        asked = store.revealed_ids(conn, round_.id)
        ranked = answers_store.standings(conn, ROUND, asked)
        members = [tally.user_id for _, tally in ranked]
        dailies = schedules_of(conn, round_.guild_id)
        return StandingsCard(
            round_id=round_.id,
            questions=len(asked),
            standings=tuple(ranked),
            names=names_of(conn, round_.guild_id, members[:SHOWN]),
            ending=round_.ending,
            race=rules.race(_points_by_question(conn, asked), members),
            repeats=has_repeats(conn, ROUND, asked, ranked),
            hosted=round_.hosted,
            alone=not round_.two_played,
            next_daily=min(((s.next_at, s.channel_id) for s in dailies if s.next_at), default=None),
        )


def place_of(round_: Round) -> Place:
    return Place(round_.guild_id, round_.channel_id)


def standings_of(conn: Connection, round_id: int) -> list[tuple[int, Tally]]:
    """Return the places and tallies of a round's players, best first."""
    return answers_store.standings(conn, ROUND, store.revealed_ids(conn, round_id))


def _points_by_question(conn: Connection, question_ids: Sequence[int]) -> list[dict[int, int]]:
    """Return, for each question in order, the points that each member won."""
    won: dict[int, dict[int, int]] = {key: {} for key in question_ids}
    for a in answers_store.results(conn, ROUND, question_ids):
        won[a.question_id][a.user_id] = a.points
    return list(won.values())
