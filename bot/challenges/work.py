"""Posting a challenge, showing on its card who is done, scoring its answers, showing the result.

Each of these is a step from one state of the challenge's row (see `bot.challenges.store`) to the next.
"""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial
from typing import Any

from bot.answers import store as answers_store
from bot.answers.model import Answer
from bot.answers.rules import FEWEST_PLAYERS
from bot.answers.store import CHALLENGE
from bot.challenges import rules, store
from bot.challenges import views as view
from bot.challenges.model import (
    Challenge,
    ChallengeQuestion,
    ChallengeState,
    OpenCard,
    ResultCard,
    ShownQuestion,
)
from bot.challenges.service import Challenges
from bot.core import member_hashes
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.jobs import leased
from bot.core.posting import Post, PostWorker
from bot.games.rules import SHOWN
from bot.games.service import has_repeats, score
from bot.members.store import names_of

log = logging.getLogger(__name__)

_LOST = {"message", "channel"}
"""What `DeliveryRefused` names if the card is gone, so that nobody can play any more."""


class ChallengeWork(PostWorker[Challenge]):
    """Moves challenges on."""

    queue = store.QUEUE

    def __init__(self, context: Context, challenges: Challenges) -> None:
        super().__init__(context)
        self._challenges = challenges

    def load(self, conn: Connection, key: int, /) -> Challenge | None:
        return store.get(conn, key)

    async def step(self, row: Challenge) -> None:
        try:
            match row.state:
                case ChallengeState.POSTING:
                    await self._post(row)
                case ChallengeState.OPEN:
                    await self._close_or_count(row)
                case ChallengeState.COUNTING:
                    await self._score_all(row.id)
                case ChallengeState.CLOSING:
                    await self._show_result(row)
        except DeliveryRefused as error:
            log.warning("challenge %s: %s", row.id, error)
            await self._skip(row.id, error.what, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        """Skip the step that fails, so that the challenge closes in any case."""
        await self._skip(key, "error", reason)

    async def _post(self, challenge: Challenge) -> None:
        if await self.post_once(partial(self._claim, challenge=challenge)):
            self._challenges.pending_starts.remove(challenge.id)

    def _claim(self, conn: Connection, challenge: Challenge) -> Post | None:
        now = self._now()
        claim, state = self.queue.claim_try, ChallengeState.POSTING
        if not claim(conn, challenge.id, expect=state, now=now, loaded=challenge.tried_at):
            return None
        if challenge.closes_at <= now:
            _end(conn, challenge, "late")
            return None
        return Post(
            place=_place(challenge),
            nonce=make_nonce("c", challenge.id, challenge.started_at),
            tried_at=challenge.tried_at,
            build=partial(self._first_message, challenge),
            opened=partial(self._challenges.opened, challenge=challenge),
        )

    async def _first_message(self, challenge: Challenge) -> Any:
        about = await self._database.read(self._challenges.described, challenge)
        if challenge.pings and challenge.member_id:  # it may have been erased since
            return view.announcement(challenge.id, about, challenge.member_id)
        return view.open_card(OpenCard(challenge.id, about))

    async def _close_or_count(self, challenge: Challenge) -> None:
        """Close a challenge that is over, else show on its card how many have finished."""
        counted_at = self._now() - self._challenges.grace()
        card = await self._database.write(self._claim_count, challenge.id, counted_at)
        if card is not None:
            await self._sender.edit(
                _place(challenge), challenge.message_id or 0, view.open_card(card)
            )
            await self._database.write(self._note_counted, challenge.id, counted_at)

    def _claim_count(
        self, conn: Connection, challenge_id: int, counted_at: datetime
    ) -> OpenCard | None:
        """Return the card to show, or None if the challenge is over."""
        now = self._now()
        challenge = store.get(conn, challenge_id, lock=True)
        if challenge is None or challenge.state is not ChallengeState.OPEN:
            return None
        finished, _ = store.finishes(conn, challenge_id, counted_at)
        both = challenge.member_id is not None and finished >= FEWEST_PLAYERS
        if both or counted_at >= challenge.closes_at:
            over = {"state": ChallengeState.COUNTING, "due_at": now, "closed_at": now}
            store.change(conn, challenge_id, expect=ChallengeState.OPEN, **over)
            return None
        if self._sender.is_busy():
            later = now + rules.BETWEEN_EDITS
            store.change(conn, challenge_id, expect=ChallengeState.OPEN, due_at=later)
            return None
        if not self.queue.claim(conn, challenge_id, expect=ChallengeState.OPEN, now=now):
            return None
        first = store.finishers(conn, challenge_id, counted_at, SHOWN)
        known = names_of(conn, challenge.guild_id, first)
        names = tuple(known.get(user_id) for user_id in first)
        about = self._challenges.described(conn, challenge)
        return OpenCard(challenge.id, about, finished, names)

    def _note_counted(self, conn: Connection, challenge_id: int, counted_at: datetime) -> None:
        """Make an open challenge due at the next finish after the count that its card shows."""
        challenge = store.get(conn, challenge_id, lock=True)
        if challenge is not None:
            _, next_finish = store.finishes(conn, challenge_id, counted_at)
            due = {"due_at": self._challenges.due_at(challenge, next_finish), "failures": 0}
            store.change(conn, challenge_id, expect=ChallengeState.OPEN, **due)

    async def _score_all(self, challenge_id: int) -> None:
        """Score one question per transaction, because other writes wait for it."""
        while await self._database.write(self._score_next, challenge_id):
            pass

    def _score_next(self, conn: Connection, challenge_id: int) -> bool:
        """Score the next question, or reveal the answers and return False if none is left."""
        challenge = store.get(conn, challenge_id, lock=True)
        if challenge is None or challenge.state is not ChallengeState.COUNTING:
            return False
        following = [
            q for q in store.questions_of(conn, challenge_id) if q.number > challenge.counted
        ]
        now = self._now()
        if not following:
            store.reveal(conn, challenge_id, now)
            return False
        self._score(conn, challenge, following[0])
        counted = {"counted": following[0].number, **leased(now)}
        store.change(conn, challenge_id, expect=ChallengeState.COUNTING, **counted)
        return True

    def _score(self, conn: Connection, challenge: Challenge, question: ChallengeQuestion) -> None:
        """Score the answers to a question. A player who was shown it and didn't answer missed it."""
        if answers_store.is_counted(conn, CHALLENGE, question.id):
            return
        item = self._banks.of(conn, challenge.guild_id).items.get(question.item_id)
        given = {a.user_id: a for a in answers_store.to_question(conn, CHALLENGE, question.id)}
        for shown in store.shown_to_all(conn, question.id):
            if shown.user_id not in given:
                miss = _miss(challenge, question, shown, item.topic_id if item else "")
                answers_store.add(conn, miss)
                given[shown.user_id] = miss
        if not given:
            return
        score(
            conn,
            list(given.values()),
            guild_id=challenge.guild_id,
            item_id=question.item_id,
            closed_at=challenge.closed_at or self._now(),
            alone=not challenge.two_played,
            seconds=question.seconds,
        )

    async def _show_result(self, challenge: Challenge) -> None:
        if not await self._database.write(
            self.queue.claim, challenge.id, expect=ChallengeState.CLOSING, now=self._now()
        ):
            return
        card = await self._database.read(self._result, challenge)
        await self._sender.edit(_place(challenge), challenge.message_id or 0, view.result(card))
        closed: dict[str, Any] = {"state": ChallengeState.CLOSED, "due_at": None, "ending": None}
        await self._database.write(
            store.change, challenge.id, expect=ChallengeState.CLOSING, **closed
        )
        log.info("challenge %s closed", challenge.id)

    async def _skip(self, challenge_id: int, ending: str, detail: str) -> None:
        """Go on without the step that failed, and store why."""
        state = await self._database.write(self._skip_in, challenge_id, ending)
        if state is ChallengeState.POSTING:
            sorry = f"Your challenge couldn't be posted. {detail} Once that's fixed, use </challenge> again."
            await self._challenges.pending_starts.notify(challenge_id, sorry)

    def _skip_in(self, conn: Connection, challenge_id: int, ending: str) -> ChallengeState | None:
        """Return the state that the challenge was in, or None if it is closed."""
        now = self._now()
        counted_at = now - self._challenges.grace()
        challenge = store.get(conn, challenge_id, lock=True)
        if challenge is None or challenge.state is ChallengeState.CLOSED:
            return None
        match challenge.state:
            case ChallengeState.COUNTING:
                store.reveal(conn, challenge_id, now, ending=ending)
            case ChallengeState.OPEN if ending in _LOST or counted_at >= challenge.closes_at:
                over = {"state": ChallengeState.COUNTING, "due_at": now, "closed_at": now}
                store.change(conn, challenge_id, expect=ChallengeState.OPEN, ending=ending, **over)
            case ChallengeState.OPEN:  # the next edit shows what this one lacks
                store.change(conn, challenge_id, expect=ChallengeState.OPEN, ending=ending)
                self._note_counted(conn, challenge_id, counted_at)
            case _:
                _end(conn, challenge, ending)
        return challenge.state

    def _result(self, conn: Connection, challenge: Challenge) -> ResultCard:
        asked = [q.id for q in store.questions_of(conn, challenge.id)]
        ranked = answers_store.standings(conn, CHALLENGE, asked)
        members = [tally.user_id for _, tally in ranked[:SHOWN]]
        finished, _ = store.finishes(conn, challenge.id, self._now())
        return ResultCard(
            challenge_id=challenge.id,
            about=self._challenges.described(conn, challenge),
            standings=tuple(ranked),
            names=names_of(conn, challenge.guild_id, members),
            repeats=has_repeats(conn, CHALLENGE, asked, ranked),
            alone=not challenge.two_played,
            played=bool(ranked) or finished > 0,
        )


def _miss(
    challenge: Challenge, question: ChallengeQuestion, shown: ShownQuestion, topic_id: str
) -> Answer:
    """Return the row of the log for a question that a player left without an answer."""
    return Answer(
        source=CHALLENGE,
        question_id=question.id,
        user_id=shown.user_id,
        guild_id=challenge.guild_id,
        item_id=question.item_id,
        topic_id=topic_id,
        answer=None,
        typed=False,
        correct=False,
        points=0,
        elapsed_ms=None,
        answered_at=shown.deadline_at,
    )


def _place(challenge: Challenge) -> Place:
    return Place(challenge.guild_id, challenge.channel_id)


def _end(conn: Connection, challenge: Challenge, ending: str) -> None:
    """Close a challenge without showing a result."""
    closed: dict[str, Any] = {"state": ChallengeState.CLOSED, "due_at": None, "ending": ending}
    store.change(conn, challenge.id, expect=challenge.state, **closed)
    member_hashes.delete_hashes(conn, store.STARTED, challenge.id)
