"""The use cases of a challenge's players: begin, answer, skip, and reach the end of their run.

Each returns what the player sees next. That is the question which runs, if there is one, so a click
that comes twice, or after a reply was lost, leads on and costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers.store import CHALLENGE
from bot.challenges import rules, store
from bot.challenges.model import (
    Challenge,
    ChallengePlayer,
    ChallengeQuestion,
    ChallengeState,
    LastAnswer,
    PlayerQuestion,
    RunResult,
    ShownQuestion,
    Step,
)
from bot.challenges.service import (
    PRESS_SKIP,
    Challenges,
    get_or_refuse,
    shown_or_refuse,
)
from bot.chat.text import when
from bot.core import member_hashes
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.core.errors import UserError
from bot.games.service import judge
from bot.questions import answers, drawing
from bot.questions.answers import already, shown_answer

T = TypeVar("T")


class ChallengePlayers:
    """The use cases of a challenge's players. `at` is the time of a click by Discord's clock."""

    def __init__(self, context: Context, challenges: Challenges) -> None:
        self._database = context.database
        self._banks = context.banks
        self._scheduler = context.scheduler
        self._now = context.now
        self._rng = context.rng
        self._challenges = challenges

    async def take(
        self,
        challenge_id: int,
        user_id: int,
        guild_id: int,
        at: datetime,
        message_id: int | None = None,
    ) -> Step:
        """Begin, or go on. `message_id` is the card's, None after a click elsewhere."""

        def begin(conn: Connection) -> tuple[Step, datetime | None]:
            challenge = get_or_refuse(conn, challenge_id, guild_id, lock=True)
            # the click came before Discord's response to our post
            if challenge.state is ChallengeState.POSTING and message_id is not None:
                self._challenges.opened(conn, challenge, message_id)
                challenge = get_or_refuse(conn, challenge_id, guild_id)
            # After a backup was restored, an old card's id can belong to another challenge.
            if message_id is not None and challenge.message_id != message_id:
                raise UserError("This card is out of date. Start a new one with </challenge>.")
            return self._step(conn, challenge, user_id, at)

        return await self._run(begin)

    async def skip(self, question_id: int, user_id: int, guild_id: int, at: datetime) -> Step:
        """Skip a question, unless another one is shown by now."""

        def skip(conn: Connection) -> tuple[Step, datetime | None]:
            question, challenge, shown, given = shown_or_refuse(
                conn, question_id, user_id, guild_id
            )
            player = store.player(conn, challenge.id, user_id)
            is_current = player is not None and player.number == question.number
            if given is None and is_current and at <= shown.deadline_at:
                ended = at - timedelta(milliseconds=1)
                store.save_shown(conn, replace(shown, deadline_at=ended, arrived=True))
            return self._step(conn, challenge, user_id, at)

        return await self._run(skip)

    async def answer(self, click: Click) -> Step:
        """Store a member's first answer; a late one isn't stored."""

        def store_answer(conn: Connection) -> tuple[Step, datetime | None]:
            question, challenge, shown, earlier = shown_or_refuse(
                conn, click.question_id, click.user_id, click.guild_id
            )
            item = self._challenges.item(conn, challenge, question)
            order = answers.decode_order(shown.choice_order)
            _refuse_closed(challenge)
            if not shown.arrived:  # the click proves it
                store.save_shown(conn, replace(shown, arrived=True))
            if earlier is not None:
                locked = shown_answer(item, order, earlier.answer or "")
                said = LastAnswer(question.number, locked, again=True)
            elif click.at > shown.deadline_at:
                said = LastAnswer(question.number, None)
            else:
                answer = judge(
                    conn,
                    click,
                    item,
                    order,
                    source=CHALLENGE,
                    guild_id=challenge.guild_id,
                    shown_at=shown.shown_at,
                    limit_ms=question.seconds * 1000,
                )
                answers_store.add(conn, answer)
                _note_second_player(conn, challenge, click.user_id)
                said = LastAnswer(question.number, shown_answer(item, order, answer.answer or ""))
            return self._step(conn, challenge, click.user_id, click.at, said)

        return await self._run(store_answer)

    async def arrived(self, step: Step) -> None:
        """Store that Discord has shown a step to its player.

        Until then a question's time starts again with each click, so that a failure costs nobody
        a question. The end of a run needs it as well: it tells what would be news otherwise.
        """

        def note(conn: Connection) -> tuple[None, datetime | None]:
            if isinstance(step, RunResult):
                if step.theirs is not None:
                    store.delete_news(conn, [step.challenge_id], step.user_id)
                return None, None
            challenge = store.get(conn, step.challenge_id, lock=True)
            player = store.player(conn, step.challenge_id, step.user_id)
            shown = store.shown_to(conn, step.question_id, step.user_id)
            if challenge is None or player is None or shown is None or shown.arrived:
                return None, None
            store.save_shown(conn, replace(shown, arrived=True))
            if not step.is_last:
                return None, None
            store.save_player(conn, replace(player, finished_at=shown.deadline_at))
            return None, self._reschedule(conn, challenge, shown.deadline_at)

        await self._run(note)

    @reading
    def check_open(self, conn: Connection, click: Click) -> answers.Shown:
        """Return the item and the order of its choices, to open a modal.

        Refuse a late or second answer, and a closed challenge.
        """
        question, challenge, shown, given = shown_or_refuse(conn, click.question_id, click.user_id)
        item = self._challenges.item(conn, challenge, question)
        order = answers.decode_order(shown.choice_order)
        _refuse_closed(challenge)
        if given is not None:
            earlier = already(item, shown.choice_order, given.answer or "", given.answered_at)
            raise UserError(f"{earlier} {PRESS_SKIP}")
        if self._now() > shown.deadline_at:
            raise UserError(f"Time was up, so this one counts as a miss. {PRESS_SKIP}")
        return item, order

    @reading
    def ends_at(self, conn: Connection, click: Click) -> datetime:
        """Return until when a player can answer a question that they are shown."""
        return shown_or_refuse(conn, click.question_id, click.user_id)[2].deadline_at

    async def _run(self, work: Callable[[Connection], tuple[T, datetime | None]]) -> T:
        """Run a write that returns a result and, if it changed, the challenge's new due time."""
        result, due = await self._database.write(work)
        if due is not None:
            self._scheduler.nudge(due)
        return result

    def _step(
        self,
        conn: Connection,
        challenge: Challenge,
        user_id: int,
        at: datetime,
        said: LastAnswer | None = None,
    ) -> tuple[Step, datetime | None]:
        """Return what a player sees now: the question that runs, the next one, or the end."""
        _refuse_closed(challenge)
        now = max(at, self._now())
        player = store.player(conn, challenge.id, user_id)
        if player is None:
            _refuse_to_begin(conn, challenge, user_id, now)
            player = ChallengePlayer(challenge.id, user_id, 0, now, None, challenge.guild_id)
        bank = self._banks.of(conn, challenge.guild_id)
        asked = [q for q in store.questions_of(conn, challenge.id) if q.item_id in bank.items]
        is_open = now < challenge.closes_at
        left = [q for q in asked if q.number > player.number and is_open]
        question = next((q for q in asked if q.number == player.number), None)
        shown = self._running(conn, challenge, question, user_id, now) if question else None
        if shown is None and left:
            question, *left = left
            shown = self._ask(conn, challenge, player, question, now)
        if shown is None or question is None:
            return self._end(conn, challenge, player, at, said)
        step = PlayerQuestion(
            challenge_id=challenge.id,
            question_id=question.id,
            user_id=user_id,
            item=bank.items[question.item_id],
            order=answers.decode_order(shown.choice_order),
            number=question.number,
            total=challenge.total,
            seconds=question.seconds,
            ends_at=shown.deadline_at,
            bank=bank,
            is_last=not left,
            said=said,
        )
        return step, None

    def _running(
        self,
        conn: Connection,
        challenge: Challenge,
        question: ChallengeQuestion,
        user_id: int,
        now: datetime,
    ) -> ShownQuestion | None:
        """Return what a player was shown last if it can still be answered."""
        shown = store.shown_to(conn, question.id, user_id)
        given = answers_store.get(conn, CHALLENGE, question.id, user_id)
        if shown is None or given is not None:
            return None
        if not shown.arrived:
            ends_at = rules.deadline(now, question.seconds, challenge.closes_at)
            shown = replace(shown, shown_at=now, deadline_at=ends_at)
            store.save_shown(conn, shown)
        return shown if now <= shown.deadline_at else None

    def _ask(
        self,
        conn: Connection,
        challenge: Challenge,
        player: ChallengePlayer,
        question: ChallengeQuestion,
        now: datetime,
    ) -> ShownQuestion:
        """Store that a player is shown a question now."""
        item = self._challenges.item(conn, challenge, question)
        order = answers.encode_order(drawing.shuffled(item, self._rng))
        ends_at = rules.deadline(now, question.seconds, challenge.closes_at)
        shown = ShownQuestion(question.id, player.user_id, order, now, ends_at)
        store.save_shown(conn, shown)
        if not player.number:
            store.add_news(conn, challenge.id, player.user_id, challenge.guild_id)
        store.save_player(conn, replace(player, number=question.number))
        return shown

    def _end(
        self,
        conn: Connection,
        challenge: Challenge,
        player: ChallengePlayer,
        at: datetime,
        said: LastAnswer | None,
    ) -> tuple[RunResult, datetime | None]:
        """Store that a player has finished, if that isn't stored, and return how they did."""
        if not player.number:
            raise UserError("Its questions were removed. Start a new one with </challenge>.")
        due = None
        if player.finished_at is None or player.finished_at > at:
            store.save_player(conn, replace(player, finished_at=at))
            due = self._reschedule(conn, challenge, at)
        return self._challenges.run_result(conn, challenge, player.user_id, said), due

    def _reschedule(
        self, conn: Connection, challenge: Challenge, finish: datetime
    ) -> datetime | None:
        """Make an open challenge due for a player's finish, unless it is due before; return when."""
        due = self._challenges.due_at(challenge, finish)
        if challenge.due_at is None or due >= challenge.due_at:
            return None
        store.change(conn, challenge.id, expect=ChallengeState.OPEN, due_at=due)
        return due


def _refuse_to_begin(conn: Connection, challenge: Challenge, user_id: int, now: datetime) -> None:
    pair = challenge.starter_id, challenge.member_id
    if challenge.member_id is not None and user_id not in pair:
        raise UserError(
            "This challenge is for two others. Start one of your own with </challenge>."
        )
    if now >= challenge.closes_at:
        raise _over()
    if member_hashes.has_hash_of(conn, CHALLENGE, challenge.id, user_id):
        raise UserError(
            "You took this challenge before you deleted your data, and each member takes it once. "
            f"The card shows the results {when(challenge.closes_at)}. Until then, </practice> has more."
        )


def _note_second_player(conn: Connection, challenge: Challenge, user_id: int) -> None:
    """Store that two have played, if somebody else has answered in the challenge."""
    if challenge.two_played:
        return
    asked = [question.id for question in store.questions_of(conn, challenge.id)]
    if answers_store.players(conn, CHALLENGE, asked) - {user_id}:
        store.change(conn, challenge.id, expect=ChallengeState.OPEN, two_played=True)


def _over() -> UserError:
    return UserError(
        "This challenge is over. Its card shows the results, or start another with </challenge>."
    )


def _refuse_closed(challenge: Challenge) -> None:
    if challenge.state is not ChallengeState.OPEN:
        raise _over()
