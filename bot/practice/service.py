"""Private practice: what a member should look at again, then what they have not met yet, one question at a time.

Everything is in the database, so a practice goes on after a restart. What each step returns is what the member is to
see next: a question, the verdict on an answer, the summary, or that there is nothing to ask.

What to ask next depends on all cards of a member, so it is read and computed before the write, which checks that the
practice and its questions have not changed since; if they have, the step begins again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Protocol

from fsrs import Rating

from bot.answers import store as answer_log
from bot.answers.rules import LONGEST_MS, rate, slow_in_practice
from bot.answers.store import PRACTICE, Answer, review_of
from bot.core.calendar import Rule, instant, local_date
from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.members.store import set_zone_if_unset, zone_of
from bot.memory import rules as memory
from bot.memory import store as cards
from bot.memory.rules import MemoryCard
from bot.memory.service import knowledge
from bot.practice import rules, store
from bot.practice.rules import NewToday
from bot.practice.store import Practice, PracticeQuestion
from bot.questions import answers
from bot.questions.answers import Shown, already, given_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.cards import Review
from bot.questions.drawing import shuffled
from bot.questions.model import Bank, Item

_UNKNOWN = "That practice is gone. Start a new one with </practice>."
_GO_ON = "Go on with </practice>."


@dataclass(frozen=True, slots=True)
class Asking:
    """A question to answer, the `number`-th of this practice. `instead`: it takes another's place.

    `due` and `new`: how many can follow it in this practice.
    """

    question: PracticeQuestion
    item: Item
    order: tuple[int, ...]
    number: int
    due: int
    new: int
    instead: bool = False

    @property
    def total(self) -> int:
        """How many questions this practice has, as far as can be told now: a miss may come back and make it longer."""
        return self.number + self.due + self.new


@dataclass(frozen=True, slots=True)
class PracticeVerdict:
    """The verdict on an answer to a question, which is given as it was before.

    `number` counts the answers of this practice. `back_in`: days until the item comes back, None if the member doesn't
    want to be asked it again. `again`: the answer had been given before.
    """

    question: PracticeQuestion
    review: Review
    number: int
    back_in: int | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Summary:
    """The end of a practice. `back`: days until they come back -> how many of its items; `left`: asked for today."""

    topic_id: str | None
    answered: int
    right: int
    back: tuple[tuple[int, int], ...]
    left: int
    next_in: int | None


@dataclass(frozen=True, slots=True)
class Nothing:
    """There is nothing to ask: `next_in` days until something is due; `more_tomorrow`: there are items not met yet.

    `planned`: a plan says how many new ones a day has.
    """

    topic_id: str | None
    next_in: int | None
    more_tomorrow: bool
    planned: bool = False


@dataclass(frozen=True, slots=True)
class Suspended:
    """What a member doesn't want to be asked, as (item, title of its topic); `asked_again`: how many just went."""

    items: tuple[tuple[Item, str], ...]
    asked_again: int = 0


Screen = Asking | PracticeVerdict | Summary | Nothing


class Course(Protocol):
    """A plan that a member follows, which decides about new questions; `known` are all their cards."""

    def new_today(
        self,
        bank: Bank,
        known: Mapping[str, MemoryCard],
        zone: str,
        now: datetime,
        hidden: Collection[str],
        /,
    ) -> NewToday: ...

    def readiness(self, bank: Bank, known: Mapping[str, MemoryCard], now: datetime, /) -> float: ...


class Courses(Protocol):
    """The plans of all members; `bot.plan.service`."""

    def course(
        self, conn: Connection, user_id: int, zone: str, now: datetime, /
    ) -> Course | None: ...

    def note(self, conn: Connection, user_id: int, day: date, ready: float, /) -> None: ...


@dataclass(frozen=True, slots=True)
class _Read:
    """What a member's next question depends on, as the database had it at one moment.

    `practice` is the one under way or named, `asked` are its questions. `met_today`: how many new
    items today has had. `in_play`: items whose answers are not revealed yet on some server.
    """

    user_id: int
    practice: Practice | None
    asked: Sequence[PracticeQuestion]
    zone: str
    now: datetime
    bank: Bank
    cards: Mapping[str, MemoryCard]
    suspended: Collection[str]
    hidden: Collection[str]
    in_play: Collection[str]
    course: Course | None
    met_today: int

    @property
    def today(self) -> date:
        return local_date(self.zone, self.now)

    @property
    def under_way(self) -> Practice | None:
        """The practice, if it is today's."""
        if self.practice is None or local_date(self.zone, self.practice.started_at) != self.today:
            return None
        return self.practice

    def readiness(self) -> float | None:
        """Return how ready a member with a plan is; None without a plan."""
        return self.course.readiness(self.bank, self.cards, self.now) if self.course else None

    def view(
        self, topic_id: str | None, asked: Collection[str] = (), only: Sequence[str] = ()
    ) -> _View:
        """Return what can be asked now, of a topic or of the items in `only`, after those asked."""
        items, now, zone = self.bank.asked, self.now, self.zone
        known = {i: card for i, card in self.cards.items() if topic_id in {None, items[i].topic_id}}
        wanted = {i: card for i, card in known.items() if i not in self.suspended}
        if only:
            due = [i for i in only if i in items and i not in self.hidden and i not in asked]
            return _View(known, wanted, due, 0, [], None)
        pool = [
            i for i in items.values() if topic_id in {None, i.topic_id} and i.id not in self.hidden
        ]
        unmet = sum(i.id not in known for i in pool)
        planned, allowed = None, max(0, rules.NEW_A_DAY - self.met_today)
        if self.course is not None:
            planned = self.course.new_today(self.bank, self.cards, zone, now, self.hidden)
            allowed = planned.left
        due = memory.due_items(known, zone, now, asked, self.hidden)
        return _View(known, wanted, due, min(unmet, allowed), pool if unmet else [], planned)

    def next_in(self, view: _View) -> int | None:
        """Return in how many days the next card of a view is due; None without cards."""
        return min(
            (memory.days_away(card, self.zone, self.now) for card in view.wanted.values()),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class _View:
    """What a member has before them: their cards of items that are asked there, and what can be asked now.

    `wanted` are the cards without those that the member has set aside. `planned` are the new items
    of their plan, if they have one.
    """

    cards: dict[str, MemoryCard]
    wanted: dict[str, MemoryCard]
    due: list[str]
    new: int
    pool: list[Item]
    planned: NewToday | None


@dataclass(frozen=True, slots=True)
class _Step:
    """What comes next in a practice: an open question, an item to ask, or neither at its end.

    `left_out` is an open question that must not be asked any more.
    """

    view: _View
    answered: int
    length: int
    left_out: PracticeQuestion | None = None
    question: PracticeQuestion | None = None
    item: Item | None = None
    order: tuple[int, ...] = ()


class Practices:
    """See the module. `at` is Discord's time of a click; `now` gives UTC."""

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
        """Go on with today's practice, or begin one; naming another topic begins anew."""
        while True:
            read = await self._database.read(self._read, user_id, guild_id)
            check_topic(read.bank, topic_id)
            screen: Screen | None
            practice = read.under_way
            if practice is not None and topic_id in {None, practice.topic_id}:
                screen = await self._go_on(read, at)
            else:
                screen = await self._begin(read, at, topic_id)
            if screen is not None:
                return screen

    async def start_on(
        self, user_id: int, guild_id: int | None, at: datetime, items: Sequence[str]
    ) -> Screen:
        """Practise these items, each once and in this order, whatever else is due; go on if that is under way today.

        Items that are in play on one of the member's servers are left out.
        """
        while True:
            read = await self._database.read(self._read, user_id, guild_id)
            screen: Screen | None
            practice = read.under_way
            if practice is not None and practice.items == list(items):
                screen = await self._go_on(read, at)
            elif not any(item_id in read.bank.asked for item_id in items):
                raise UserError("Those questions have been retired. </practice> has others.")
            elif all(item_id in read.hidden for item_id in items if item_id in read.bank.asked):
                raise UserError(
                    "Those questions are live on one of your servers right now. Try again in a few minutes."
                )
            else:
                screen = await self._begin(read, at, None, items)
            if screen is not None:
                return screen

    async def go_on(
        self,
        practice_id: int,
        user_id: int,
        guild_id: int | None,
        at: datetime,
        *,
        instead: bool = False,
    ) -> Screen:
        """The question that is open, else the next one, else the summary."""
        while True:
            read = await self._database.read(self._read, user_id, guild_id, practice_id)
            if read.practice is None:
                raise UserError(_UNKNOWN)
            if read.practice.ended_at is not None:
                raise UserError("This practice has ended. Start another with </practice>.")
            screen = await self._go_on(read, at, instead=instead)
            if screen is not None:
                return screen

    async def end(self, practice_id: int, user_id: int, guild_id: int | None) -> Summary:
        """End a practice and sum it up; harmless when repeated."""
        while True:
            read = await self._database.read(self._read, user_id, guild_id, practice_id)
            if read.practice is None:
                raise UserError(_UNKNOWN)
            if read.practice.ended_at is not None:
                return await asyncio.to_thread(_summary, read, read.practice)
            summary = await self._end(read, read.practice)
            if summary is not None:
                return summary

    @reading
    def check_open(
        self, conn: Connection, question_id: int, _message_id: int, user_id: int
    ) -> Shown:
        """A question that the member can still answer, as item and order of its choices; refuses like `answer`.

        For opening a modal.
        """
        question = _question(conn, question_id)
        _running(conn, question.practice_id, user_id)
        item = still_there(self._item(conn, question), _GO_ON)
        if question.answer is not None and question.answered_at is not None:
            raise already(item, question.choice_order, question.answer, question.answered_at)
        return item, answers.decode_order(question.choice_order)

    async def subject(self, question_id: int) -> str | None:
        """The id of the item that a question asks."""
        question = await self._database.read(store.question, question_id)
        return question.item_id if question else None

    @reading
    def review(self, conn: Connection, click: Click) -> Review:
        """An answered question, for the reasons of all its choices."""
        question = _question(conn, click.question_id)
        item = self._item(conn, question)
        if store.get(conn, question.practice_id, click.user_id) is None or item is None:
            raise UserError(_UNKNOWN)
        if question.answer is None:
            raise UserError("You haven't answered this one yet. You'll see why once you do.")
        return Review(item, answers.decode_order(question.choice_order), question.answer)

    async def answer(self, click: Click) -> Screen:
        """Store a member's first answer as a review of their card, and judge it.

        An item that has come into play on one of their servers meanwhile is not judged; another takes its place.
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

        Return the practice instead if the question must not be judged.
        """
        practice, question = _locked(conn, click.question_id, click.user_id)
        bank = self._banks.of_member(conn, click.user_id, click.guild_id)
        item = (bank.asked if question.answer is None else bank.items).get(question.item_id)
        if question.answer is None and (
            question.left_out_at is not None
            or item is None
            or item.id in self._in_play.items_hidden_from(conn, click.user_id, click.guild_id)
        ):
            return practice
        item = still_there(item, _GO_ON)
        order = answers.decode_order(question.choice_order)
        if question.answer is not None:
            return question, item, True
        given = given_answer(item, order, click)
        right = answers.is_right(item, given)
        elapsed = (click.at - question.asked_at) // timedelta(milliseconds=1)
        elapsed = min(max(elapsed, 0), LONGEST_MS)
        answer = Answer(
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
        answer_log.add(conn, answer)
        cards.record(conn, item.id, [review_of(answer)])
        answered = replace(
            question, answer=given, correct=right, answered_at=click.at, rating=answer.rating
        )
        return answered, item, False

    async def guess(self, question_id: int, user_id: int, guild_id: int | None) -> PracticeVerdict:
        """Let the member's last answer, which was right by luck, count as a miss; once, and harmless when repeated."""
        item = await self._item_asked(question_id)
        question = await self._database.write(self._store_guess, question_id, user_id)
        return await self._verdict(question, item, user_id, guild_id)

    def _store_guess(self, conn: Connection, question_id: int, user_id: int) -> PracticeQuestion:
        practice, question = _locked(conn, question_id, user_id)
        if question.answer is None or store.questions_of(conn, practice.id)[-1].id != question.id:
            raise UserError(
                "Only your last answer can be marked as a guess. </practice> shows where you are."
            )
        if not question.correct:
            raise UserError(
                "That answer was a miss already, so there's nothing to change. Press Next to go on."
            )
        if not question.guessed:
            missed = Rating.Again.value
            if not answer_log.change(conn, PRACTICE, question.id, user_id, rating=missed):
                raise UserError(_UNKNOWN)  # all that they have is being erased
            cards.replay(conn, user_id, question.item_id)
        return replace(question, rating=Rating.Again.value)

    async def suspend(
        self, question_id: int, user_id: int, guild_id: int | None, *, ask_again: bool = False
    ) -> PracticeVerdict:
        """Never ask the item of an answered question again, or take that back."""
        at = None if ask_again else self._now()
        item = await self._item_asked(question_id)
        question = await self._database.write(self._store_suspended, question_id, user_id, at)
        return await self._verdict(question, item, user_id, guild_id)

    def _store_suspended(
        self, conn: Connection, question_id: int, user_id: int, at: datetime | None
    ) -> PracticeQuestion:
        question = _question(conn, question_id)
        if store.get(conn, question.practice_id, user_id) is None:
            raise UserError(_UNKNOWN)
        if question.answer is None:
            raise UserError("You haven't answered this one yet. Set it aside once you did.")
        if not cards.suspend(conn, user_id, question.item_id, at):
            raise UserError(_UNKNOWN)
        return question

    @reading
    def suspended(self, conn: Connection, user_id: int) -> Suspended:
        """What a member doesn't want to be asked again, wherever it is from."""
        found = cards.suspended(conn, user_id)
        bank = self._banks.holding(conn, found)
        known = [bank.items[item_id] for item_id in sorted(found) if item_id in bank.items]
        titled = [(item, bank.topic_of(item).title) for item in known]
        return Suspended(tuple(sorted(titled, key=lambda one: one[1])))

    async def ask_again(self, user_id: int, item_ids: Collection[str]) -> Suspended:
        """Ask suspended items again; ids of any others do nothing. Returns what is left."""
        asked_again = await self._ask_again(user_id, item_ids)
        return replace(await self.suspended(user_id), asked_again=asked_again)

    @writing
    def _ask_again(self, conn: Connection, user_id: int, item_ids: Collection[str]) -> int:
        chosen = cards.suspended(conn, user_id) & set(item_ids)
        for item_id in sorted(chosen):
            cards.suspend(conn, user_id, item_id, None)
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
        """What an answered question's member reads, by how their card is now."""
        card = cards.card_of(conn, user_id, item.id)
        if card is None or question.answer is None:  # all that they have is being erased
            raise UserError(_UNKNOWN)
        back_in = None
        if item.id not in cards.suspended(conn, user_id):
            back_in = memory.days_away(card, zone_of(conn, user_id, guild_id), self._now())
        asked = store.questions_of(conn, question.practice_id)
        number = sum(q.answer is not None for q in asked if q.number <= question.number)
        review = Review(item, answers.decode_order(question.choice_order), question.answer)
        return PracticeVerdict(question, review, number, back_in, again)

    @reading
    def _item_asked(self, conn: Connection, question_id: int) -> Item:
        """The item that a question asks; refuses one that was removed."""
        return still_there(self._item(conn, _question(conn, question_id)), _GO_ON)

    def _item(self, conn: Connection, question: PracticeQuestion) -> Item | None:
        return self._banks.holding(conn, [question.item_id]).items.get(question.item_id)

    async def _begin(
        self, read: _Read, at: datetime, topic_id: str | None, items: Sequence[str] = ()
    ) -> Asking | Nothing | None:
        """End the practice that was read, and ask the first question of a new one.

        Return None if something has changed since the read.
        """
        step = await asyncio.to_thread(self._step, replace(read, asked=()), topic_id, items)
        if step.item is None:
            if read.practice is not None and not await self._database.write(_close, read):
                return None
            more, planned = bool(step.view.pool), step.view.planned is not None
            return Nothing(topic_id, read.next_in(step.view), more, planned)
        ready = await asyncio.to_thread(read.readiness) if not items else None

        def store_first(conn: Connection) -> PracticeQuestion | None:
            if read.practice is not None and not _close(conn, read):
                return None
            set_zone_if_unset(conn, read.user_id, read.zone)
            practice = store.create(conn, read.user_id, topic_id, at, items)
            if practice is None:
                return None
            if ready is not None:
                self._courses.note(conn, read.user_id, read.today, ready)
            return _ask(conn, practice.id, 1, step, at, read.user_id)

        question = await self._database.write(store_first)
        return None if question is None else _asking(step, question)

    async def _go_on(
        self, read: _Read, at: datetime, *, instead: bool = False
    ) -> Asking | Summary | None:
        """Ask what comes next in a practice; None if something has changed since the read."""
        practice = read.practice
        assert practice is not None
        step = await asyncio.to_thread(self._step, read, practice.topic_id, practice.items)
        if step.question is None and step.item is None and step.left_out is None:
            return await self._end(read, practice)

        def store_next(conn: Connection) -> PracticeQuestion | bool:
            if not _unchanged(conn, read):
                return False
            if step.left_out is not None:  # its row stays: SQLite would reuse its id
                store.change_question(conn, step.left_out.id, left_out_at=at)
            if step.question is not None:  # the time to answer counts from here
                store.change_question(conn, step.question.id, asked_at=at)
                return replace(step.question, asked_at=at)
            if step.item is None:
                return False  # the next read finds nothing open, and ends the practice
            return _ask(conn, practice.id, len(read.asked) + 1, step, at, practice.user_id)

        question = await self._database.write(store_next)
        return (
            _asking(step, question, instead=instead)
            if isinstance(question, PracticeQuestion)
            else None
        )

    async def _end(self, read: _Read, practice: Practice) -> Summary | None:
        """End a practice and sum it up; None if something has changed since the read."""
        summary, ready = await asyncio.to_thread(
            lambda: (_summary(read, practice), read.readiness())
        )

        def store_end(conn: Connection) -> bool:
            if not _close(conn, read):
                return False
            if ready is not None:
                self._courses.note(conn, practice.user_id, read.today, ready)
            return True

        return summary if await self._database.write(store_end) else None

    def _step(self, read: _Read, topic_id: str | None, items: Sequence[str]) -> _Step:
        """Decide what comes next, in a topic or of some items."""
        asked = read.asked
        view = read.view(topic_id, {q.item_id for q in asked}, items)
        answered, length = sum(q.answer is not None for q in asked), len(items) or rules.LENGTH
        question = asked[-1] if asked and asked[-1].is_open else None
        left_out = None
        if question is not None:
            item = read.bank.asked.get(question.item_id)
            if item is not None and item.id not in read.hidden:
                order = answers.decode_order(question.choice_order)
                return _Step(view, answered, length, question=question, item=item, order=order)
            left_out = question
        chosen = self._drawn(read, view) if answered < length else None
        order = shuffled(chosen, self._rng) if chosen else ()
        return _Step(view, answered, length, left_out=left_out, item=chosen, order=order)

    def _drawn(self, read: _Read, view: _View) -> Item | None:
        """Choose the item to ask next; None if there is none."""
        if view.due:
            return read.bank.asked[view.due[0]]
        if not view.new:
            return None
        if view.planned is not None:
            return rules.first_new(view.planned.order, {i.id for i in view.pool}, read.in_play)
        return rules.draw_new(view.pool, view.cards, read.in_play, self._rng)

    def _read(
        self, conn: Connection, user_id: int, guild_id: int | None, practice_id: int | None = None
    ) -> _Read:
        """Read what the next question depends on, of a practice or of the one under way."""
        now, zone = self._now(), zone_of(conn, user_id, guild_id)
        practice = (
            store.running(conn, user_id)
            if practice_id is None
            else store.get(conn, practice_id, user_id)
        )
        bank = self._banks.of_member(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, now)
        midnight = instant(Rule(time(0), zone), local_date(zone, now))
        return _Read(
            user_id=user_id,
            practice=practice,
            asked=store.questions_of(conn, practice.id) if practice else (),
            zone=zone,
            now=now,
            bank=bank,
            cards=known.cards,
            suspended=known.set_aside,
            hidden=self._in_play.items_hidden_from(conn, user_id, guild_id) | known.set_aside,
            in_play=self._in_play.items_anywhere(conn),
            course=self._courses.course(conn, user_id, zone, now),
            met_today=store.new_since(conn, user_id, midnight),
        )


def _summary(read: _Read, practice: Practice) -> Summary:
    given = [q for q in read.asked if q.answer is not None]
    view = read.view(practice.topic_id)
    met = {q.item_id for q in given} & set(view.wanted)
    days = [memory.days_away(view.wanted[i], read.zone, read.now) for i in met]
    right = sum(bool(q.correct) and not q.guessed for q in given)
    return Summary(
        topic_id=practice.topic_id,
        answered=len(given),
        right=right,
        back=tuple(sorted(Counter(days).items())),
        left=len(view.due) + view.new,
        next_in=read.next_in(view),
    )


def _asking(step: _Step, question: PracticeQuestion, *, instead: bool = False) -> Asking:
    assert step.item is not None
    due = sum(item_id != question.item_id for item_id in step.view.due)
    new = max(step.view.new - question.fresh, 0)
    due, new = rules.ahead(step.answered, due, new, step.length)
    return Asking(
        question, step.item, step.order, step.answered + 1, due=due, new=new, instead=instead
    )


def _unchanged(conn: Connection, read: _Read) -> bool:
    """Lock a practice, and return whether it and its questions still are what was read."""
    assert read.practice is not None
    practice = store.get(conn, read.practice.id, read.user_id, lock=True)
    return practice == read.practice and store.questions_of(conn, practice.id) == read.asked


def _close(conn: Connection, read: _Read) -> bool:
    """End the practice that was read; False if it has changed since."""
    if read.practice is None or not _unchanged(conn, read):
        return False
    store.end(conn, read.practice.id, read.now)
    return True


def _ask(
    conn: Connection, practice_id: int, number: int, step: _Step, at: datetime, user_id: int
) -> PracticeQuestion:
    """Store the next question. It is not fresh if a round has given the member a card since the read."""
    assert step.item is not None
    fresh = (
        step.item.id not in step.view.cards and cards.card_of(conn, user_id, step.item.id) is None
    )
    return store.ask(
        conn,
        practice_id=practice_id,
        number=number,
        item_id=step.item.id,
        choice_order=answers.encode_order(step.order),
        fresh=fresh,
        asked_at=at,
    )


def _question(conn: Connection, question_id: int) -> PracticeQuestion:
    question = store.question(conn, question_id)
    if question is None:
        raise UserError(_UNKNOWN)
    return question


def _locked(conn: Connection, question_id: int, user_id: int) -> tuple[Practice, PracticeQuestion]:
    """A question of a member's running practice, as it is now that nobody else can change it."""
    practice = _running(conn, _question(conn, question_id).practice_id, user_id, lock=True)
    return practice, _question(conn, question_id)


def _running(conn: Connection, practice_id: int, user_id: int, *, lock: bool = False) -> Practice:
    practice = store.get(conn, practice_id, user_id, lock=lock)
    if practice is None:
        raise UserError(_UNKNOWN)
    if practice.ended_at is not None:
        raise UserError("This practice has ended. Start another with </practice>.")
    return practice
