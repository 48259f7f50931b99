"""The next question of a practice, chosen from a snapshot: due items first, then new ones."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from bot.core.calendar import local_date
from bot.memory.model import MemoryCard
from bot.memory.progress import Knowledge
from bot.memory.rules import days_away
from bot.plan.model import PlannedDay
from bot.plan.rules import FollowedPlan
from bot.practice.model import Asking, Nothing, Practice, PracticeQuestion, Summary, Unjudged
from bot.questions.answers import decode_order
from bot.questions.drawing import shuffled
from bot.questions.model import Bank, Item

NEW_A_DAY = 20
"""New items on one local date for a member without a plan."""
LENGTH = 20
"""Answers in one practice."""
_TOPICS_TO_CHOOSE_FROM = 10


class Candidates(Struct, frozen=True):
    """The items that a practice can ask now.

    `due` are ids of items to ask again, in order. Up to `new` of the `unmet` items can follow, and
    then those in `later`.
    """

    due: Sequence[str]
    new: int = 0
    later: Sequence[str] = ()
    unmet: Sequence[Item] = ()


class Snapshot(Struct, frozen=True):
    """All that a member's next question depends on, read in one transaction.

    `practice` is the requested or the running one, `asked` are its questions. `in_play` items have
    no public answer yet on some server. `new_today` counts new items that were already answered
    today.
    """

    user_id: int
    practice: Practice | None
    asked: Sequence[PracticeQuestion]
    known: Knowledge
    in_play: Collection[str]
    plan: FollowedPlan | None
    new_today: int

    @property
    def bank(self) -> Bank:
        return self.known.bank

    @property
    def todays_practice(self) -> Practice | None:
        """The practice, if it began today."""
        practice, known = self.practice, self.known
        if practice is None or local_date(known.zone, practice.started_at) != known.today:
            return None
        return practice

    def planned_day(self) -> PlannedDay | None:
        """Return what to record of the day of a member with a plan; None without a plan."""
        return None if self.plan is None else self.plan.today(self.known)

    def candidates(
        self, topic_id: str | None, asked: Collection[str] = (), only: Sequence[str] = ()
    ) -> Candidates:
        """Return what can be asked after the items in `asked`: of a topic, or of those in `only`."""
        items, known = self.bank.asked, self.known
        if only:
            return Candidates(
                [i for i in only if i in items and known.may_ask(i) and i not in asked]
            )
        unmet = [
            item
            for item in items.values()
            if topic_id in {None, item.topic_id}
            and item.id not in known.cards
            and known.may_ask(item.id)
        ]
        due = [i for i in known.due(asked) if topic_id in {None, items[i].topic_id}]
        if self.plan is None:
            return Candidates(due, min(len(unmet), max(0, NEW_A_DAY - self.new_today)), (), unmet)
        later: list[str] = []
        if topic_id is None:
            due, later = self.plan.split_due(known, due)
        return Candidates(due, min(len(unmet), self.plan.share(known).new), later, unmet)

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


class NextStep(Struct, frozen=True):
    """All that a step of a practice stores, and shows: the question that it asks, or else `last`.

    The running practice `ends`; one about a topic or only `items` `begins`; the question `left_out`
    must not be asked any more. `question` is already open, another one about `item` is new; it is the
    `number`-th, and up to `due` and `new` items can follow it. `day` is recorded for the plan.
    """

    last: Summary | Nothing | None = None
    ends: bool = False
    begins: bool = False
    topic_id: str | None = None
    items: Sequence[str] = ()
    left_out: PracticeQuestion | None = None
    question: PracticeQuestion | None = None
    item: Item | None = None
    order: tuple[int, ...] = ()
    number: int = 1
    due: int = 0
    new: int = 0
    unjudged: Unjudged | None = None
    day: PlannedDay | None = None

    def screen(self, question: PracticeQuestion | None) -> Asking | Summary | Nothing:
        """Return what to show once the step is stored, with its question."""
        if question is None or self.item is None:
            assert self.last is not None
            return self.last
        return Asking(
            question, self.item, self.order, self.number, self.due, self.new, self.unjudged
        )


def begin(
    snapshot: Snapshot, topic_id: str | None, items: Sequence[str], rng: random.Random
) -> NextStep:
    """End the running practice, and begin one: about a topic, or only about `items`."""
    step = _ask(snapshot, topic_id, items, (), rng)
    running = snapshot.practice is not None
    if step.item is None:
        nothing = Nothing(
            topic_id,
            next_in=snapshot.next_in(topic_id),
            more_tomorrow=bool(snapshot.candidates(topic_id, only=items).unmet),
            planned=snapshot.plan is not None,
        )
        return NextStep(last=nothing, ends=running)
    day = None if items else snapshot.planned_day()
    return replace(step, ends=running, begins=True, topic_id=topic_id, items=items, day=day)


def ask_next(
    snapshot: Snapshot, practice: Practice, rng: random.Random, unjudged: Unjudged | None = None
) -> NextStep:
    """Ask the next question of a practice, or end it; `unjudged` tells what became of an answer."""
    step = _ask(snapshot, practice.topic_id, practice.items, snapshot.asked, rng)
    if step.item is None:
        return replace(end(snapshot, practice), left_out=step.left_out)
    return replace(step, unjudged=unjudged)


def end(snapshot: Snapshot, practice: Practice) -> NextStep:
    """Show the summary of a practice, and end it if it is running."""
    summary = snapshot.summary(practice)
    if practice.ended_at is not None:
        return NextStep(last=summary)
    return NextStep(last=summary, ends=True, day=snapshot.planned_day())


def _ask(
    snapshot: Snapshot,
    topic_id: str | None,
    items: Sequence[str],
    asked: Sequence[PracticeQuestion],
    rng: random.Random,
) -> NextStep:
    """Choose what comes after some questions: the open one or, if it has changed, its item as it is
    now; else another item.
    """
    bank, known = snapshot.bank, snapshot.known
    candidates = snapshot.candidates(topic_id, {q.item_id for q in asked}, items)
    answered = sum(q.answer is not None for q in asked)
    room = (len(items) or LENGTH) - answered
    question = asked[-1] if asked and asked[-1].is_open else None
    item = bank.asked.get(question.item_id) if question is not None else None
    if item is not None and not known.may_ask(item.id):
        item = None
    left_out = None
    if question is not None and (item is None or item.mark != question.item_mark):
        # its card has buttons for other words; a changed item is asked on a new one
        left_out, question = question, None
    if item is None:
        item = _choose_item(snapshot, candidates, rng) if room > 0 else None
        if item is None:
            return NextStep(left_out=left_out)
    waiting = {*candidates.due, *candidates.later} - {item.id}
    due = min(len(waiting), max(room - 1, 0))
    new = candidates.new - (item.id not in known.cards)
    return NextStep(
        left_out=left_out,
        question=question,
        item=item,
        order=decode_order(question.choice_order) if question else shuffled(item, rng),
        number=answered + 1,
        due=due,
        new=max(min(new, room - 1 - due), 0),
    )


def _choose_item(snapshot: Snapshot, candidates: Candidates, rng: random.Random) -> Item | None:
    """Return the first due item, else a new one, else one that can wait; None if there is none."""
    items = snapshot.bank.asked
    if candidates.due:
        return items[candidates.due[0]]
    new = None
    if candidates.new and snapshot.plan is None:
        new = draw_new(candidates.unmet, snapshot.known, snapshot.in_play, rng)
    elif candidates.new and snapshot.plan is not None:
        order = snapshot.plan.new_items(snapshot.known)
        new = first_new(order, {item.id for item in candidates.unmet}, snapshot.in_play)
    if new is None and candidates.later:
        return items[candidates.later[0]]
    return new


def first_new(
    order: Iterable[Item], pool: Collection[str], in_play: Collection[str]
) -> Item | None:
    """Return the first item of `order` that is in the pool; one in play only if no other is left."""
    fallback = None
    for item in order:
        if item.id in pool:
            if item.id not in in_play:
                return item
            fallback = fallback or item
    return fallback


def draw_new(
    new: Sequence[Item], known: Knowledge, in_play: Collection[str], rng: random.Random
) -> Item:
    """Draw one of some items that are new to a member.

    Of the topics that they have never met, or else those met longest ago, it is the item that suits
    their ability best. An item in play on some server is drawn only if no other is left.
    """
    new = [item for item in new if item.id not in in_play] or list(new)
    met: dict[str, datetime] = {}
    for item_id, card in known.cards.items():
        topic_id = known.bank.asked[item_id].topic_id
        met[topic_id] = max(met.get(topic_id, card.last_review_at), card.last_review_at)
    topics = sorted({item.topic_id for item in new})
    rng.shuffle(topics)
    never = [topic_id for topic_id in topics if topic_id not in met]
    topics = never or sorted(topics, key=met.__getitem__)[: -(-len(topics) // 2)]
    chosen = set(topics[:_TOPICS_TO_CHOOSE_FROM])
    rng.shuffle(new)
    return min(
        (item for item in new if item.topic_id in chosen),
        key=lambda item: known.ability.distance_from_best(
            item, known.bank.topic_of(item).section_id
        ),
    )
