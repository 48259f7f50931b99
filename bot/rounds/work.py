"""Rounds, moved on by the scheduler: ask, reveal, post the standings.

A round is a row with a phase (see `bot.core.schema`). `work` takes one step from whatever phase it finds, so the
same code runs a round, resumes it after a crash and takes it over from a dead process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.core import servers as guilds
from bot.core.announcer import (
    Announcer,
    DeliveryRefused,
    DeliveryUnknown,
    Fastest,
    QuestionCard,
    RevealCard,
    StandingsCard,
)
from bot.core.database import Database
from bot.core.jobs import LEASE, Key, Scheduler
from bot.core.shards import ALL, Shards
from bot.core.sharing import alone
from bot.core.time import local_date
from bot.memory import store as memory
from bot.memory.rules import rate, slow_in_round
from bot.points import rules as scoring
from bot.points import store as scores
from bot.questions import answers
from bot.questions.model import Bank
from bot.questions.outcome import outcome
from bot.rounds import rules as rounds
from bot.rounds import store
from bot.rounds.counters import AnswerCountRefresher
from bot.rounds.race_rules import race
from bot.rounds.service import Rounds, known
from bot.rounds.store import Answer, Round, RoundQuestion

log = logging.getLogger(__name__)

GIVE_UP = timedelta(minutes=15)
"""A round whose channel can't be reached for so long ends."""
_RETRY = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class _Next:
    """A question that was scored, to be shown."""

    question: RoundQuestion
    answers: Sequence[Answer]


class RoundWork:
    """A source of the scheduler; see the module."""

    def __init__(
        self,
        database: Database,
        bank: Bank,
        announcer: Announcer,
        scheduler: Scheduler,
        rounds_: Rounds,
        counters: AnswerCountRefresher,
        now: Callable[[], datetime],
        shards: Shards = ALL,
    ) -> None:
        self._database = database
        self._bank = bank
        self._announcer = announcer
        self._scheduler = scheduler
        self._rounds = rounds_
        self._counters = counters
        self._now = now
        self._shards = shards
        self._failures: dict[int, int] = {}
        counters.refresh = self._refresh

    async def recover(self) -> None:
        """At start-up: take up what the last process left half done, unless another one runs, whose it may be."""
        now = self._now()
        woken = await self._database.write(lambda conn: store.wake_claimed(conn, now) if alone(conn) else 0)
        if woken:
            log.info("taking up %s rounds where they were", woken)

    async def due(self, now: datetime, limit: int) -> Sequence[Key]:
        return await self._database.read(store.due, now, limit, self._shards)

    async def next_due(self) -> datetime | None:
        return await self._database.read(store.next_due, self._shards)

    async def work(self, key: Key) -> None:
        """Take a round one step further."""
        row_id = int(key[0])
        round_ = await self._database.read(store.get, row_id)
        if round_ is None or (round_.id, round_.number, round_.phase) != key:
            return
        try:
            match round_.phase:
                case "ask" | "asking":
                    await self._ask(round_)
                case "open" | "reveal":
                    await self._reveal(round_)
                case "standings" | "closing":
                    await self._finish(round_)
            self._failures.pop(row_id, None)
        except DeliveryUnknown as error:
            await self._later(row_id, error)
        except DeliveryRefused as error:
            await self._lose(row_id, error)

    async def _ask(self, round_: Round) -> None:
        now = self._now()
        lease = now + LEASE

        def claim(conn: Connection) -> RoundQuestion | None:
            question = store.question_of(conn, round_.id, round_.number)
            claimed = store.change(conn, round_.id, expect=round_.phase, due_by=now, phase="asking", due_at=lease)
            if question is None or not claimed:
                return None
            store.mark_asked(conn, question, round_.guild_id, now)
            return question

        question = await self._database.write(claim)
        if question is None:
            return
        if question.item_id not in self._bank.items:
            await self._drop_question(round_, question)
            return
        message_id = None
        if question.asked_at is not None:  # tried before, with unknown outcome
            message_id = await self._announcer.find_question(round_.channel_id, question.id, question.asked_at)
        if message_id is None:
            card = self._card(round_, question, now + timedelta(seconds=round_.seconds))
            message_id = await self._announcer.post_question(round_.channel_id, card)
        due = await self._database.write(self._rounds.opened, round_.id, question.id, message_id)
        if due is not None:
            self._scheduler.nudge(due)

    async def _drop_question(self, round_: Round, question: RoundQuestion) -> None:
        """Skip a question whose item is no longer in the bank."""
        log.warning("round %s: item %s is not in the bank any more; skipped", round_.id, question.item_id)
        await self._database.write(self._advance, round_.id, "asking")

    async def _reveal(self, round_: Round) -> None:
        now = self._now()
        lease = now + LEASE

        def claim(conn: Connection) -> _Next | None:
            claimed = store.change(conn, round_.id, expect=round_.phase, due_by=now, phase="reveal", due_at=lease)
            question = store.question_of(conn, round_.id, round_.number)
            if not claimed or question is None:
                return None
            given = store.answers_to(conn, question.id)
            if round_.phase == "open":
                store.mark_revealed(conn, question.id, now)
                store.change(conn, round_.id, expect="reveal", idle=0 if given else round_.idle + 1)
            return _Next(question, given)

        work = await self._database.write(claim)
        if work is None:
            return
        self._rounds.forget(work.question.id)
        await self._counters.stop(round_.id)
        if work.question.item_id in self._bank.items and work.question.message_id is not None:
            card = self._reveal_card(round_, work.question, work.answers)
            await self._announcer.reveal_question(round_.channel_id, work.question.message_id, card)
        due = await self._database.write(self._advance, round_.id, "reveal")
        if due is not None:
            self._scheduler.nudge(due)

    def _score(self, conn: Connection, round_: Round) -> None:
        """Count the answers to a question that is leaving its reveal, in the transaction in which it does.

        Not when the reveal is claimed: of fifty reveals at once the last would wait for the sums of all others.
        """
        question = store.question_of(conn, round_.id, round_.number)
        if round_.phase != "reveal" or question is None or scores.counted(conn, "round", question.id):
            return
        given = store.answers_to(conn, question.id)
        item = self._bank.items.get(question.item_id)
        day = local_date(guilds.zone(conn, round_.guild_id), question.revealed_at or self._now())
        entries = [
            scores.Entry(
                source="round",
                source_id=question.id,
                user_id=a.user_id,
                guild_id=round_.guild_id,
                topic_id=item.topic_id if item else "",
                points=a.points,
                correct=a.correct,
                local_date=day,
                at=a.answered_at,
            )
            for a in given
        ]
        scores.add(conn, entries)
        slow = slow_in_round(round_.seconds)
        met = [
            memory.ReviewedAnswer(
                a.user_id,
                rate(right=a.correct, elapsed_ms=a.elapsed_ms, slow_after_ms=slow),
                a.answered_at,
                a.elapsed_ms,
            )
            for a in given
        ]
        memory.record(conn, "round", question.id, question.item_id, met)

    def _advance(self, conn: Connection, round_id: int, expect: str) -> datetime | None:
        """After a reveal: the next question after a pause, or the standings at once."""
        round_ = store.get(conn, round_id)
        if round_ is None or round_.phase != expect:
            return None
        self._score(conn, round_)
        now = self._now()
        ending = round_.ending or ("idle" if round_.idle >= rounds.IDLE_LIMIT else None)
        if ending or round_.number >= round_.total:
            store.change(conn, round_id, expect=expect, phase="standings", due_at=now, ending=ending)
            return now
        due = now + rounds.PAUSE
        store.change(conn, round_id, expect=expect, phase="ask", number=round_.number + 1, due_at=due)
        return due

    async def _finish(self, round_: Round) -> None:
        now = self._now()

        def claim(conn: Connection) -> tuple[StandingsCard, datetime] | None:
            if not store.change(conn, round_.id, expect=round_.phase, due_by=now, phase="closing", due_at=now + LEASE):
                return None
            revealed = store.questions_of(conn, round_.id)
            since = (revealed[-1].revealed_at if revealed else None) or round_.started_at
            standings = tuple(scoring.standings(store.tallies(conn, round_.id)))
            run = race(store.points_by_question(conn, round_.id), [tally.user_id for _, tally in standings])
            return StandingsCard(round_.id, len(revealed), standings, round_.ending, round_.guild_id, run), since

        claimed = await self._database.write(claim)
        if claimed is None:
            return
        card, since = claimed
        found = None
        if round_.phase == "closing":  # tried before, with unknown outcome
            found = await self._announcer.find_standings(round_.channel_id, round_.id, since)
        if found is None:
            await self._announcer.post_standings(round_.channel_id, card)
        await self._end(round_.id, round_.ending or "finished", round_.detail)

    async def _end(self, round_id: int, ending: str, detail: str | None) -> None:
        await self._counters.stop(round_id)

        def end(conn: Connection) -> None:
            round_ = store.get(conn, round_id)
            if round_ is not None:
                self._score(conn, round_)
                store.change(
                    conn,
                    round_id,
                    expect=round_.phase,
                    phase="ended",
                    ended_at=self._now(),
                    ending=ending,
                    detail=detail,
                )

        await self._database.write(end)
        log.info("round %s ended: %s%s", round_id, ending, f" ({detail})" if detail else "")

    async def _later(self, round_id: int, error: DeliveryUnknown) -> None:
        """Discord failed: try again, waiting longer each time, until it is hopeless."""
        failures = self._failures[round_id] = self._failures.get(round_id, 0) + 1
        wait = min(_RETRY * 2 ** (failures - 1), LEASE)
        round_ = await self._database.read(store.get, round_id)
        if round_ is None or round_.phase == "ended":
            return
        if sum((min(_RETRY * 2**n, LEASE) for n in range(failures)), timedelta()) > GIVE_UP:
            self._failures.pop(round_id, None)
            await self._end(round_id, "unreachable", str(error))
            return
        log.warning("round %s: %s; trying again in %.0f s", round_id, error, wait.total_seconds())
        if round_.phase in {"asking", "reveal", "closing"}:
            await self._database.write(store.change, round_id, expect=round_.phase, due_at=self._now() + wait)

    async def _lose(self, round_id: int, error: DeliveryRefused) -> None:
        """Discord refused for good: the round ends, its scores stay, and whoever can still be told is told."""
        round_ = await self._database.read(store.get, round_id)
        if round_ is None or round_.phase == "ended":
            return
        log.warning("round %s in channel %s: %s", round_id, round_.channel_id, error)
        if error.what == "message" and round_.phase == "reveal":
            now = self._now()

            def go_on(conn: Connection) -> None:
                ending: dict[str, Any] = {"ending": "message", "detail": str(error)}
                if store.change(conn, round_id, expect="reveal", phase="standings", due_at=now, **ending):
                    self._score(conn, round_)

            await self._database.write(go_on)
            self._scheduler.nudge(now)
        else:
            await self._end(round_id, error.what, str(error))

    async def _refresh(self, round_id: int, question_id: int) -> int | None:
        """Show the present count of answers on an open card; returns it, or None if there is nothing to refresh."""

        def look(conn: Connection) -> tuple[Round, RoundQuestion, int] | None:
            question, round_ = known(conn, question_id)
            if round_.phase != "open" or round_.number != question.number:
                return None
            return round_, question, store.count_answers(conn, question_id)

        found = await self._database.read(look)
        if found is None or found[1].message_id is None or found[1].deadline_at is None:
            return None
        round_, question, count = found
        card = replace(self._card(round_, question, found[1].deadline_at), answered=count)
        try:
            await self._announcer.refresh_question(round_.channel_id, found[1].message_id, card)
            await self._mend_reveal(question_id)
        except (DeliveryUnknown, DeliveryRefused) as error:  # the reveal will deal with it
            log.info("round %s: counter not refreshed: %s", round_id, error)
        return count

    async def _mend_reveal(self, question_id: int) -> None:
        """Reveal again if another process did while this one edited the count: the count may have come on top."""

        def look(conn: Connection) -> tuple[Round, _Next] | None:
            question, round_ = known(conn, question_id)
            if question.revealed_at is None:
                return None
            return round_, _Next(question, store.answers_to(conn, question_id))

        found = await self._database.read(look)
        if found is not None and found[1].question.message_id is not None:
            card = self._reveal_card(found[0], found[1].question, found[1].answers)
            await self._announcer.reveal_question(found[0].channel_id, found[1].question.message_id, card)

    def _card(self, round_: Round, question: RoundQuestion, ends_at: datetime) -> QuestionCard:
        return QuestionCard(
            question_id=question.id,
            item=self._bank.items[question.item_id],
            order=answers.decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            ends_at=ends_at,
            guild_id=round_.guild_id,
        )

    def _reveal_card(self, round_: Round, question: RoundQuestion, given: Sequence[Answer]) -> RevealCard:
        item = self._bank.items[question.item_id]
        return RevealCard(
            question_id=question.id,
            item=item,
            order=answers.decode_order(question.choice_order),
            number=question.number,
            total=round_.total,
            outcome=outcome(item, [(a.answer, a.correct) for a in given]),
            fastest=tuple(Fastest(a.user_id, a.elapsed_ms, a.points) for a in given if a.correct)[:3],
            guild_id=round_.guild_id,
        )
