"""Rounds, moved on by the work queue: ask, reveal, post the standings.

A round is a row with a phase (see `bot.rounds.store`); a step takes it on from whatever phase it finds.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
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
from bot.core.jobs import Worker
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
    """What a round shows; `bot.rounds.views`."""

    def question(self, card: QuestionCard, bank: Bank, /) -> Any: ...
    def reveal(self, card: RevealCard, bank: Bank, /) -> Any: ...
    async def standings(self, card: StandingsCard, /) -> Any: ...


class RoundCards:
    """The cards of a round's questions: posted, counted on, revealed."""

    def __init__(self, context: Context, views: Views) -> None:
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._sender = context.sender
        self._views = views

    async def post(self, round_: Round, question: RoundQuestion, now: datetime) -> int:
        """Post an open question, once; returns its message's id."""
        ends_at = now + timedelta(seconds=question.seconds) if question.seconds else None
        nonce = make_nonce("q", question.id, question.asked_at or now)
        message = await self._question(round_, question, ends_at)
        return await self._sender.post(_place(round_), message, nonce, tried_at=question.asked_at)

    async def reveal(self, round_: Round, question: RoundQuestion, given: Sequence[Answer]) -> None:
        """Put the reveal in place of an open question; nothing happens if there is none that could be shown."""
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
        alone = len(players) == 1
        card = RevealCard(
            question_id=question.id,
            item=item,
            order=order,
            number=question.number,
            total=round_.total,
            outcome=outcome,
            fastest=fastest,
            alone=alone,
            leaders=await self._leaders(round_, question.number),
            goes_on=round_.ending is None,
            hosted=round_.hosted,
        )
        await self._sender.edit(_place(round_), question.message_id, self._views.reveal(card, bank))

    async def _leaders(self, round_: Round, number: int) -> tuple[Leader, ...]:
        """The first three who have points, after every fifth question."""
        if number % rules.LEADERS_EVERY:
            return ()
        standings = await self._database.read(_standings, round_.id)
        tallies = [tally for _, tally in standings if tally.points][: rules.LEADERS]
        names = await self._database.read(
            names_of, round_.guild_id, [tally.user_id for tally in tallies]
        )
        return tuple(Leader(names.get(tally.user_id), tally.points) for tally in tallies)

    async def standings(
        self, round_: Round, card: StandingsCard, tried_at: datetime | None
    ) -> None:
        """Post the standings, once."""
        nonce = make_nonce("s", round_.id, round_.started_at)
        await self._sender.post(
            _place(round_), await self._views.standings(card), nonce, tried_at=tried_at
        )

    async def refresh(self, question_id: int) -> int | None:
        """Show the present count of answers on an open card; returns it, or None if there is nothing to refresh."""
        question, round_, answered = await self._database.read(_question_with_count, question_id)
        if (
            question.message_id is None
            or question.deadline_at is None
            or question.number != round_.number
        ):
            return None
        if round_.phase is not Phase.OPEN:
            return None
        try:
            ends_at, left = None, None
            if not round_.hosted:
                ends_at = question.deadline_at
                left = max(0, (ends_at - self._now()) // timedelta(seconds=1))
            message = await self._question(round_, question, ends_at, left=left, answered=answered)
            await self._sender.edit(_place(round_), question.message_id, message)
            # another process may have revealed it meanwhile, and the count has come on top
            question, round_, answered = await self._database.read(
                _question_with_count, question_id
            )
            if question.revealed_at is not None:
                await self.reveal(
                    round_,
                    question,
                    await self._database.read(answer_log.to_question, ROUND, question_id),
                )
        except (DeliveryUnknown, DeliveryRefused) as error:  # the reveal will deal with it
            log.info("round %s: counter not refreshed: %s", round_.id, error)
        return answered

    async def _question(
        self, round_: Round, question: RoundQuestion, ends_at: datetime | None, **now: Any
    ) -> Any:
        bank = await self._database.read(self._banks.of, round_.guild_id)
        item, order = bank.items[question.item_id], answers.decode_order(question.choice_order)
        card = QuestionCard(
            question_id=question.id,
            item=item,
            order=order,
            number=question.number,
            total=round_.total,
            seconds=question.seconds,
            ends_at=ends_at,
            **now,
        )
        return self._views.question(card, bank)


class RoundWork(Worker[Round]):
    """See the module."""

    queue = store.QUEUE

    def __init__(
        self, context: Context, rounds: Rounds, cards: RoundCards, lines: PrivateLines
    ) -> None:
        super().__init__(context)
        self._lines = lines
        self._banks = context.banks
        self._scheduler = context.scheduler
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
            await self._lose(row, error)

    async def give_up(self, key: int, reason: str) -> None:
        """End a round whose step fails for good. Its standings are tried once more; its channel is free in any case."""
        round_ = await self._database.read(store.get, key)
        if round_ is not None and round_.phase is not Phase.ENDED:
            await self._break_off(round_, "error", reason, failures=round_.failures)

    async def _ask(self, round_: Round) -> None:
        now = self._now()

        def claim(conn: Connection) -> tuple[RoundQuestion, bool] | None:
            question = store.question_of(conn, round_.id, round_.number)
            claimed = self.queue.claim(
                conn, round_.id, expect=round_.phase, now=now, phase=Phase.ASKING
            )
            if question is None or not claimed:
                return None
            store.mark_asked(conn, question, round_.guild_id, now)
            return question, question.item_id in self._banks.of(conn, round_.guild_id).items

        claimed = await self._database.write(claim)
        if claimed is None:
            return
        question, known = claimed
        if not known:
            log.warning(
                "round %s: item %s is not in the bank any more; skipped",
                round_.id,
                question.item_id,
            )
            await self._database.write(self._advance, round_.id, Phase.ASKING)
            return
        message_id = await self._cards.post(round_, question, now)
        self._rounds.starters.drop(round_.id)
        due = await self._database.write(self._rounds.opened, round_.id, question.id, message_id)
        if due is not None:
            self._scheduler.nudge(due)

    async def _reveal(self, round_: Round) -> None:
        now = self._now()

        def claim(
            conn: Connection,
        ) -> tuple[RoundQuestion, Sequence[Answer], timedelta, bool] | None:
            claimed = self.queue.claim(
                conn, round_.id, expect=round_.phase, now=now, phase=Phase.REVEAL
            )
            question = store.question_of(conn, round_.id, round_.number)
            if not claimed or question is None:
                return None
            given = answer_log.to_question(conn, ROUND, question.id)
            left = round_.phase is Phase.OPEN and rules.was_left(
                question.opened_at, now, hosted=round_.hosted
            )
            if round_.phase is Phase.OPEN:
                store.change_question(conn, question.id, revealed_at=now)
                store.delete_hashes(conn, question.id)
                store.change(
                    conn, round_.id, expect=Phase.REVEAL, idle=0 if given else round_.idle + 1
                )
                if left:
                    store.change(
                        conn, round_.id, expect=Phase.REVEAL, ending=round_.ending or "left"
                    )
            item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
            pause = (
                rules.HOSTED_LIMIT
                if round_.hosted
                else rules.pause_for(item)
                if item
                else rules.SHORTEST_PAUSE
            )
            return question, given, pause, left

        work = await self._database.write(claim)
        if work is None:
            return
        question, given, pause, left = work
        ending = round_.ending or ("left" if left else None)
        await self._rounds.forget(round_.id)
        await self._cards.reveal(replace(round_, ending=ending), question, given)
        due = self._now() if ending else self._now() + pause
        await self._database.write(
            store.change, round_.id, expect=Phase.REVEAL, phase=Phase.PAUSE, due_at=due
        )
        self._scheduler.nudge(due)
        self._lines.reveal(question.id)

    def _go_on(self, conn: Connection, round_id: int) -> None:
        """At the end of the pause: count the answers, then ask the next question or show the standings."""
        if self.queue.claim(conn, round_id, expect=Phase.PAUSE, now=self._now()):
            self._advance(conn, round_id, Phase.PAUSE)

    def _advance(self, conn: Connection, round_id: int, expect: Phase) -> None:
        round_ = store.get(conn, round_id)
        if round_ is None or round_.phase is not expect:
            return
        self._score(conn, round_)
        now = self._now()
        ending = round_.ending
        if round_.hosted:  # its host is there, be it that all answer aloud
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
        """Count the answers to a revealed question, in the transaction in which the round leaves it.

        Not when the reveal is claimed: answers given in time may still come in, and of fifty reveals at once the last
        would wait for the sums of all others.
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
        now = self._now()

        def claim(conn: Connection) -> tuple[StandingsCard, datetime] | None:
            if not self.queue.claim(
                conn, round_.id, expect=round_.phase, now=now, phase=Phase.CLOSING
            ):
                return None
            revealed = store.questions_of(conn, round_.id)
            since = (revealed[-1].revealed_at if revealed else None) or round_.started_at
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
            return card, since

        claimed = await self._database.write(claim)
        if claimed is None:
            return
        card, since = claimed
        await self._cards.standings(round_, card, since if round_.phase is Phase.CLOSING else None)
        await self._end(round_, round_.ending or "finished", round_.detail)

    async def _end(self, round_: Round, ending: str, detail: str | None) -> None:
        await self._rounds.forget(round_.id)
        values = {"phase": Phase.ENDED, "ended_at": self._now(), "ending": ending, "detail": detail}
        await self._leave(round_.id, values)
        log.info("round %s ended: %s%s", round_.id, ending, f" ({detail})" if detail else "")

    async def _break_off(self, round_: Round, ending: str, detail: str, **values: Any) -> None:
        """Ask no more, and show how it stands; a round that could not show that just ends."""
        if round_.phase in {Phase.STANDINGS, Phase.CLOSING}:
            await self._end(round_, ending, detail)
            return
        now = self._now()
        await self._rounds.forget(round_.id)
        values |= {"phase": Phase.STANDINGS, "due_at": now, "ending": ending, "detail": detail}
        await self._leave(round_.id, values)
        self._scheduler.nudge(now)

    async def _leave(self, round_id: int, values: dict[str, Any]) -> None:
        """Leave a phase for good, with the points of a revealed question; without them if they can't be counted."""

        def leave(conn: Connection, *, score: bool) -> None:
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
            await self._database.write(leave, score=True)
        except Exception as error:
            if is_away(error):
                raise
            log.exception("round %s: its last question can't be counted", round_id)
            await self._database.write(leave, score=False)

    async def _lose(self, round_: Round, error: DeliveryRefused) -> None:
        """Discord refused for good: the round asks no more. It still shows its standings, if there are any to show."""
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
