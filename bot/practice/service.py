"""Private practice, one question at a time.

Everything is in the database, so a practice continues after a restart. Each method returns what
the member sees next: a question, the verdict on an answer, or that the practice is over.

The next question depends on all cards of a member, so it is computed from a snapshot, outside of
any transaction. The write then checks that the practice hasn't changed; if it has, the step is
repeated with a new snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta

from fsrs import Rating
from msgspec.structs import replace

from bot.answers import store as answers_store
from bot.answers.model import Answer
from bot.answers.rules import LONGEST_MS, rate, slow_in_practice
from bot.answers.store import PRACTICE, review_of
from bot.core.calendar import local_date
from bot.core.clicks import Click
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.members.streak_service import Streaks
from bot.memory import store as memory_store
from bot.memory.today import MAX_SECONDS
from bot.memory.today_service import Days
from bot.plan.store import record_day
from bot.practice import rules, store
from bot.practice.model import (
    Finished,
    Kind,
    Practice,
    PracticeQuestion,
    PracticeVerdict,
    Screen,
    Unjudged,
)
from bot.practice.rules import NextStep, Snapshot, Wanted
from bot.questions.answers import (
    Answered,
    Shown,
    already,
    decode_order,
    encode_order,
    given_answer,
    is_right,
)
from bot.questions.bank import check_topic, still_there
from bot.questions.model import Item

_UNKNOWN = "That practice is gone. Start a new one with </practice>."
_CONTINUE = "Go on with </practice>."
_AT_ONCE = timedelta(seconds=MAX_SECONDS)


class _ChangedError(Exception):
    """The practice has changed since the snapshot that a step was decided on."""


class Practices:
    """Members' practices; `at` is always Discord's time of a click."""

    def __init__(self, context: Context, days: Days, streaks: Streaks) -> None:
        self._days = days
        self._streaks = streaks
        self._database = context.database
        self._banks = context.banks
        self._now = context.now
        self._rng = context.rng
        self._in_play = context.in_play

    async def start(
        self,
        user_id: int,
        guild_id: int | None,
        at: datetime,
        topic_id: str | None = None,
        *,
        continues_any: bool = True,
    ) -> Screen:
        """Continue today's practice; start a new one if there is none or `topic_id` differs.

        Without `continues_any`, no topic means what the day holds, and not whatever is running.
        """
        kind = Kind.DAY if topic_id is None else Kind.TOPIC

        def decide(snapshot: Snapshot) -> NextStep:
            check_topic(snapshot.bank, topic_id)
            practice = snapshot.todays_practice
            if practice is not None and (
                (topic_id is None and continues_any)
                or (practice.kind, practice.topic_id) == (kind, topic_id)
            ):
                return rules.ask_next(snapshot, practice, self._rng)
            return rules.begin(snapshot, Wanted(kind, topic_id), self._rng)

        return await self._take(decide, user_id, guild_id, at)

    async def more(self, user_id: int, guild_id: int | None, at: datetime) -> Screen:
        """Go on beyond the day's questions."""

        def decide(snapshot: Snapshot) -> NextStep:
            return rules.begin(snapshot, Wanted(Kind.MORE), self._rng)

        return await self._take(decide, user_id, guild_id, at)

    async def try_out(self, user_id: int, guild_id: int | None, at: datetime) -> Screen:
        """Ask a newcomer a few easy questions; whoever has practised gets what the day holds."""

        def decide(snapshot: Snapshot) -> NextStep:
            practice = snapshot.todays_practice
            if practice is not None:
                return rules.ask_next(snapshot, practice, self._rng)
            if snapshot.facts.practised:
                return rules.begin(snapshot, Wanted(), self._rng)
            items = rules.trial_items(snapshot, self._rng)
            wanted = Wanted(Kind.TRIAL, items=items) if items else Wanted()
            return rules.begin(snapshot, wanted, self._rng)

        return await self._take(decide, user_id, guild_id, at)

    async def start_on(
        self, user_id: int, guild_id: int | None, at: datetime, items: Sequence[str]
    ) -> Screen:
        """Practise only these items, in this order.

        Today's practice of the same items is continued. Items in play on one of the member's
        servers are left out.
        """

        def decide(snapshot: Snapshot) -> NextStep:
            practice = snapshot.todays_practice
            if practice is not None and practice.items == list(items):
                return rules.ask_next(snapshot, practice, self._rng)
            existing = [item_id for item_id in items if item_id in snapshot.bank.asked]
            if not existing:
                raise UserError("Those questions have been retired. </practice> has others.")
            if not any(map(snapshot.known.may_ask, existing)):
                raise UserError(
                    "Those questions are live on one of your servers right now. Try again in a few minutes."
                )
            return rules.begin(snapshot, Wanted(Kind.MISSES, items=items), self._rng)

        return await self._take(decide, user_id, guild_id, at)

    async def go_on(
        self,
        practice_id: int,
        user_id: int,
        guild_id: int | None,
        at: datetime,
        unjudged: Unjudged | None = None,
    ) -> Screen:
        """Return the open question, else the next one, else the summary.

        `unjudged` tells why an answer was not judged.
        """

        def decide(snapshot: Snapshot) -> NextStep:
            practice = _require_running(snapshot.practice)
            return rules.ask_next(snapshot, practice, self._rng, unjudged)

        return await self._take(decide, user_id, guild_id, at, practice_id)

    async def end(self, practice_id: int, user_id: int, guild_id: int | None) -> Screen:
        """End a practice and return its summary; harmless when repeated."""

        def decide(snapshot: Snapshot) -> NextStep:
            if snapshot.practice is None:
                raise UserError(_UNKNOWN)
            return rules.end(snapshot, snapshot.practice)

        return await self._take(decide, user_id, guild_id, self._now(), practice_id)

    async def _take(
        self,
        decide: Callable[[Snapshot], NextStep],
        user_id: int,
        guild_id: int | None,
        at: datetime,
        practice_id: int | None = None,
    ) -> Screen:
        """Decide on a snapshot, store the step, and return what to show."""
        while True:
            snapshot = await self._database.read(self._snapshot, user_id, guild_id, practice_id)
            step = await compute(guild_id or user_id, decide, snapshot)
            try:
                return await self._database.write(self._store, snapshot, step, guild_id, at)
            except _ChangedError:
                continue

    def _store(
        self,
        conn: Connection,
        snapshot: Snapshot,
        step: NextStep,
        guild_id: int | None,
        at: datetime,
    ) -> Screen:
        """Store a step, and return what to show."""
        user_id, practice = snapshot.user_id, snapshot.practice
        if practice is not None:
            stored = store.get(conn, practice.id, user_id, lock=True)
            if stored != practice or store.questions_of(conn, practice.id) != snapshot.asked:
                raise _ChangedError
            if step.left_out is not None:  # its row stays, because SQLite would reuse its id
                store.change_question(conn, step.left_out.id, left_out_at=at)
            if step.ends:
                store.end(conn, practice.id, snapshot.known.now)
        asked = snapshot.asked
        if step.begun is not None:
            set_zone_if_unset(conn, user_id, snapshot.known.zone)
            practice, asked = _begin(conn, user_id, step.begun, at), ()
        if step.day is not None:
            record_day(conn, user_id, step.day)
        if step.over is not None:
            return self._over(conn, user_id, guild_id, step.over, snapshot.known.now)
        if practice is None:  # another one has begun
            raise _ChangedError
        assert step.item is not None
        if step.question is not None:
            # the time to answer counts from here
            again = replace(step.question, asked_at=at, ends_day=step.ends_day)
            store.change_question(conn, again.id, asked_at=at, ends_day=again.ends_day)
            return step.asking(practice, again)
        # a round may have given the member a card since the snapshot
        is_new = memory_store.card_of(conn, user_id, step.item.id) is None
        question = store.add_question(
            conn,
            practice_id=practice.id,
            number=len(asked) + 1,
            item_id=step.item.id,
            item_mark=step.item.mark,
            choice_order=encode_order(step.order),
            expected=step.expected if is_new else None,
            once_more=step.once_more,
            ends_day=step.ends_day,
            asked_at=at,
        )
        return step.asking(practice, question)

    def _over(
        self, conn: Connection, user_id: int, guild_id: int | None, over: Finished, at: datetime
    ) -> Finished:
        """Let the date count if the day's practice is done, which the last answer may not have seen."""
        has_erased = not answers_store.count_reviews(conn, user_id, 1)
        if not over.today.is_done or has_erased:
            return over
        streak, _ = self._streaks.credit(conn, user_id, guild_id, at)
        return replace(over, today=replace(over.today, streak=streak))

    def _snapshot(
        self, conn: Connection, user_id: int, guild_id: int | None, practice_id: int | None
    ) -> Snapshot:
        """Read what the next question of a practice depends on; by default the running one."""
        practice = (
            store.running(conn, user_id)
            if practice_id is None
            else store.get(conn, practice_id, user_id)
        )
        return Snapshot(
            user_id=user_id,
            practice=practice,
            asked=store.questions_of(conn, practice.id) if practice else (),
            facts=self._days.facts(conn, user_id, guild_id),
            in_play=self._in_play.items_anywhere(conn),
        )

    @reading
    def check_open(self, conn: Connection, click: Click) -> Shown:
        """Return an open question's item and the order of its choices, to open a modal.

        Refuses in the same cases as `answer`.
        """
        question = _question(conn, click.question_id)
        _require_running(store.get(conn, question.practice_id, click.user_id))
        item = self._item(conn, question)
        if question.answer is not None and question.answered_at is not None:
            raise already(item, question.choice_order, question.answer, question.answered_at)
        if question.left_out_at is not None or item.mark != question.item_mark:
            raise UserError(f"That question is closed. {_CONTINUE}")
        return item, decode_order(question.choice_order)

    @reading
    def item_of(self, conn: Connection, click: Click) -> str | None:
        """Return the id of the item that a question asked the member."""
        return _own_question(conn, click.question_id, click.user_id).item_id

    @reading
    def explain(self, conn: Connection, click: Click) -> Answered:
        """Return an answered question, to explain its choices."""
        question = _own_question(conn, click.question_id, click.user_id)
        if question.answer is None:
            raise UserError(
                "You haven't answered this one yet. Answer it first, and you'll see why."
            )
        item = self._item(conn, question)
        return Answered(item, decode_order(question.choice_order), question.answer)

    async def answer(self, click: Click) -> Screen:
        """Store a member's first answer, update their memory card, and return the verdict.

        If the item has come into play on one of their servers or is gone, another question replaces
        it. If it was changed since it was shown, it is asked again on a new card.
        """
        found = await self._database.write(self._answer, click)
        if found is None:
            again = await self._verdict(click.question_id, click.user_id)
            return replace(again, again=True)
        if isinstance(found, PracticeVerdict):
            return found
        practice_id, unjudged = found
        return await self.go_on(practice_id, click.user_id, click.guild_id, click.at, unjudged)

    def _answer(
        self, conn: Connection, click: Click
    ) -> PracticeVerdict | tuple[int, Unjudged] | None:
        """Store an answer; return None if there was one.

        If it can't be judged, return the practice that goes on, and why.

        The date counts for the streak with the answer that finishes the day.
        """
        user_id, guild_id = click.user_id, click.guild_id
        practice, question = _lock_question(conn, click.question_id, user_id)
        if question.answer is not None:
            return None
        item = self._banks.of_member(conn, user_id, guild_id).asked.get(question.item_id)
        if question.left_out_at is not None:
            return practice.id, Unjudged.LEFT_OUT
        if item is None:
            return practice.id, Unjudged.GONE
        if item.id in self._in_play.items_hidden_from(conn, user_id, guild_id):
            return practice.id, Unjudged.IN_PLAY
        if item.mark != question.item_mark:
            return practice.id, Unjudged.CHANGED
        is_first = question.is_new and memory_store.card_of(conn, user_id, item.id) is None
        answer = _judge(question, item, click, is_first=is_first)
        answers_store.add(conn, answer)
        memory_store.record(conn, item.id, [review_of(answer)])
        question = _question(conn, question.id)
        verdict = self._verdict_on(conn, question, item, user_id)
        if not question.ended_day or not _on_its_day(conn, question, click):
            return verdict
        streak, news = self._streaks.credit(conn, user_id, guild_id, question.asked_at)
        return replace(verdict, streak=streak, news=news, ends=practice.kind == Kind.DAY)

    async def guess(self, question_id: int, user_id: int) -> PracticeVerdict:
        """Count the member's last right answer as a miss, because they guessed.

        Harmless when repeated.
        """
        await self._database.write(_store_guess, question_id, user_id)
        return await self._verdict(question_id, user_id)

    async def set_aside(self, question_id: int, user_id: int, *, aside: bool) -> PracticeVerdict:
        """Set the item of an answered question aside, or put it back."""
        at = self._now() if aside else None
        await self._database.write(_store_set_aside, question_id, user_id, at)
        return await self._verdict(question_id, user_id)

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
    def _verdict(self, conn: Connection, question_id: int, user_id: int) -> PracticeVerdict:
        """Return the verdict on an answered question, from the current state of its card."""
        question = _question(conn, question_id)
        return self._verdict_on(conn, question, self._item(conn, question), user_id)

    def _verdict_on(
        self,
        conn: Connection,
        question: PracticeQuestion,
        item: Item,
        user_id: int,
    ) -> PracticeVerdict:
        card = memory_store.card_of(conn, user_id, item.id)
        if card is None or question.answer is None:  # an erasure of the member's data is running
            raise UserError(_UNKNOWN)
        is_aside = item.id in memory_store.items_set_aside(conn, user_id)
        answered = Answered(item, decode_order(question.choice_order), question.answer)
        return PracticeVerdict(question, answered, is_aside)

    def _item(self, conn: Connection, question: PracticeQuestion) -> Item:
        """Return the item that a question asks; refuse if it was removed."""
        found = self._banks.holding(conn, [question.item_id]).items.get(question.item_id)
        return still_there(found, _CONTINUE)


def _begin(conn: Connection, user_id: int, wanted: Wanted, at: datetime) -> Practice | None:
    return store.create(
        conn,
        user_id=user_id,
        kind=str(wanted.kind),
        topic_id=wanted.topic_id,
        item_ids=" ".join(wanted.items) or None,
        started_at=at,
    )


def _judge(question: PracticeQuestion, item: Item, click: Click, *, is_first: bool) -> Answer:
    """Return the row of the log for an answer.

    Only with the member's first one to the item goes what was expected: a round may have shown it
    since it was asked.
    """
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
        expected=question.expected if is_first else None,
    )


def _store_guess(conn: Connection, question_id: int, user_id: int) -> None:
    practice, question = _lock_question(conn, question_id, user_id)
    if question.answer is None or store.questions_of(conn, practice.id)[-1] != question:
        raise UserError(
            "Only your last answer can be marked as a guess. </practice> shows where you are."
        )
    if not question.correct:
        raise UserError(
            "That answer was a miss already, so there's nothing to change. Press Next to go on."
        )
    if not question.guessed:
        missed = Rating.Again.value
        answers_store.change(conn, PRACTICE, question.id, user_id, rating=missed)
        memory_store.replay(conn, user_id, question.item_id)


def _store_set_aside(conn: Connection, question_id: int, user_id: int, at: datetime | None) -> None:
    question = _own_question(conn, question_id, user_id)
    if question.answer is None:
        raise UserError("You haven't answered this one yet. Set it aside once you did.")
    memory_store.set_aside(conn, user_id, question.item_id, at)


def _question(conn: Connection, question_id: int) -> PracticeQuestion:
    question = store.question(conn, question_id)
    if question is None:
        raise UserError(_UNKNOWN)
    return question


def _own_question(conn: Connection, question_id: int, user_id: int) -> PracticeQuestion:
    """Return a question; refuse if it was not the member who was asked."""
    question = _question(conn, question_id)
    if store.get(conn, question.practice_id, user_id) is None:
        raise UserError(_UNKNOWN)
    return question


def _on_its_day(conn: Connection, question: PracticeQuestion, click: Click) -> bool:
    """Return whether a question was answered on the date when it was asked, or at once.

    So a practice that ends a minute after midnight counts for the date that it is about.
    """
    if click.at - question.asked_at <= _AT_ONCE:
        return True
    zone = zone_of(conn, click.user_id, click.guild_id)
    return local_date(zone, click.at) == local_date(zone, question.asked_at)


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
