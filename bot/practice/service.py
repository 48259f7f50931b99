"""Private practice: what a member should look at again, then what they have not met yet, one question at a time.

Everything is in the database, so a practice goes on after a restart. What each step returns is what the member is to
see next: a question, the verdict on an answer, the summary, or that there is nothing to ask.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, Protocol

from bot.core.clicks import Click
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.time import Rule, instant, local_date
from bot.members.store import keep_zone, zone_of
from bot.memory import rules as memory
from bot.memory import store as cards
from bot.memory.rules import MemoryCard, rate, slow_in_practice
from bot.practice import rules, store
from bot.practice.rules import NewToday
from bot.practice.store import Practice, PracticeQuestion
from bot.questions import answers
from bot.questions.answers import Review, Shown, already, given_answer
from bot.questions.bank import check_topic, still_there
from bot.questions.drawing import shuffled
from bot.questions.model import Bank, Item
from bot.questions.store import items_hidden_from, items_in_play_anywhere

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
    """What a member has planned, which decides about new questions; `bot.plan.service`. `known` are all their cards."""

    def new_today(
        self,
        conn: Connection,
        user_id: int,
        bank: Bank,
        known: Mapping[str, MemoryCard],
        zone: str,
        now: datetime,
        hidden: Collection[str],
        /,
    ) -> NewToday | None: ...

    def note(
        self, conn: Connection, user_id: int, bank: Bank, known: Mapping[str, MemoryCard], zone: str, now: datetime, /
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _View:
    """What a member has before them: their cards of items that are asked there, and what can be asked now.

    `wanted` are the cards without those that the member does not want to be asked again.
    `everywhere` are their cards of all topics; `planned` is what their plan brings that is new, if they have one.
    """

    cards: dict[str, MemoryCard]
    wanted: dict[str, MemoryCard]
    zone: str
    now: datetime
    bank: Bank
    hidden: set[str]
    due: list[str]
    new: int
    pool: list[Item]
    everywhere: dict[str, MemoryCard]
    planned: NewToday | None

    def next_in(self) -> int | None:
        """Days until the next card is due."""
        return min((memory.days_away(card, self.zone, self.now) for card in self.wanted.values()), default=None)


class Practices:
    """See the module. `at` is Discord's time of a click; `now` gives UTC."""

    def __init__(self, context: Context, course: Course) -> None:
        self._database = context.database
        self._banks = context.banks
        self._course = course
        self._now = context.now
        self._rng = context.rng

    async def start(self, user_id: int, guild_id: int | None, at: datetime, topic_id: str | None = None) -> Screen:
        """Go on with today's practice, or begin one; naming another topic begins anew."""
        return await self._database.write(self._start, user_id, guild_id, at, topic_id)

    @writing
    def start_on(
        self, conn: Connection, user_id: int, guild_id: int | None, at: datetime, items: Sequence[str]
    ) -> Asking | Summary:
        """Practise these items, each once and in this order, whatever else is due; go on if that is under way today.

        Items that are in play on one of the member's servers are left out.
        """
        practice, view = store.running(conn, user_id), self._look(conn, user_id, guild_id, None, only=items)
        if practice is not None:
            today = local_date(view.zone, view.now) == local_date(view.zone, practice.started_at)
            if today and practice.items == list(items):
                return self._next(conn, practice, guild_id, at)
            store.end(conn, practice.id, view.now)
        if not any(item_id in view.bank.asked for item_id in items):
            raise UserError("Those questions have been retired. </practice> has others.")
        if not view.due:
            raise UserError("Those questions are live on one of your servers right now. Try again in a few minutes.")
        return self._next(conn, _begun(conn, user_id, view.zone, None, at, items), guild_id, at)

    @writing
    def go_on(self, conn: Connection, practice_id: int, user_id: int, guild_id: int | None, at: datetime) -> Screen:
        """The question that is open, else the next one, else the summary."""
        return self._next(conn, _running(conn, practice_id, user_id, lock=True), guild_id, at)

    @writing
    def end(self, conn: Connection, practice_id: int, user_id: int, guild_id: int | None) -> Summary:
        """End a practice and sum it up; harmless when repeated."""
        practice = store.get(conn, practice_id, user_id, lock=True)
        if practice is None:
            raise UserError(_UNKNOWN)
        return self._end(conn, practice, guild_id)

    @reading
    def check_open(self, conn: Connection, question_id: int, _message_id: int, user_id: int) -> Shown:
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
    def review(self, conn: Connection, question_id: int, _message_id: int, user_id: int) -> Review:
        """An answered question, for the reasons of all its choices."""
        question = _question(conn, question_id)
        item = self._item(conn, question)
        if store.get(conn, question.practice_id, user_id) is None or item is None:
            raise UserError(_UNKNOWN)
        if question.answer is None:
            raise UserError("You haven't answered this one yet. You'll see why once you do.")
        return Review(item, answers.decode_order(question.choice_order), question.answer)

    @writing
    def answer(self, conn: Connection, click: Click) -> Screen:
        """Store a member's first answer as a review of their card, and judge it.

        An item that has come into play on one of their servers meanwhile is not judged; another takes its place.
        """
        practice, question = _locked(conn, click.question_id, click.user_id)
        bank = self._banks.of_member(conn, click.user_id, click.guild_id)
        item = (bank.asked if question.answer is None else bank.items).get(question.item_id)
        if question.answer is None and (
            question.answered_at is not None
            or item is None
            or item.id in items_hidden_from(conn, click.user_id, click.guild_id)
        ):
            return self._next(conn, practice, click.guild_id, click.at, instead=True)
        item = still_there(item, _GO_ON)
        order = answers.decode_order(question.choice_order)
        if question.answer is not None:
            return self._verdict(conn, question, item, click.user_id, click.guild_id, again=True)
        given = given_answer(item, order, click)
        right = answers.is_right(item, given)
        elapsed = (click.at - question.asked_at) // timedelta(milliseconds=1)
        elapsed = min(max(elapsed, 0), memory.LONGEST_MS)
        rating = rate(right, elapsed, slow_in_practice(item))
        before = memory.encode_card(cards.card_of(conn, click.user_id, item.id, lock=True))
        noted: dict[str, Any] = {"answer": given, "correct": right, "answered_at": click.at, "card_before": before}
        store.change_question(conn, question.id, **noted)
        met = cards.ReviewedAnswer(click.user_id, rating, click.at, elapsed)
        cards.record(conn, "practice", question.id, item.id, [met])
        return self._verdict(conn, replace(question, **noted), item, click.user_id, click.guild_id)

    @writing
    def guess(self, conn: Connection, question_id: int, user_id: int, guild_id: int | None) -> PracticeVerdict:
        """Let the member's last answer, which was right by luck, count as a miss; once, and harmless when repeated."""
        practice, question = _locked(conn, question_id, user_id)
        item = still_there(self._item(conn, question), _GO_ON)
        if question.answer is None or store.questions_of(conn, practice.id)[-1].id != question.id:
            raise UserError("Only your last answer can be marked as a guess. </practice> shows where you are.")
        if not question.correct:
            raise UserError("That answer was a miss already, so there's nothing to change. Press Next to go on.")
        if not question.guessed:
            before = memory.decode_card(question.card_before)
            if cards.rate_again(conn, "practice", question.id, user_id, before) is None:
                raise UserError(_UNKNOWN)  # all that they have is being erased
            store.change_question(conn, question.id, guessed=True)
        return self._verdict(conn, replace(question, guessed=True), item, user_id, guild_id)

    @writing
    def suspend(
        self, conn: Connection, question_id: int, user_id: int, guild_id: int | None, *, ask_again: bool = False
    ) -> PracticeVerdict:
        """Never ask the item of an answered question again, or take that back."""
        question = _question(conn, question_id)
        if store.get(conn, question.practice_id, user_id) is None:
            raise UserError(_UNKNOWN)
        item = still_there(self._item(conn, question), _GO_ON)
        if question.answer is None:
            raise UserError("You haven't answered this one yet. Set it aside once you did.")
        if not cards.suspend(conn, user_id, item.id, None if ask_again else self._now()):
            raise UserError(_UNKNOWN)
        return self._verdict(conn, question, item, user_id, guild_id)

    @reading
    def suspended(self, conn: Connection, user_id: int) -> Suspended:
        """What a member doesn't want to be asked again, wherever it is from."""
        return self._suspended(conn, user_id)

    @writing
    def ask_again(self, conn: Connection, user_id: int, item_ids: Collection[str]) -> Suspended:
        """Ask suspended items again; ids of any others do nothing. Returns what is left."""
        chosen = cards.suspended(conn, user_id) & set(item_ids)
        for item_id in sorted(chosen):
            cards.suspend(conn, user_id, item_id, None)
        return replace(self._suspended(conn, user_id), asked_again=len(chosen))

    def _suspended(self, conn: Connection, user_id: int) -> Suspended:
        found = cards.suspended(conn, user_id)
        bank = self._banks.holding(conn, found)
        known = [bank.items[item_id] for item_id in sorted(found) if item_id in bank.items]
        titled = [(item, bank.topic_of(item).title) for item in known]
        return Suspended(tuple(sorted(titled, key=lambda one: one[1])))

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

    def _item(self, conn: Connection, question: PracticeQuestion) -> Item | None:
        return self._banks.holding(conn, [question.item_id]).items.get(question.item_id)

    def _start(
        self, conn: Connection, user_id: int, guild_id: int | None, at: datetime, topic_id: str | None
    ) -> Screen:
        check_topic(self._banks.of_member(conn, user_id, guild_id), topic_id)
        practice = store.running(conn, user_id)
        view = self._look(conn, user_id, guild_id, topic_id)
        if practice is not None:
            today = local_date(view.zone, view.now) == local_date(view.zone, practice.started_at)
            if today and topic_id in {None, practice.topic_id}:
                return self._next(conn, practice, guild_id, at)
            store.end(conn, practice.id, view.now)
        if not view.due and not view.new:
            return Nothing(topic_id, view.next_in(), bool(view.pool), view.planned is not None)
        self._course.note(conn, user_id, view.bank, view.everywhere, view.zone, view.now)
        return self._next(conn, _begun(conn, user_id, view.zone, topic_id, at), guild_id, at)

    def _next(
        self, conn: Connection, practice: Practice, guild_id: int | None, at: datetime, *, instead: bool = False
    ) -> Asking | Summary:
        asked = store.questions_of(conn, practice.id)
        known = {q.item_id for q in asked}
        view = self._look(conn, practice.user_id, guild_id, practice.topic_id, known, practice.items)
        question = asked[-1] if asked and asked[-1].answered_at is None else None
        if question is not None and (question.item_id in view.hidden or question.item_id not in view.bank.asked):
            store.change_question(conn, question.id, answered_at=at)  # its row stays: SQLite would reuse its id
            question = None
        if question is not None:
            store.change_question(conn, question.id, asked_at=at)  # the time to answer counts from here
        answered = sum(q.answer is not None for q in asked)
        length = len(practice.items) or rules.LENGTH
        if question is None and answered < length:
            question = self._ask(conn, practice, view, len(asked) + 1, at)
        if question is None:
            return self._end(conn, practice, guild_id)
        item, order = view.bank.asked[question.item_id], answers.decode_order(question.choice_order)
        due, new = sum(item_id != item.id for item_id in view.due), max(view.new - question.fresh, 0)
        return Asking(question, item, order, answered + 1, *rules.ahead(answered, due, new, length), instead)

    def _ask(
        self, conn: Connection, practice: Practice, view: _View, number: int, at: datetime
    ) -> PracticeQuestion | None:
        """Draw and store the next question; None if there is none."""
        item = None
        if view.due:
            item = view.bank.asked[view.due[0]]
        elif view.new:
            in_play = items_in_play_anywhere(conn)
            if view.planned is not None:
                item = rules.first_new(view.planned.order, {i.id for i in view.pool}, in_play)
            else:
                item = rules.draw_new(view.pool, view.cards, in_play, self._rng)
        if item is None:
            return None
        order, fresh = answers.encode_order(shuffled(item, self._rng)), item.id not in view.cards
        values = {"practice_id": practice.id, "number": number, "asked_at": at}
        return store.ask(conn, **values, item_id=item.id, choice_order=order, fresh=fresh)

    def _look(
        self,
        conn: Connection,
        user_id: int,
        guild_id: int | None,
        topic_id: str | None,
        asked: Collection[str] = (),
        only: Sequence[str] = (),
    ) -> _View:
        now, zone = self._now(), zone_of(conn, user_id, guild_id)
        suspended = cards.suspended(conn, user_id)
        hidden = items_hidden_from(conn, user_id, guild_id) | suspended
        bank = self._banks.of_member(conn, user_id, guild_id)
        items = bank.asked
        everywhere = {item_id: card for item_id, card in cards.cards_of(conn, user_id).items() if item_id in items}
        known = {i: card for i, card in everywhere.items() if topic_id in {None, items[i].topic_id}}
        pool = [i for i in items.values() if topic_id in {None, i.topic_id} and i.id not in hidden]
        unmet = sum(i.id not in known for i in pool)
        planned = self._course.new_today(conn, user_id, bank, everywhere, zone, now, hidden)
        if planned is not None:
            allowed = planned.left
        else:
            midnight = instant(Rule(time(0), zone), local_date(zone, now))
            allowed = max(0, rules.NEW_A_DAY - store.new_since(conn, user_id, midnight))
        due = memory.due_items(known, zone, now, asked, hidden)
        wanted = {item_id: card for item_id, card in known.items() if item_id not in suspended}
        new, pool = min(unmet, allowed), pool if unmet else []
        if only:
            due, new, pool = [i for i in only if i in items and i not in hidden and i not in asked], 0, []
        return _View(known, wanted, zone, now, bank, hidden, due, new, pool, everywhere, planned)

    def _end(self, conn: Connection, practice: Practice, guild_id: int | None) -> Summary:
        if practice.ended_at is None:
            store.end(conn, practice.id, self._now())
        given = [q for q in store.questions_of(conn, practice.id) if q.answer is not None]
        view = self._look(conn, practice.user_id, guild_id, practice.topic_id)
        self._course.note(conn, practice.user_id, view.bank, view.everywhere, view.zone, view.now)
        days = [
            memory.days_away(view.wanted[i], view.zone, view.now) for i in {q.item_id for q in given} & set(view.wanted)
        ]
        right, left = sum(bool(q.correct) and not q.guessed for q in given), len(view.due) + view.new
        back = tuple(sorted(Counter(days).items()))
        return Summary(practice.topic_id, len(given), right, back, left, view.next_in())


def _question(conn: Connection, question_id: int) -> PracticeQuestion:
    question = store.question(conn, question_id)
    if question is None:
        raise UserError(_UNKNOWN)
    return question


def _locked(conn: Connection, question_id: int, user_id: int) -> tuple[Practice, PracticeQuestion]:
    """A question of a member's running practice, as it is now that nobody else can change it."""
    practice = _running(conn, _question(conn, question_id).practice_id, user_id, lock=True)
    return practice, _question(conn, question_id)


def _begun(
    conn: Connection, user_id: int, zone: str, topic_id: str | None, at: datetime, items: Sequence[str] = ()
) -> Practice:
    """A new practice, or the one that another process has just begun."""
    keep_zone(conn, user_id, zone)
    practice = store.create(conn, user_id, topic_id, at, items) or store.running(conn, user_id)
    if practice is None:
        raise UserError("Your practice has just ended. Start another with </practice>.")
    return practice


def _running(conn: Connection, practice_id: int, user_id: int, *, lock: bool = False) -> Practice:
    practice = store.get(conn, practice_id, user_id, lock=lock)
    if practice is None:
        raise UserError(_UNKNOWN)
    if practice.ended_at is not None:
        raise UserError("This practice has ended. Start another with </practice>.")
    return practice
