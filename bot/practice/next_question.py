"""The next question of a practice, chosen from a snapshot: due items first, then new ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from bot.core.calendar import local_date
from bot.memory import rules as memory_rules
from bot.memory.progress import Knowledge
from bot.memory.rules import RETENTION, MemoryCard, days_away
from bot.practice import rules
from bot.practice.cards import Asking, Summary
from bot.practice.rules import NewToday, PlannedDay, Practice, PracticeQuestion
from bot.questions.answers import decode_order
from bot.questions.drawing import shuffled
from bot.questions.model import Bank, Item


class Course(Protocol):
    """A member's plan, which decides about new items; `hidden` ones must not be asked now."""

    def retention(self, today: date, /) -> float:
        """Return the desired retention of a day."""
        ...

    def topic_ids(self, bank: Bank, /) -> Collection[str]:
        """Return the ids of the plan's topics, whose items come before others."""
        ...

    def new_today(self, known: Knowledge, hidden: Collection[str], /) -> NewToday: ...

    def today(self, known: Knowledge, hidden: Collection[str], /) -> PlannedDay | None:
        """Return what to record of the day, if anything."""
        ...


@dataclass(frozen=True, slots=True)
class Candidates:
    """The items that a practice can ask now.

    `due` are ids of items to ask again, in order. Up to `new` items of `pool` can follow, in the
    plan's order if there is a plan. `later` are items that the plan repeats early, and due ones that
    it is not about and that were not missed.
    """

    due: Sequence[str]
    new: int
    later: Sequence[str]
    pool: Sequence[Item]
    planned: NewToday | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a member's next question depends on, read in one transaction.

    `practice` is the requested or the running one, `asked` are its questions. `hidden` items, which
    include those set aside, must not be asked; `in_play` items have no public answer yet on some
    server. `new_today` counts new items that were already answered today.
    """

    user_id: int
    practice: Practice | None
    asked: Sequence[PracticeQuestion]
    known: Knowledge
    hidden: Collection[str]
    in_play: Collection[str]
    course: Course | None
    new_today: int

    @property
    def bank(self) -> Bank:
        return self.known.bank

    @property
    def todays_practice(self) -> Practice | None:
        """The practice, if it began today."""
        if (
            self.practice is None
            or local_date(self.known.zone, self.practice.started_at) != self.known.today
        ):
            return None
        return self.practice

    def _early(
        self,
        due: Sequence[str],
        topics: Collection[str],
        cards: Mapping[str, MemoryCard],
        asked: Collection[str],
    ) -> list[str]:
        """Return items of the plan that are nearly due; only in its last days there are such."""
        assert self.course is not None
        retention = self.course.retention(self.known.today)
        if retention == RETENTION:
            return []
        found = memory_rules.due_items(
            {i: c for i, c in cards.items() if self.bank.asked[i].topic_id in topics},
            self.known.zone,
            self.known.now,
            asked,
            self.hidden,
            retention=retention,
            model=self.known.model,
        )
        others = {*due, *asked}
        return [i for i in found if i not in others]

    def planned_day(self) -> PlannedDay | None:
        """Return what to record of the day of a member with a plan; None without a plan."""
        if self.course is None:
            return None
        return self.course.today(self.known, self.hidden)

    def candidates(
        self, topic_id: str | None, asked: Collection[str] = (), only: Sequence[str] = ()
    ) -> Candidates:
        """Return what can be asked after the items in `asked`: of a topic, or of those in `only`."""
        items = self.bank.asked
        if only:
            due = [i for i in only if i in items and i not in self.hidden and i not in asked]
            return Candidates(due=due, new=0, later=[], pool=[], planned=None)
        pool = [
            i for i in items.values() if topic_id in {None, i.topic_id} and i.id not in self.hidden
        ]
        unmet = sum(i.id not in self.known.cards for i in pool)
        planned = None
        allowed = max(0, rules.NEW_A_DAY - self.new_today)
        if self.course is not None:
            planned = self.course.new_today(self.known, self.hidden)
            allowed = planned.left
        cards = self.active_cards(topic_id)
        due = memory_rules.due_items(cards, self.known.zone, self.known.now, asked, self.hidden)
        later: list[str] = []
        if self.course is not None and topic_id is None:
            topics = self.course.topic_ids(self.bank)
            others = {i for i in due if items[i].topic_id not in topics and not cards[i].missed}
            later = [*self._early(due, topics, cards, asked), *(i for i in due if i in others)]
            due = [i for i in due if i not in others]
        return Candidates(
            due=due,
            new=min(unmet, allowed),
            later=later,
            pool=pool if unmet else [],
            planned=planned,
        )

    def active_cards(self, topic_id: str | None) -> Mapping[str, MemoryCard]:
        """Return the member's cards in a topic, without those of items set aside."""
        return {
            i: card
            for i, card in self.known.cards.items()
            if i not in self.known.set_aside and topic_id in {None, self.bank.asked[i].topic_id}
        }

    def next_in(self, topic_id: str | None) -> int | None:
        """Return in how many days the next card in a topic is due; None if there is no card."""
        cards = self.active_cards(topic_id).values()
        return min(
            (days_away(card, self.known.zone, self.known.now) for card in cards), default=None
        )

    def summary(self, practice: Practice) -> Summary:
        """Return the results of a practice."""
        given = [q for q in self.asked if q.answer is not None]
        candidates = self.candidates(practice.topic_id)
        cards = self.active_cards(practice.topic_id)
        met = {q.item_id for q in given} & cards.keys()
        days = Counter(days_away(cards[i], self.known.zone, self.known.now) for i in met)
        return Summary(
            topic_id=practice.topic_id,
            answered=len(given),
            right=sum(bool(q.correct) and not q.guessed for q in given),
            back=tuple(sorted(days.items())),
            left=len(candidates.due) + candidates.new + len(candidates.later),
            next_in=self.next_in(practice.topic_id),
        )


@dataclass(frozen=True, slots=True)
class NextQuestion:
    """The next step: an open `question`, a new one about `item`, or neither at the end.

    `left_out` is an open question that must not be asked any more.
    """

    candidates: Candidates
    answered: int
    length: int
    left_out: PracticeQuestion | None = None
    question: PracticeQuestion | None = None
    item: Item | None = None
    order: tuple[int, ...] = ()

    @property
    def ends(self) -> bool:
        """Whether the practice ends now, with no question left to store."""
        return self.question is None and self.item is None and self.left_out is None

    def asking(self, question: PracticeQuestion, *, instead: bool = False) -> Asking:
        """Return what to show once the question is stored."""
        assert self.item is not None
        due, new = rules.upcoming(
            self.answered,
            due=sum(
                item_id != question.item_id
                for item_id in (*self.candidates.due, *self.candidates.later)
            ),
            new=max(self.candidates.new - question.fresh, 0),
            length=self.length,
        )
        return Asking(
            question=question,
            item=self.item,
            order=self.order,
            number=self.answered + 1,
            due=due,
            new=new,
            instead=instead,
        )


def next_question(
    snapshot: Snapshot, topic_id: str | None, items: Sequence[str], rng: random.Random
) -> NextQuestion:
    """Choose what a practice asks next: the open question if it can be asked, else another item.

    The practice is about a topic, or only about `items` if there are any.
    """
    asked = snapshot.asked
    candidates = snapshot.candidates(topic_id, {q.item_id for q in asked}, items)
    answered = sum(q.answer is not None for q in asked)
    length = len(items) or rules.LENGTH
    question = asked[-1] if asked and asked[-1].is_open else None
    if question is not None:
        item = snapshot.bank.asked.get(question.item_id)
        if item is not None and item.id not in snapshot.hidden:
            order = decode_order(question.choice_order)
            return NextQuestion(
                candidates, answered, length, question=question, item=item, order=order
            )
    item = _choose_item(snapshot, candidates, rng) if answered < length else None
    order = shuffled(item, rng) if item else ()
    return NextQuestion(candidates, answered, length, left_out=question, item=item, order=order)


def _choose_item(snapshot: Snapshot, candidates: Candidates, rng: random.Random) -> Item | None:
    """Return the first due item, else a new one, else one that can wait; None if there is none."""
    if candidates.due:
        return snapshot.bank.asked[candidates.due[0]]
    new = _new_item(snapshot, candidates, rng) if candidates.new else None
    if new is None and candidates.later:
        return snapshot.bank.asked[candidates.later[0]]
    return new


def _new_item(snapshot: Snapshot, candidates: Candidates, rng: random.Random) -> Item | None:
    pool = candidates.pool
    if candidates.planned is not None:
        return rules.first_new(candidates.planned.order, {i.id for i in pool}, snapshot.in_play)
    return rules.draw_new(pool, snapshot.bank, snapshot.known.cards, snapshot.in_play, rng)
