"""The use cases of a challenge's players: begin, answer, skip, and get the next question."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers.store import CHALLENGE
from bot.challenges import rules, store
from bot.challenges.model import (
    Between,
    Challenge,
    ChallengePlayer,
    ChallengeQuestion,
    ChallengeState,
    PlayerQuestion,
    ShownQuestion,
)
from bot.challenges.service import (
    PRESS_SKIP,
    Challenges,
    get_or_refuse,
    link,
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
        self, challenge_id: int, user_id: int, guild_id: int, message_id: int, at: datetime
    ) -> PlayerQuestion:
        """Return a player's first or next question, stored as shown. `message_id` is the card's."""

        def begin(conn: Connection) -> tuple[PlayerQuestion, datetime | None]:
            challenge = get_or_refuse(conn, challenge_id, guild_id, lock=True)
            # the click came before Discord's response to our post
            if challenge.state is ChallengeState.POSTING:
                self._challenges.opened(conn, challenge, message_id)
                challenge = get_or_refuse(conn, challenge_id, guild_id)
            # After a backup was restored, an old card's id can belong to another challenge.
            if challenge.message_id != message_id:
                raise UserError("This card is out of date. Start a new one with </challenge>.")
            return self._ask(conn, challenge, user_id, at)

        return await self._run(begin)

    async def next(
        self, challenge_id: int, after: int, user_id: int, guild_id: int, at: datetime
    ) -> PlayerQuestion:
        """Return the question after number `after`; refuse if it was shown already."""

        def follow(conn: Connection) -> tuple[PlayerQuestion, datetime | None]:
            challenge = get_or_refuse(conn, challenge_id, guild_id, lock=True)
            player = store.player(conn, challenge_id, user_id)
            if player is None:
                raise UserError("Press Take it on the card to begin.")
            if player.number != after:
                raise _shown_before(player.number)
            return self._ask(conn, challenge, user_id, at)

        return await self._run(follow)

    async def skip(
        self, question_id: int, user_id: int, guild_id: int, at: datetime
    ) -> PlayerQuestion | Between:
        """Skip a question; return the next one, or what follows the last one."""

        def skip(conn: Connection) -> tuple[PlayerQuestion | Between, datetime | None]:
            question, challenge, shown, given = shown_or_refuse(
                conn, question_id, user_id, guild_id
            )
            player = store.player(conn, challenge.id, user_id)
            if player is None or player.number != question.number:
                raise _shown_before(player.number if player else 0)
            _refuse_closed(challenge)
            due = None
            if given is None and at <= shown.deadline_at:
                store.end_shown(conn, question_id, user_id, at - timedelta(milliseconds=1))
                due = self._finish(conn, challenge, player, at)
            if player.finished_at is None:
                return self._ask(conn, challenge, user_id, at)
            return self._between(conn, challenge, question, player, None), due

        return await self._run(skip)

    async def answer(self, click: Click) -> Between:
        """Store a member's first answer; a late one isn't stored.

        For a second answer, return the first, because the private message may still show the
        question.
        """

        def store_answer(conn: Connection) -> tuple[Between, datetime | None]:
            question, challenge, shown, earlier = shown_or_refuse(
                conn, click.question_id, click.user_id, click.guild_id
            )
            item = self._challenges.item(conn, challenge, question)
            order = answers.decode_order(shown.choice_order)
            _refuse_closed(challenge)
            player = store.player(conn, challenge.id, click.user_id)
            assert player is not None
            if earlier is not None:
                locked = shown_answer(item, order, earlier.answer or "")
                before = self._between(conn, challenge, question, player, locked)
                return replace(before, again=True), None
            if click.at > shown.deadline_at:
                return self._between(conn, challenge, question, player, None), None
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
            due = None
            if player.number == question.number:
                due = self._finish(conn, challenge, player, click.at)
            locked = shown_answer(item, order, answer.answer or "")
            return self._between(conn, challenge, question, player, locked), due

        return await self._run(store_answer)

    async def take_back(self, asked: PlayerQuestion) -> None:
        """Undo that a question was shown, because Discord refused to show it."""

        def undo(conn: Connection) -> None:
            player = store.player(conn, asked.challenge_id, asked.user_id)
            if player is None or player.number != asked.number:
                return
            if answers_store.get(conn, CHALLENGE, asked.question_id, asked.user_id) is not None:
                return
            if not store.delete_shown(conn, asked.question_id, asked.user_id):
                return
            seen = store.all_shown_to(conn, asked.challenge_id, asked.user_id)
            questions = store.questions_of(conn, asked.challenge_id)
            before = max((q.number for q in questions if q.id in seen), default=0)
            if before:
                store.save_player(conn, replace(player, number=before, finished_at=None))
            else:
                store.delete_player(conn, asked.challenge_id, asked.user_id)

        await self._database.write(undo)

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

    async def _run(self, work: Callable[[Connection], tuple[T, datetime | None]]) -> T:
        """Run a write that returns a result and, if it changed, the challenge's new due time."""
        result, due = await self._database.write(work)
        if due is not None:
            self._scheduler.nudge(due)
        return result

    def _ask(
        self, conn: Connection, challenge: Challenge, user_id: int, at: datetime
    ) -> tuple[PlayerQuestion, datetime | None]:
        """Store that a player is shown the next question now; refuse if there is none."""
        if not rules.may_play(user_id, challenge.starter_id, challenge.member_id):
            raise UserError(
                "This challenge is for two others. Start one of your own with </challenge>."
            )
        _refuse_closed(challenge)
        if member_hashes.has_hash_of(conn, CHALLENGE, challenge.id, user_id):
            raise UserError(
                "You took this challenge before you deleted your data, and each member takes it once. "
                f"The card shows the results {when(challenge.closes_at)}. Until then, </practice> has more."
            )
        now = max(at, self._now())
        player = store.player(conn, challenge.id, user_id) or ChallengePlayer(
            challenge.id, user_id, 0, now, None, challenge.guild_id
        )
        bank = self._banks.of(conn, challenge.guild_id)
        questions = store.questions_of(conn, challenge.id)
        left = [q for q in questions if q.number > player.number and q.item_id in bank.items]
        _refuse_another_question(conn, challenge, player, questions, left, now)
        question = left[0]
        last = len(left) == 1
        item = bank.items[question.item_id]
        order = drawing.shuffled(item, self._rng)
        ends_at = rules.deadline(now, question.seconds, challenge.closes_at)
        shown = ShownQuestion(question.id, user_id, answers.encode_order(order), now, ends_at)
        store.add_shown(conn, shown)
        store.save_player(
            conn, replace(player, number=question.number, finished_at=ends_at if last else None)
        )
        due = self._reschedule(conn, challenge, ends_at) if last else None
        asked = PlayerQuestion(
            challenge_id=challenge.id,
            question_id=question.id,
            user_id=user_id,
            item=item,
            order=order,
            number=question.number,
            total=challenge.total,
            seconds=question.seconds,
            ends_at=ends_at,
            bank=bank,
        )
        return asked, due

    def _between(
        self,
        conn: Connection,
        challenge: Challenge,
        question: ChallengeQuestion,
        player: ChallengePlayer,
        shown: str | None,
    ) -> Between:
        last = player.finished_at is not None
        following = () if last else store.questions_of(conn, challenge.id)
        return Between(
            challenge_id=challenge.id,
            question_id=question.id,
            shown=shown,
            number=question.number,
            total=challenge.total,
            next_seconds=next((q.seconds for q in following if q.number > question.number), None),
            closes_at=challenge.closes_at,
            card=link(challenge),
            both=challenge.member_id is not None,
            moved_on=player.number > question.number,
        )

    def _finish(
        self, conn: Connection, challenge: Challenge, player: ChallengePlayer, at: datetime
    ) -> datetime | None:
        """Store that a player finished, if this was their last question; see `_reschedule`."""
        if player.finished_at is None:
            return None
        store.save_player(conn, replace(player, finished_at=at))
        return self._reschedule(conn, challenge, at)

    def _reschedule(
        self, conn: Connection, challenge: Challenge, finish: datetime
    ) -> datetime | None:
        """Make an open challenge due for a player's finish, unless it is due before; return when."""
        due = self._challenges.due_at(challenge, finish)
        if challenge.due_at is None or due >= challenge.due_at:
            return None
        store.change(conn, challenge.id, expect=ChallengeState.OPEN, due_at=due)
        return due


def _refuse_another_question(
    conn: Connection,
    challenge: Challenge,
    player: ChallengePlayer,
    questions: Sequence[ChallengeQuestion],
    left: Sequence[ChallengeQuestion],
    now: datetime,
) -> None:
    """Refuse to show a player another question unless it is time for it."""
    if now >= challenge.closes_at:
        raise _over()
    last = next((q for q in questions if q.number == player.number), None)
    shown = store.shown_to(conn, last.id, player.user_id) if last else None
    if (
        shown is not None
        and now <= shown.deadline_at
        and answers_store.get(conn, CHALLENGE, shown.question_id, player.user_id) is None
    ):
        raise UserError(
            f"Question {player.number} runs until {when(shown.deadline_at, 'T')}, in the message that only "
            "you see. If you've lost it, press Take it again after that, and the next question comes."
        )
    if not left:
        sooner = ", or as soon as both of you are done" if challenge.member_id is not None else ""
        raise UserError(
            "You've been through all of it. "
            f"The card shows the results {when(challenge.closes_at)}{sooner}. Until then, </practice> has more."
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


def _shown_before(number: int) -> UserError:
    """Return the refusal of a button that would show a question again."""
    return UserError(
        f"You're at question {number} already, in the message that only you see. "
        "If you've lost it, press Take it on the card."
    )
