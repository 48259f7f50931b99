"""The round worker: asks and reveals questions, then posts the standings.

A round is a row with a phase (see `bot.rounds.store`). Each step continues from the phase it finds.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from bot.answers import store as answers_store
from bot.answers.model import Answer
from bot.answers.store import ROUND
from bot.core import member_hashes
from bot.core.context import Context, make_nonce
from bot.core.database import Connection, is_away, is_slow
from bot.core.errors import DeliveryRefused
from bot.core.posting import Post, PostWorker
from bot.core.unstored import PendingStarts
from bot.games.service import score
from bot.rounds import rules, store
from bot.rounds.answering import OpenQuestions
from bot.rounds.messages import RoundMessages, place_of
from bot.rounds.model import Phase, Round, RoundQuestion
from bot.rounds.results import PrivateResults

log = logging.getLogger(__name__)


class RoundWork(PostWorker[Round]):
    """Takes each round from one phase to the next."""

    queue = store.QUEUE

    def __init__(
        self,
        context: Context,
        pending_starts: PendingStarts,
        questions: OpenQuestions,
        messages: RoundMessages,
        results: PrivateResults,
    ) -> None:
        super().__init__(context)
        self._pending_starts = pending_starts
        self._questions = questions
        self._messages = messages
        self._results = results

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
                    await self._database.write(self._end_pause, row.id)
                case Phase.STANDINGS | Phase.CLOSING:
                    await self._finish(row)
        except DeliveryRefused as error:
            await self._handle_refusal(row, error)

    async def give_up(self, key: int, reason: str) -> None:
        """End a round that keeps failing.

        Its standings are tried once, unless posting them is what failed.
        """
        round_ = await self._database.read(store.get, key)
        if round_ is not None and round_.phase is not Phase.ENDED:
            log.warning("round %s: given up: %s", key, reason)
            await self._stop_early(round_, "error", failures=round_.failures)

    async def _ask(self, round_: Round) -> None:
        if await self.post_once(partial(self._claim_question, round_=round_)):
            self._pending_starts.remove(round_.id)

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
            place=place_of(round_),
            nonce=make_nonce("q", question.id, question.asked_at or now),
            tried_at=question.asked_at,
            build=partial(self._messages.question, round_, question, ends_at),
            opened=partial(self._questions.open, question_id=question.id),
            urgent=True,
        )

    async def _reveal(self, round_: Round) -> None:
        claimed = await self._database.write(self._claim_reveal, round_)
        if claimed is None:
            return
        shown, question, given, pause = claimed
        await self._questions.counter.stop(question.id)
        await self._messages.reveal(shown, question, given)
        due_at = self._now() if shown.ending else self._now() + pause
        await self._database.write(
            store.change, round_.id, expect=Phase.REVEAL, phase=Phase.PAUSE, due_at=due_at
        )
        self._results.show(question.id)

    def _claim_reveal(
        self, conn: Connection, round_: Round
    ) -> tuple[Round, RoundQuestion, Sequence[Answer], timedelta] | None:
        """Claim the reveal; None if that fails.

        Returns the round as it is shown, its question, the answers, and the pause after the reveal.
        """
        now = self._now()
        claimed = self.queue.claim(
            conn, round_.id, expect=round_.phase, now=now, phase=Phase.REVEAL
        )
        question = store.question_of(conn, round_.id, round_.number)
        if not claimed or question is None:
            return None
        given = answers_store.to_question(conn, ROUND, question.id)
        if round_.phase is Phase.OPEN:
            store.change_question(conn, question.id, revealed_at=now)
            store.delete_hashes(conn, question)
            values: dict[str, Any] = {"idle": 0 if given else round_.idle + 1}
            if rules.was_abandoned(question.opened_at, now, hosted=round_.hosted):
                values["ending"] = round_.ending or "left"
            store.change(conn, round_.id, expect=Phase.REVEAL, **values)
        item = self._banks.of(conn, round_.guild_id).items.get(question.item_id)
        pause = rules.pause_for(item, hosted=round_.hosted)
        shown = store.get(conn, round_.id)
        return None if shown is None else (shown, question, given, pause)

    def _end_pause(self, conn: Connection, round_id: int) -> None:
        """Move on from the pause, unless another worker has."""
        if self.queue.claim(conn, round_id, expect=Phase.PAUSE, now=self._now()):
            self._advance(conn, round_id, Phase.PAUSE)

    def _advance(self, conn: Connection, round_id: int, expect: Phase) -> None:
        """Score the question, then schedule the next one or the standings."""
        round_ = store.get(conn, round_id)
        if round_ is None or round_.phase is not expect:
            return
        self._score(conn, round_)
        now = self._now()
        ending = round_.ending
        if round_.hosted:  # don't end for idleness: without clicks, members may answer out loud
            question = store.question_of(conn, round_id, round_.number)
            left = question is not None and rules.was_abandoned(
                question.revealed_at, now, hosted=True
            )
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
        """Score the answers to a revealed question; do nothing if they are scored already.

        This runs when the round leaves the question, not when its reveal is claimed. At that time
        answers given before the deadline may still be arriving, and when fifty rounds reveal
        together, scoring would delay the last reveal.
        """
        question = store.question_of(conn, round_.id, round_.number)
        if (
            round_.phase not in {Phase.REVEAL, Phase.PAUSE}
            or question is None
            or answers_store.is_counted(conn, ROUND, question.id)
        ):
            return
        given = answers_store.to_question(conn, ROUND, question.id)
        if given:
            score(
                conn,
                given,
                guild_id=round_.guild_id,
                item_id=question.item_id,
                closed_at=question.revealed_at or self._now(),
                alone=not round_.two_played,
                seconds=question.seconds,
            )

    async def _finish(self, round_: Round) -> None:
        if await self.post_once(partial(self._claim_standings, round_=round_)):
            await self._end(round_, round_.ending or "finished")

    def _claim_standings(self, conn: Connection, round_: Round) -> Post | None:
        if not self.queue.claim(
            conn, round_.id, expect=round_.phase, now=self._now(), phase=Phase.CLOSING
        ):
            return None
        tried_at = None
        if round_.phase is Phase.CLOSING:  # an earlier attempt came after the last reveal
            revealed = store.revealed_questions(conn, round_.id)
            tried_at = (revealed[-1].revealed_at if revealed else None) or round_.started_at
        return Post(
            place=place_of(round_),
            nonce=make_nonce("s", round_.id, round_.started_at),
            tried_at=tried_at,
            build=partial(self._messages.standings, round_),
            urgent=True,
        )

    async def _end(self, round_: Round, ending: str) -> None:
        self._pending_starts.remove(round_.id)
        await self._leave_phase(round_.id, {"phase": Phase.ENDED, "due_at": None, "ending": ending})
        log.info("round %s ended: %s", round_.id, ending)

    async def _stop_early(self, round_: Round, ending: str, **values: Any) -> None:
        """Stop asking and go to the standings.

        If the standings themselves could not be posted, end the round.
        """
        if round_.phase in {Phase.STANDINGS, Phase.CLOSING}:
            await self._end(round_, ending)
            return
        values |= {"phase": Phase.STANDINGS, "due_at": self._now(), "ending": ending}
        await self._leave_phase(round_.id, values)

    async def _leave_phase(self, round_id: int, values: dict[str, Any]) -> None:
        """Change the round to `values`, scoring its current question first if it was revealed.

        If scoring fails, change it without.
        """

        def leave(conn: Connection, *, score: bool) -> None:
            round_ = store.get(conn, round_id, lock=True)
            if round_ is None:
                return
            if score:
                self._score(conn, round_)
            question = store.question_of(conn, round_id, round_.number)
            if question is not None:
                store.delete_hashes(conn, question)
            member_hashes.delete_hashes(conn, store.PLAYED, round_id)
            store.change(conn, round_id, expect=round_.phase, **values)

        try:
            await self._database.write(leave, score=True)
        except Exception as error:
            if is_away(error) or is_slow(error):
                raise
            log.exception("round %s: its last question can't be counted", round_id)
            await self._database.write(leave, score=False)

    async def _handle_refusal(self, round_: Round, error: DeliveryRefused) -> None:
        """Stop a round early after Discord refused a message for good.

        If it was the first question, end the round and notify its starter.
        """
        current = await self._database.read(store.get, round_.id)
        if current is None or current.phase is Phase.ENDED:
            return
        log.warning("round %s in channel %s: %s", current.id, current.channel_id, error)
        if current.phase is Phase.ASKING and current.number == 1:
            sorry = f"The round couldn't start. {error} Once that's fixed, use </quiz> again."
            await self._pending_starts.notify(current.id, sorry)
            await self._end(current, error.what)
        else:
            await self._stop_early(current, error.what)
