"""Asking a round's questions, revealing their answers, and posting the standings.

Each of these is a step from one phase of the round's row (see `bot.rounds.store`) to the next.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

from bot.answers import pay
from bot.answers import rules as scoring
from bot.answers import store as answer_log
from bot.answers.rules import FEWEST_PLAYERS, slow_in_game
from bot.answers.store import ROUND, Answer
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection, is_away
from bot.core.errors import DeliveryRefused, DeliveryUnknown
from bot.core.posting import Post, PostWorker
from bot.members.store import names_of
from bot.memory import store as memory
from bot.play.rules import SHOWN
from bot.questions import answers
from bot.questions.cards import count_answers
from bot.questions.model import Bank
from bot.rounds import rules, store
from bot.rounds.lines import PrivateLines
from bot.rounds.rules import Fastest, Leader, Phase, QuestionCard, RevealCard, StandingsCard
from bot.rounds.service import Rounds, get_question_or_refuse
from bot.rounds.store import Round, RoundQuestion

log = logging.getLogger(__name__)


class Views(Protocol):
    """Makes the messages of a round, as `bot.rounds.views` does."""

    def question(self, card: QuestionCard, bank: Bank, /) -> Any: ...
    def reveal(self, card: RevealCard, bank: Bank, /) -> Any: ...
    def standings(self, card: StandingsCard, /) -> Awaitable[Any]: ...


class RoundCards:
    """Makes a round's messages, and edits the cards of its questions."""

    def __init__(self, context: Context, views: Views) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._sender = context.sender
        self._views = views

    async def reveal(self, round_: Round, question: RoundQuestion, given: Sequence[Answer]) -> None:
        """Replace the card of a question by its reveal, if it has a card and its item still exists."""
        bank = await self._database.read(self._banks.of, round_.guild_id)
        item = bank.items.get(question.item_id)
        if item is None or question.message_id is None:
            return
        order = answers.decode_order(question.choice_order)
        outcome = count_answers(item, [(a.answer or "", a.correct) for a in given])
        best = [a for a in given if a.correct][: rules.FASTEST]
        names = await self._database.read(names_of, round_.guild_id, [a.user_id for a in best])
        fastest = tuple(Fastest(names.get(a.user_id), a.elapsed_ms or 0, a.points) for a in best)
        players = {a.user_id for a in given}
        if len(players) == 1:
            players |= await self._database.read(_players_before, round_.id, question.number)
        card = RevealCard(
            question_id=question.id,
            item=item,
            order=order,
            number=question.number,
            total=round_.total,
            outcome=outcome,
            fastest=fastest,
            alone=len(players) == 1,
            leaders=await self._leaders(round_, question.number),
            goes_on=round_.ending is None,
            hosted=round_.hosted,
        )
        await self._sender.edit(_place(round_), question.message_id, self._views.reveal(card, bank))

    async def _leaders(self, round_: Round, number: int) -> tuple[Leader, ...]:
        """Return the first three players with points; none unless this is every fifth question."""
        if number % rules.LEADERS_EVERY:
            return ()
        standings = await self._database.read(_standings, round_.id)
        tallies = [tally for _, tally in standings if tally.points][: rules.LEADERS]
        names = await self._database.read(
            names_of, round_.guild_id, [tally.user_id for tally in tallies]
        )
        return tuple(Leader(names.get(tally.user_id), tally.points) for tally in tallies)

    def standings(self, card: StandingsCard) -> Awaitable[Any]:
        return self._views.standings(card)

    async def refresh(self, question_id: int) -> int | None:
        """Show how many members have answered on an open card.

        Returns their number, or None if the question isn't open.
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
            ends_at = None
            left = None
            if not round_.hosted:
                ends_at = question.deadline_at
                left = max(0, (ends_at - self._now()) // timedelta(seconds=1))
            message = await self.question(round_, question, ends_at, left=left, answered=answered)
            await self._sender.edit(_place(round_), question.message_id, message)
            # if another process revealed the question before this edit, the edit has hidden it
            question, round_, answered = await self._database.read(
                _question_with_count, question_id
            )
            if question.revealed_at is not None:
                given = await self._database.read(answer_log.to_question, ROUND, question_id)
                await self.reveal(round_, question, given)
        except (DeliveryUnknown, DeliveryRefused) as error:  # the reveal will handle it
            log.info("round %s: counter not refreshed: %s", round_.id, error)
        return answered

    async def question(
        self, round_: Round, question: RoundQuestion, ends_at: datetime | None, **counts: Any
    ) -> Any:
        """Return the message of an open question; `counts` are further fields of its card."""
        bank = await self._database.read(self._banks.of, round_.guild_id)
        card = QuestionCard(
            question_id=question.id,
            item=bank.items[question.item_id],
            order=answers.decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            seconds=question.seconds,
            ends_at=ends_at,
            **counts,
        )
        return self._views.question(card, bank)


class RoundWork(PostWorker[Round]):
    """Moves rounds on."""

    queue = store.QUEUE

    def __init__(
        self, context: Context, rounds: Rounds, cards: RoundCards, lines: PrivateLines
    ) -> None:
        super().__init__(context)
        self._lines = lines
        self._rounds = rounds
        self._cards = cards

    def load(self, conn: Connection, key: int, /) -> Round | None:
        return store.get(conn, key)

    async def step(self, row: Round) -> None:
        try:
            match row.phase:
                case Phase.ASK | Phase.ASKING:
                    await self._ask(row)
                case Phase.OPEN | Phase.REVEAL:
                    await self._reveal(row)
                case Phase.PAUSE:
                    await self._database.write(self._go_on, row.id)
                case Phase.STANDINGS | Phase.CLOSING:
                    await self._finish(row)
        except DeliveryRefused as error:
            await self._stop_refused(row, error)

    async def give_up(self, key: int, reason: str) -> None:
        """End a round, after one attempt to show its standings if that wasn't what failed."""
        round_ = await self._database.read(store.get, key)
        if round_ is not None and round_.phase is not Phase.ENDED:
            await self._break_off(round_, "error", reason, failures=round_.failures)

    async def _ask(self, round_: Round) -> None:
        if await self.post_once(partial(self._claim_question, round_=round_)):
            self._rounds.starters.drop(round_.id)

    def _claim_question(self, conn: Connection, round_: Round) -> Post | None:
        now = self._now()
        question = store.question_of(conn, round_.id, round_.number)
        claimed = self.queue.claim(
            conn, round_.id, expect=round_.phase, now=now, phase=Phase.ASKING
        )
        if question is None or not claimed:
            return None
        store.mark_asked(conn, question, round_.guild_id, now)
        if question.item_id not in self._banks.of(conn, round_.guild_id).items:
            log.warning(
                "round %s: skipped item %s, which is no longer in the bank",
                round_.id,
                question.item_id,
            )
            self._advance(conn, round_.id, Phase.ASKING)
            return None
        ends_at = now + timedelta(seconds=question.seconds) if question.seconds else None
        return Post(
            place=_place(round_),
            nonce=make_nonce("q", question.id, question.asked_at or now),
            tried_at=question.asked_at,
            build=partial(self._cards.question, round_, question, ends_at),
            opened=partial(self._rounds.opened, round_id=round_.id, question_id=question.id),
            urgent=True,
        )

    async def _reveal(self, round_: Round) -> None:
        claimed = await self._database.write(self._claim_reveal, round_)
        if claimed is None:
            return
        shown, question, given, pause = claimed
        await self._rounds.forget(round_.id)
        await self._cards.reveal(shown, question, given)
        due_at = self._now() if shown.ending else self._now() + pause
        await self._database.write(
            store.change, round_.id, expect=Phase.REVEAL, phase=Phase.PAUSE, due_at=due_at
        )
        self._lines.reveal(question.id)

    def _claim_reveal(
        self, conn: Connection, round_: Round
    ) -> tuple[Round, RoundQuestion, Sequence[Answer], timedelta] | None:
        """Return the round as the reveal shows it, its question, the answers, and the pause after."""
        now = self._now()
        claimed = self.queue.claim(
            conn, round_.id, expect=round_.phase, now=now, phase=Phase.REVEAL
        )
        question = store.question_of(conn, round_.id, round_.number)
        if not claimed or question is None:
            return None
        given = answer_log.to_question(conn, ROUND, question.id)
        ending = round_.ending
        if round_.phase is Phase.OPEN:
            store.change_question(conn, question.id, revealed_at=now)
            store.delete_hashes(conn, question.id)
            values: dict[str, Any] = {"idle": 0 if given else round_.idle + 1}
            if rules.was_left(question.opened_at, now, hosted=round_.hosted):
                ending = ending or "left"
                values["ending"] = ending
            store.change(conn, round_.id, expect=Phase.REVEAL, **values)
        item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
        if round_.hosted:
            pause = rules.HOSTED_LIMIT
        else:
            pause = rules.pause_for(item) if item else rules.SHORTEST_PAUSE
        return replace(round_, ending=ending), question, given, pause

    def _go_on(self, conn: Connection, round_id: int) -> None:
        """End the pause: score the question, then ask the next one or show the standings."""
        if self.queue.claim(conn, round_id, expect=Phase.PAUSE, now=self._now()):
            self._advance(conn, round_id, Phase.PAUSE)

    def _advance(self, conn: Connection, round_id: int, expect: Phase) -> None:
        round_ = store.get(conn, round_id)
        if round_ is None or round_.phase is not expect:
            return
        self._score(conn, round_)
        now = self._now()
        ending = round_.ending
        if round_.hosted:  # not idle without clicks: members may answer out loud
            question = store.question_of(conn, round_id, round_.number)
            left = question is not None and rules.was_left(question.revealed_at, now, hosted=True)
            ending = ending or ("left" if left else None)
        elif round_.idle >= rules.IDLE_LIMIT:
            ending = ending or "idle"
        if ending or round_.number >= round_.total:
            store.change(
                conn, round_id, expect=expect, phase=Phase.STANDINGS, due_at=now, ending=ending
            )
        else:
            store.change(
                conn, round_id, expect=expect, phase=Phase.ASK, number=round_.number + 1, due_at=now
            )

    def _score(self, conn: Connection, round_: Round) -> None:
        """Score the answers to a revealed question, in the transaction that moves the round on.

        The claim of the reveal would be too early, because answers given in time may still arrive.
        It would also make reveals slow: of fifty at once, the last would wait for all the scoring.
        """
        question = store.question_of(conn, round_.id, round_.number)
        if (
            round_.phase not in {Phase.REVEAL, Phase.PAUSE}
            or question is None
            or answer_log.is_counted(conn, ROUND, question.id)
        ):
            return
        given = answer_log.to_question(conn, ROUND, question.id)
        if not given:
            return
        day = local_date(servers.zone(conn, round_.guild_id), question.revealed_at or self._now())
        asked = store.question_ids(conn, round_.id)
        earlier = [key for number, key in asked.items() if number < question.number]
        before = answer_log.players(conn, ROUND, earlier)
        alone = len(before | {a.user_id for a in given}) < FEWEST_PLAYERS
        if len(before) == 1 and not alone:  # the first player is paid for what they played alone
            (first,) = before
            pay.pay_late(conn, answer_log.of_member(conn, ROUND, earlier, first))
        slow = slow_in_game(question.seconds)
        reviews = pay.count(conn, given, day=day, alone=alone, slow_after_ms=slow)
        memory.record(conn, question.item_id, reviews)

    async def _finish(self, round_: Round) -> None:
        if await self.post_once(partial(self._claim_standings, round_=round_)):
            await self._end(round_, round_.ending or "finished", round_.detail)

    def _claim_standings(self, conn: Connection, round_: Round) -> Post | None:
        if not self.queue.claim(
            conn, round_.id, expect=round_.phase, now=self._now(), phase=Phase.CLOSING
        ):
            return None
        revealed = store.questions_of(conn, round_.id)
        asked = [question.id for question in revealed]
        standings = tuple(_standings(conn, round_.id))
        members = [tally.user_id for _, tally in standings]
        on_boards = answer_log.paid_for(conn, ROUND, asked)
        card = StandingsCard(
            round_id=round_.id,
            questions=len(revealed),
            standings=standings,
            names=names_of(conn, round_.guild_id, members[:SHOWN]),
            ending=round_.ending,
            race=rules.race(_points_by_question(conn, asked), members),
            repeats=len(members) > 1 and on_boards < sum(t.points for _, t in standings),
            hosted=round_.hosted,
        )
        tried_at = None
        if round_.phase is Phase.CLOSING:  # an earlier attempt came after the last reveal
            tried_at = (revealed[-1].revealed_at if revealed else None) or round_.started_at
        return Post(
            place=_place(round_),
            nonce=make_nonce("s", round_.id, round_.started_at),
            tried_at=tried_at,
            build=partial(self._cards.standings, card),
            urgent=True,
        )

    async def _end(self, round_: Round, ending: str, detail: str | None) -> None:
        await self._rounds.forget(round_.id)
        values = {"phase": Phase.ENDED, "ended_at": self._now(), "ending": ending, "detail": detail}
        await self._score_and_change(round_.id, values)
        log.info("round %s ended: %s%s", round_.id, ending, f" ({detail})" if detail else "")

    async def _break_off(self, round_: Round, ending: str, detail: str, **values: Any) -> None:
        """Ask no more and show the standings, or just end if showing them is what failed."""
        if round_.phase in {Phase.STANDINGS, Phase.CLOSING}:
            await self._end(round_, ending, detail)
            return
        await self._rounds.forget(round_.id)
        values |= {
            "phase": Phase.STANDINGS,
            "due_at": self._now(),
            "ending": ending,
            "detail": detail,
        }
        await self._score_and_change(round_.id, values)

    async def _score_and_change(self, round_id: int, values: dict[str, Any]) -> None:
        """Change a round that asks no more, after scoring its last question if that is possible."""

        def change(conn: Connection, *, score: bool) -> None:
            round_ = store.get(conn, round_id, lock=True)
            if round_ is None:
                return
            if score:
                self._score(conn, round_)
            question = store.question_of(conn, round_id, round_.number)
            if question is not None:
                store.delete_hashes(conn, question.id)
            store.change(conn, round_id, expect=round_.phase, **values)

        try:
            await self._database.write(change, score=True)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("round %s: its last question can't be scored", round_id)
            await self._database.write(change, score=False)

    async def _stop_refused(self, round_: Round, error: DeliveryRefused) -> None:
        """Stop a round because Discord refused a message. It still shows standings, if it has any."""
        fresh = await self._database.read(store.get, round_.id)
        if fresh is None or fresh.phase is Phase.ENDED:
            return
        log.warning("round %s in channel %s: %s", fresh.id, fresh.channel_id, error)
        if fresh.phase is Phase.ASKING and fresh.number == 1:
            sorry = f"The round couldn't start. {error} Once that's fixed, use </quiz start> again."
            await self._rounds.starters.tell(fresh.id, sorry)
            await self._end(fresh, error.what, str(error))
        else:
            await self._break_off(fresh, error.what, str(error))


def _place(round_: Round) -> Place:
    return Place(round_.guild_id, round_.channel_id)


def _question_with_count(conn: Connection, question_id: int) -> tuple[RoundQuestion, Round, int]:
    question, round_ = get_question_or_refuse(conn, question_id)
    return question, round_, answer_log.count(conn, ROUND, question_id)


def _players_before(conn: Connection, round_id: int, number: int) -> set[int]:
    """Return the members who answered a question of a round before this one."""
    asked = store.question_ids(conn, round_id)
    return answer_log.players(conn, ROUND, [key for n, key in asked.items() if n < number])


def _standings(conn: Connection, round_id: int) -> list[tuple[int, scoring.Tally]]:
    revealed = store.revealed_ids(conn, round_id)
    return scoring.standings(answer_log.tallies(conn, ROUND, revealed))


def _points_by_question(conn: Connection, question_ids: Sequence[int]) -> list[dict[int, int]]:
    """Return the points by member of each of these questions."""
    won: dict[int, dict[int, int]] = {key: {} for key in question_ids}
    for a in answer_log.results(conn, ROUND, question_ids):
        won[a.question_id][a.user_id] = a.points
    return list(won.values())
