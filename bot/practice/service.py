"""Private practice, one question at a time: due items first, then new ones.

Everything is in the database, so a practice continues after a restart. Each method returns what
the member sees next: a question, the verdict on an answer, the summary, or that there is nothing
to ask.

The next question depends on all cards of a member, so it is computed from a snapshot, outside of
any transaction. The write then checks that the practice hasn't changed; if it has, the step is
repeated with a new snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import Protocol

from fsrs import Rating
from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers.rules import LONGEST_MS, rate, slow_in_practice
from bot.answers.store import PRACTICE, Answer, review_of
from bot.core.calendar import Rule, instant, local_date
from bot.core.clicks import Click
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory import store as memory_store
from bot.memory.rules import days_away
from bot.memory.service import knowledge
from bot.practice import store
from bot.practice.model import (
    Asking,
    Nothing,
    PlannedDay,
    Practice,
    PracticeQuestion,
    PracticeVerdict,
    Screen,
    Summary,
)
from bot.practice.rules import Course, NextQuestion, Snapshot, next_question
from bot.questions.answers import Shown, already, decode_order, encode_order, given_answer, is_right
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review
from bot.questions.model import Item

_UNKNOWN = "That practice is gone. Start a new one with </practice>."
_CONTINUE = "Go on with </practice>."


class Courses(Protocol):
    """The plans of all members, which `bot.plan.service` implements."""

    def course(
        self, conn: Connection, user_id: int, zone: str, now: datetime, /
    ) -> Course | None: ...

    def record_day(self, conn: Connection, user_id: int, day: PlannedDay, /) -> None:
        """Record a day of a member's plan, if they still have one."""


class Practices:
    """Members' practices; `at` is always Discord's time of a click."""

    def __init__(self, context: Context, courses: Courses) -> None:
        self._database = context.database
        self._banks = context.banks
        self._courses = courses
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play

    async def start(
        self, user_id: int, guild_id: int | None, at: datetime, topic_id: str | None = None
    ) -> Screen:
        """Continue today's practice; start a new one if there is none or `topic_id` differs."""
        while True:
            snapshot = await self._database.read(self._snapshot, user_id, guild_id)
            check_topic(snapshot.bank, topic_id)
            practice = snapshot.todays_practice
            if practice is not None and topic_id not in {None, practice.topic_id}:
                practice = None
            screen = await self._ask_or_begin(snapshot, practice, at, topic_id)
            if screen is not None:
                return screen

    async def start_on(
        self, user_id: int, guild_id: int | None, at: datetime, items: Sequence[str]
    ) -> Screen:
        """Practise only these items, each once and in this order, whatever else is due.

        Today's practice of the same items is continued. Items in play on one of the member's
        servers are left out.
        """
        while True:
            snapshot = await self._database.read(self._snapshot, user_id, guild_id)
            practice = snapshot.todays_practice
            if practice is None or practice.items != list(items):
                practice = None
                existing = [item_id for item_id in items if item_id in snapshot.bank.asked]
                if not existing:
                    raise UserError("Those questions have been retired. </practice> has others.")
                if not any(map(snapshot.known.may_ask, existing)):
                    raise UserError(
                        "Those questions are live on one of your servers right now. Try again in a few minutes."
                    )
            screen = await self._ask_or_begin(snapshot, practice, at, None, items)
            if screen is not None:
                return screen

    async def _ask_or_begin(
        self,
        snapshot: Snapshot,
        practice: Practice | None,
        at: datetime,
        topic_id: str | None,
        items: Sequence[str] = (),
    ) -> Screen | None:
        if practice is not None:
            return await self._ask_next(snapshot, practice, at)
        return await self._begin(snapshot, at, topic_id, items)

    async def go_on(
        self,
        practice_id: int,
        user_id: int,
        guild_id: int | None,
        at: datetime,
        *,
        instead: bool = False,
    ) -> Screen:
        """Return the open question, else the next one, else the summary."""
        while True:
            snapshot = await self._database.read(self._snapshot, user_id, guild_id, practice_id)
            practice = _require_running(snapshot.practice)
            screen = await self._ask_next(snapshot, practice, at, instead=instead)
            if screen is not None:
                return screen

    async def end(self, practice_id: int, user_id: int, guild_id: int | None) -> Summary:
        """End a practice and return its summary; harmless when repeated."""
        while True:
            snapshot = await self._database.read(self._snapshot, user_id, guild_id, practice_id)
            practice = snapshot.practice
            if practice is None:
                raise UserError(_UNKNOWN)
            if practice.ended_at is not None:
                return await compute(snapshot.summary, practice)
            summary = await self._end(snapshot, practice)
            if summary is not None:
                return summary

    @reading
    def check_open(
        self, conn: Connection, question_id: int, _message_id: int, user_id: int
    ) -> Shown:
        """Return an open question's item and the order of its choices, to open a modal.

        Refuses in the same cases as `answer`.
        """
        question = _question(conn, question_id)
        _require_running(store.get(conn, question.practice_id, user_id))
        item = still_there(self._item(conn, question), _CONTINUE)
        if question.answer is not None and question.answered_at is not None:
            raise already(item, question.choice_order, question.answer, question.answered_at)
        return item, decode_order(question.choice_order)

    async def subject(self, question_id: int) -> str | None:
        """Return the id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    @reading
    def review(self, conn: Connection, click: Click) -> Review:
        """Return an answered question, to explain its choices."""
        question = _question(conn, click.question_id)
        item = self._item(conn, question)
        if store.get(conn, question.practice_id, click.user_id) is None or item is None:
            raise UserError(_UNKNOWN)
        if question.answer is None:
            raise UserError("You haven't answered this one yet. You'll see why once you do.")
        return Review(item, decode_order(question.choice_order), question.answer)

    async def answer(self, click: Click) -> Screen:
        """Store a member's first answer, update their memory card, and return the verdict.

        If the item has come into play on one of their servers, another question replaces it.
        """
        found = await self._database.write(self._store_answer, click)
        if isinstance(found, Practice):
            return await self.go_on(found.id, click.user_id, click.guild_id, click.at, instead=True)
        question, item, again = found
        return await self._verdict(question, item, click.user_id, click.guild_id, again=again)

    def _store_answer(
        self, conn: Connection, click: Click
    ) -> Practice | tuple[PracticeQuestion, Item, bool]:
        """Return the answered question, its item, and whether it had been answered before.

        Return only the practice if the question must not be answered any more.
        """
        practice, question = _lock_question(conn, click.question_id, click.user_id)
        bank = self._banks.of_member(conn, click.user_id, click.guild_id)
        if question.answer is not None:
            return question, still_there(bank.items.get(question.item_id), _CONTINUE), True
        item = bank.asked.get(question.item_id)
        if (
            question.left_out_at is not None
            or item is None
            or item.id in self._in_play.items_hidden_from(conn, click.user_id, click.guild_id)
        ):
            return practice
        answer = _judge(question, item, click)
        answers_store.add(conn, answer)
        memory_store.record(conn, item.id, [review_of(answer)])
        answered = replace(
            question,
            answer=answer.answer,
            correct=answer.correct,
            answered_at=click.at,
            rating=answer.rating,
        )
        return answered, item, False

    async def guess(self, question_id: int, user_id: int, guild_id: int | None) -> PracticeVerdict:
        """Count the member's last right answer as a miss, because they guessed.

        Harmless when repeated.
        """
        item = await self._item_asked(question_id)
        question = await self._database.write(self._store_guess, question_id, user_id)
        return await self._verdict(question, item, user_id, guild_id)

    def _store_guess(self, conn: Connection, question_id: int, user_id: int) -> PracticeQuestion:
        practice, question = _lock_question(conn, question_id, user_id)
        if question.answer is None or store.questions_of(conn, practice.id)[-1].id != question.id:
            raise UserError(
                "Only your last answer can be marked as a guess. </practice> shows where you are."
            )
        if not question.correct:
            raise UserError(
                "That answer was a miss already, so there's nothing to change. Press Next to go on."
            )
        missed = Rating.Again.value
        if not question.guessed:
            if not answers_store.change(conn, PRACTICE, question.id, user_id, rating=missed):
                raise UserError(_UNKNOWN)  # an erasure of the member's data is running
            memory_store.replay(conn, user_id, question.item_id)
        return replace(question, rating=missed)

    async def set_aside(
        self, question_id: int, user_id: int, guild_id: int | None
    ) -> PracticeVerdict:
        """Set the item of an answered question aside."""
        return await self._set_aside_at(question_id, user_id, guild_id, self._now())

    async def put_back(
        self, question_id: int, user_id: int, guild_id: int | None
    ) -> PracticeVerdict:
        """Ask the item of an answered question again."""
        return await self._set_aside_at(question_id, user_id, guild_id, None)

    async def _set_aside_at(
        self, question_id: int, user_id: int, guild_id: int | None, at: datetime | None
    ) -> PracticeVerdict:
        item = await self._item_asked(question_id)

        def change(conn: Connection) -> PracticeQuestion:
            question = _question(conn, question_id)
            if store.get(conn, question.practice_id, user_id) is None:
                raise UserError(_UNKNOWN)
            if question.answer is None:
                raise UserError("You haven't answered this one yet. Set it aside once you did.")
            if not memory_store.set_aside(conn, user_id, question.item_id, at):
                raise UserError(_UNKNOWN)
            return question

        question = await self._database.write(change)
        return await self._verdict(question, item, user_id, guild_id)

    @reading
    def all_set_aside(self, conn: Connection, user_id: int) -> Sequence[tuple[Item, str]]:
        """Return the items that a member has set aside, of every server's bank, with their topics'
        titles.
        """
        found = memory_store.items_set_aside(conn, user_id)
        bank = self._banks.holding(conn, found)
        items = [bank.items[item_id] for item_id in sorted(found) if item_id in bank.items]
        titled = [(item, bank.topic_of(item).title) for item in items]
        return sorted(titled, key=lambda pair: pair[1])

    @writing
    def ask_again(self, conn: Connection, user_id: int, item_ids: Collection[str]) -> int:
        """Put items back into practice and return how many; ignore unknown ids."""
        chosen = memory_store.items_set_aside(conn, user_id) & set(item_ids)
        for item_id in sorted(chosen):
            memory_store.set_aside(conn, user_id, item_id, None)
        return len(chosen)

    @reading
    def _verdict(
        self,
        conn: Connection,
        question: PracticeQuestion,
        item: Item,
        user_id: int,
        guild_id: int | None,
        *,
        again: bool = False,
    ) -> PracticeVerdict:
        """Return the verdict on an answered question, from the current state of its card."""
        card = memory_store.card_of(conn, user_id, item.id)
        if card is None or question.answer is None:  # an erasure of the member's data is running
            raise UserError(_UNKNOWN)
        back_in = None
        if item.id not in memory_store.items_set_aside(conn, user_id):
            back_in = days_away(card, zone_of(conn, user_id, guild_id), self._now())
        asked = store.questions_of(conn, question.practice_id)
        number = sum(q.answer is not None for q in asked if q.number <= question.number)
        review = Review(item, decode_order(question.choice_order), question.answer)
        return PracticeVerdict(question, review, number=number, back_in=back_in, again=again)

    @reading
    def _item_asked(self, conn: Connection, question_id: int) -> Item:
        """Return the item that a question asks; refuse if it was removed."""
        return still_there(self._item(conn, _question(conn, question_id)), _CONTINUE)

    def _item(self, conn: Connection, question: PracticeQuestion) -> Item | None:
        return self._banks.holding(conn, [question.item_id]).items.get(question.item_id)

    # --- steps: each returns None if something has changed since the snapshot

    async def _begin(
        self, snapshot: Snapshot, at: datetime, topic_id: str | None, items: Sequence[str] = ()
    ) -> Asking | Nothing | None:
        """End the current practice, and ask the first question of a new one."""
        after = await compute(
            next_question, replace(snapshot, asked=()), topic_id, items, self._rng
        )
        if after.item is None:
            if snapshot.practice is not None and not await self._database.write(_close, snapshot):
                return None
            return Nothing(
                topic_id,
                next_in=snapshot.next_in(topic_id),
                more_tomorrow=bool(after.candidates.unmet),
                planned=snapshot.course is not None,
            )
        day = await compute(snapshot.planned_day) if not items else None

        def store_first(conn: Connection) -> PracticeQuestion | None:
            if snapshot.practice is not None and not _close(conn, snapshot):
                return None
            set_zone_if_unset(conn, snapshot.user_id, snapshot.known.zone)
            practice = store.create(conn, snapshot.user_id, topic_id, at, items)
            if practice is None:
                return None
            if day is not None:
                self._courses.record_day(conn, snapshot.user_id, day)
            return _store_question(conn, practice, 1, after, at)

        question = await self._database.write(store_first)
        return None if question is None else after.asking(question)

    async def _ask_next(
        self, snapshot: Snapshot, practice: Practice, at: datetime, *, instead: bool = False
    ) -> Asking | Summary | None:
        """Ask the next question of a practice, or end it."""
        after = await compute(next_question, snapshot, practice.topic_id, practice.items, self._rng)
        if after.ends:
            return await self._end(snapshot, practice)

        def store_next(conn: Connection) -> PracticeQuestion | None:
            if not _lock_unchanged(conn, snapshot):
                return None
            if after.left_out is not None:  # its row stays, because SQLite would reuse its id
                store.change_question(conn, after.left_out.id, left_out_at=at)
            if after.question is not None:  # the time to answer counts from here
                store.change_question(conn, after.question.id, asked_at=at)
                return replace(after.question, asked_at=at)
            if after.item is None:
                return None  # the next snapshot has no open question, and the practice ends
            return _store_question(conn, practice, len(snapshot.asked) + 1, after, at)

        question = await self._database.write(store_next)
        return None if question is None else after.asking(question, instead=instead)

    async def _end(self, snapshot: Snapshot, practice: Practice) -> Summary | None:
        """End a practice and return its summary."""
        summary = await compute(snapshot.summary, practice)
        day = await compute(snapshot.planned_day)

        def store_end(conn: Connection) -> bool:
            if not _close(conn, snapshot):
                return False
            if day is not None:
                self._courses.record_day(conn, practice.user_id, day)
            return True

        return summary if await self._database.write(store_end) else None

    def _snapshot(
        self, conn: Connection, user_id: int, guild_id: int | None, practice_id: int | None = None
    ) -> Snapshot:
        """Read what the next question of a practice depends on; by default the running one."""
        now = self._now()
        zone = zone_of(conn, user_id, guild_id)
        practice = (
            store.running(conn, user_id)
            if practice_id is None
            else store.get(conn, practice_id, user_id)
        )
        bank = self._banks.of_member(conn, user_id, guild_id)
        hidden = self._in_play.items_hidden_from(conn, user_id, guild_id)
        midnight = instant(Rule(time(0), zone), local_date(zone, now))
        return Snapshot(
            user_id=user_id,
            practice=practice,
            asked=store.questions_of(conn, practice.id) if practice else (),
            known=knowledge(conn, user_id, bank, zone, now, hidden),
            in_play=self._in_play.items_anywhere(conn),
            course=self._courses.course(conn, user_id, zone, now),
            new_today=store.new_since(conn, user_id, midnight),
        )


def _judge(question: PracticeQuestion, item: Item, click: Click) -> Answer:
    """Return the row of the log for an answer."""
    given = given_answer(item, decode_order(question.choice_order), click)
    right = is_right(item, given)
    elapsed = (click.at - question.asked_at) // timedelta(milliseconds=1)
    elapsed = min(max(elapsed, 0), LONGEST_MS)
    return Answer(
        source=PRACTICE,
        question_id=question.id,
        user_id=click.user_id,
        guild_id=None,
        item_id=item.id,
        topic_id=item.topic_id,
        answer=given,
        typed=item.kind == "typed",
        correct=right,
        points=0,
        elapsed_ms=elapsed,
        answered_at=click.at,
        rating=rate(right, elapsed, slow_in_practice(item)).value,
    )


def _lock_unchanged(conn: Connection, snapshot: Snapshot) -> bool:
    """Lock a practice; return whether it and its questions are still as in the snapshot."""
    assert snapshot.practice is not None
    practice = store.get(conn, snapshot.practice.id, snapshot.user_id, lock=True)
    return practice == snapshot.practice and store.questions_of(conn, practice.id) == snapshot.asked


def _close(conn: Connection, snapshot: Snapshot) -> bool:
    """End the practice of a snapshot; False if it has changed since."""
    if snapshot.practice is None or not _lock_unchanged(conn, snapshot):
        return False
    store.end(conn, snapshot.practice.id, snapshot.known.now)
    return True


def _store_question(
    conn: Connection, practice: Practice, number: int, after: NextQuestion, at: datetime
) -> PracticeQuestion:
    """Store the next question; a round may have given the member a card since the snapshot."""
    assert after.item is not None
    item_id = after.item.id
    return store.add_question(
        conn,
        practice_id=practice.id,
        number=number,
        item_id=item_id,
        choice_order=encode_order(after.order),
        is_new=memory_store.card_of(conn, practice.user_id, item_id) is None,
        asked_at=at,
    )


def _question(conn: Connection, question_id: int) -> PracticeQuestion:
    question = store.question(conn, question_id)
    if question is None:
        raise UserError(_UNKNOWN)
    return question


def _lock_question(
    conn: Connection, question_id: int, user_id: int
) -> tuple[Practice, PracticeQuestion]:
    """Lock a running practice of a member by one of its questions, and return both."""
    practice_id = _question(conn, question_id).practice_id
    practice = _require_running(store.get(conn, practice_id, user_id, lock=True))
    return practice, _question(conn, question_id)


def _require_running(practice: Practice | None) -> Practice:
    if practice is None:
        raise UserError(_UNKNOWN)
    if practice.ended_at is not None:
        raise UserError("This practice has ended. Start another with </practice>.")
    return practice
