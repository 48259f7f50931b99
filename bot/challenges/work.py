"""Challenges, moved on by the work queue: post the card, bring its count up to date, close, count, show the standings.

A challenge is a row with a state (see `bot.challenges.store`); a step takes it on from whatever state it finds.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Any, Protocol

from bot.answers import pay
from bot.answers import rules as scoring
from bot.answers import store as answer_log
from bot.answers.rules import FEWEST_PLAYERS, slow_in_game
from bot.answers.store import CHALLENGE, Answer
from bot.challenges import rules, store
from bot.challenges.rules import OpenCard, ResultCard, State
from bot.challenges.service import Challenges
from bot.challenges.store import Challenge, Question, Shown
from bot.core import servers
from bot.core.calendar import local_date
from bot.core.context import Context, Place, make_nonce
from bot.core.database import Connection
from bot.core.errors import DeliveryRefused
from bot.core.jobs import LEASE, Worker
from bot.members.store import names_of
from bot.memory import store as memory
from bot.play.rules import SHOWN

log = logging.getLogger(__name__)

_LOST = {"message", "channel"}
"""What is refused where nobody can take a challenge: its card is gone."""


class Views(Protocol):
    """What a challenge shows; `bot.challenges.views`."""

    def open_card(self, card: OpenCard, /) -> Any: ...
    def result(self, card: ResultCard, /) -> Any: ...


class ChallengeWork(Worker[Challenge]):
    """See the module."""

    queue = store.QUEUE

    def __init__(self, context: Context, challenges: Challenges, views: Views) -> None:
        super().__init__(context)
        self._banks = context.banks
        self._sender = context.sender
        self._scheduler = context.scheduler
        self._challenges = challenges
        self._views = views

    def load(self, conn: Connection, key: int, /) -> Challenge | None:
        return store.get(conn, key)

    async def step(self, row: Challenge) -> None:
        try:
            match row.state:
                case State.POSTING:
                    await self._post(row)
                case State.OPEN:
                    await self._look(row)
                case State.COUNTING:
                    await self._count(row)
                case State.CLOSING:
                    await self._show_result(row)
        except DeliveryRefused as error:
            log.warning("challenge %s: %s", row.id, error)
            await self._leave(row.id, error.what, str(error))

    async def give_up(self, key: int, reason: str) -> None:
        """What can't be shown is left as it is; what can't be counted is left out. A challenge closes in any case."""
        await self._leave(key, "error", reason)

    async def _post(self, challenge: Challenge) -> None:
        now = self._now()

        def claim(conn: Connection) -> bool:
            if challenge.closes_at <= now:  # the bot was away all the time
                _end(conn, challenge, "late", "I was offline until it would have closed.")
                return False
            tried = challenge.tried_at or now
            return self.queue.claim(
                conn, challenge.id, expect=State.POSTING, now=now, tried_at=tried
            )

        if not await self._database.write(claim):
            return
        card = await self._database.read(self._open_card, challenge, 0)
        nonce = make_nonce("c", challenge.id, challenge.started_at)
        message_id = await self._sender.post(
            _place(challenge),
            self._views.open_card(card),
            nonce,
            tried_at=challenge.tried_at,
            urgent=False,
        )
        self._challenges.starters.drop(challenge.id)
        due = await self._database.write(self._challenges.opened, challenge, message_id)
        if due is not None:
            log.info("challenge %s posted in channel %s", challenge.id, challenge.channel_id)
            self._scheduler.nudge(due)

    async def _look(self, challenge: Challenge) -> None:
        """Close it if it is over, else bring the count on its card up to date if that has changed."""
        now = self._now()

        def look(conn: Connection) -> tuple[State, OpenCard | None]:
            found = store.get(conn, challenge.id, lock=True)
            if found is None or found.state is not State.OPEN:
                return State.CLOSED, None
            finished, due = self._challenges.next_look(conn, found, now)
            named, given_until = found.member_id is not None, now - self._challenges.grace()
            if rules.is_over(
                closes_at=found.closes_at, named=named, finished=finished, at=given_until
            ):
                store.change(
                    conn,
                    found.id,
                    expect=State.OPEN,
                    state=State.COUNTING,
                    due_at=now,
                    closed_at=now,
                )
                return State.COUNTING, None
            if due > now:  # nothing that the card lacks, or too soon after its last edit
                store.change(conn, found.id, expect=State.OPEN, due_at=due)
                return State.OPEN, None
            if not self.queue.claim(conn, found.id, expect=State.OPEN, now=now, shown=-1):
                return State.OPEN, None
            return State.OPEN, self._open_card(conn, found, finished)

        state, card = await self._database.write(look)
        if state is State.COUNTING:
            self._scheduler.nudge(now)
        if card is not None:
            await self._sender.edit(
                _place(challenge), challenge.message_id or 0, self._views.open_card(card)
            )
            await self._shown(challenge.id, card.finished)

    async def _shown(self, challenge_id: int, finished: int) -> None:
        """Note what the card says now, and look again when that changes."""

        def note(conn: Connection) -> datetime | None:
            found = store.get(conn, challenge_id, lock=True)
            if found is None or found.state is not State.OPEN:
                return None
            now = self._now()
            store.change(
                conn, challenge_id, expect=State.OPEN, shown=finished, edited_at=now, failures=0
            )
            fresh = store.get(conn, challenge_id)
            assert fresh is not None
            _, due = self._challenges.next_look(conn, fresh, now)
            store.change(conn, challenge_id, expect=State.OPEN, due_at=due)
            return due

        due = await self._database.write(note)
        if due is not None:
            self._scheduler.nudge(due)

    async def _count(self, challenge: Challenge) -> None:
        """Count the answers, a question in each transaction: others wait for no more than that."""
        while await self._database.write(self._count_next, challenge.id):
            pass
        self._scheduler.nudge(self._now())

    def _count_next(self, conn: Connection, challenge_id: int) -> bool:
        """Count the answers to the next question; False once there is none left."""
        challenge = store.get(conn, challenge_id, lock=True)
        if challenge is None or challenge.state is not State.COUNTING:
            return False
        following = [
            q for q in store.questions_of(conn, challenge_id) if q.number > challenge.counted
        ]
        now = self._now()
        if not following:
            store.reveal(conn, challenge_id, now)
            return False
        self._score(conn, challenge, following[0])
        counted = {"counted": following[0].number, "due_at": now + LEASE}
        store.change(conn, challenge_id, expect=State.COUNTING, **counted)
        return True

    def _score(self, conn: Connection, challenge: Challenge, question: Question) -> None:
        """Count the answers to a question; one that was shown and left alone is a miss."""
        if answer_log.is_counted(conn, CHALLENGE, question.id):
            return
        item = self._banks.of(conn, challenge.guild_id).items.get(question.item_id)
        given = {a.user_id: a for a in answer_log.to_question(conn, CHALLENGE, question.id)}
        for shown in store.shown_to_all(conn, question.id):
            if shown.user_id not in given:
                miss = _miss(challenge, question, shown, item.topic_id if item else "")
                answer_log.add(conn, miss)
                given[shown.user_id] = miss
        if not given:
            return
        asked = [q.id for q in store.questions_of(conn, challenge.id)]
        reviews = pay.count(
            conn,
            list(given.values()),
            day=local_date(
                servers.zone(conn, challenge.guild_id), challenge.closed_at or self._now()
            ),
            alone=len(answer_log.players(conn, CHALLENGE, asked)) < FEWEST_PLAYERS,
            slow_after_ms=slow_in_game(question.seconds),
        )
        memory.record(conn, question.item_id, reviews)

    async def _show_result(self, challenge: Challenge) -> None:
        if not await self._database.write(
            self.queue.claim, challenge.id, expect=State.CLOSING, now=self._now()
        ):
            return
        card = await self._database.read(self._result, challenge)
        await self._sender.edit(
            _place(challenge), challenge.message_id or 0, self._views.result(card)
        )
        closed: dict[str, Any] = {
            "state": State.CLOSED,
            "due_at": None,
            "ending": None,
            "detail": None,
        }
        await self._database.write(store.change, challenge.id, expect=State.CLOSING, **closed)
        log.info("challenge %s closed", challenge.id)

    async def _leave(self, challenge_id: int, ending: str, detail: str) -> None:
        """Go on without what could not be done, and keep the reason.

        Where Discord refused for good, a card that can't be posted ends it, and one that is gone closes it.
        """
        now = self._now()

        def leave(conn: Connection) -> State | None:
            found = store.get(conn, challenge_id, lock=True)
            if found is None or found.state is State.CLOSED:
                return None
            why: dict[str, Any] = {"ending": ending, "detail": detail}
            if found.state is State.COUNTING:
                store.reveal(conn, challenge_id, now, **why)
            elif found.state is State.OPEN and ending in _LOST:
                over = {"state": State.COUNTING, "due_at": now, "closed_at": now}
                store.change(conn, challenge_id, expect=found.state, **over, **why)
            elif found.state is not State.OPEN:
                _end(conn, found, ending, detail)
            else:
                store.change(conn, challenge_id, expect=found.state, **why)
            return found.state

        left = await self._database.write(leave)
        if left is State.POSTING:
            sorry = f"Your challenge couldn't be posted. {detail} Once that's fixed, use </challenge> again."
            await self._challenges.starters.tell(challenge_id, sorry)
        if (
            left is State.OPEN and ending not in _LOST
        ):  # what the card lacks it gets with the next count
            finished, _ = await self._database.read(store.finishes, challenge_id, now)
            await self._shown(challenge_id, finished)
        self._scheduler.nudge(now)

    def _open_card(self, conn: Connection, challenge: Challenge, finished: int) -> OpenCard:
        return OpenCard(challenge.id, self._about(conn, challenge), finished)

    def _result(self, conn: Connection, challenge: Challenge) -> ResultCard:
        asked = [q.id for q in store.questions_of(conn, challenge.id)]
        standings = tuple(scoring.standings(answer_log.tallies(conn, CHALLENGE, asked)))
        members = [tally.user_id for _, tally in standings[:SHOWN]]
        on_boards = answer_log.paid_for(conn, CHALLENGE, asked)
        repeats = len(standings) > 1 and on_boards < sum(tally.points for _, tally in standings)
        names = names_of(conn, challenge.guild_id, members)
        finished, _ = store.finishes(conn, challenge.id, self._now())
        taken = bool(standings) or finished > 0
        return ResultCard(
            challenge.id, self._about(conn, challenge), standings, names, repeats, taken
        )

    def _about(self, conn: Connection, challenge: Challenge) -> rules.Challenge:
        topic = self._banks.of(conn, challenge.guild_id).topics.get(challenge.topic_id or "")
        pair = [challenge.starter_id, challenge.member_id or 0]
        names = names_of(conn, challenge.guild_id, pair)
        times = [q.seconds for q in store.questions_of(conn, challenge.id)]
        return rules.Challenge(
            starter=names.get(challenge.starter_id),
            named=challenge.member_id is not None,
            member=names.get(challenge.member_id or 0),
            questions=challenge.total,
            topic=topic.title if topic else None,
            difficulty=challenge.difficulty,
            seconds=(min(times), max(times)),
            closes_at=challenge.closes_at,
        )


def _miss(challenge: Challenge, question: Question, shown: Shown, topic_id: str) -> Answer:
    """Return the row of the log for a question that a taker left without an answer."""
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


def _end(conn: Connection, challenge: Challenge, ending: str, detail: str) -> None:
    """A challenge that shows nothing more."""
    values: dict[str, Any] = {
        "state": State.CLOSED,
        "due_at": None,
        "ending": ending,
        "detail": detail,
    }
    store.change(conn, challenge.id, expect=challenge.state, **values)
