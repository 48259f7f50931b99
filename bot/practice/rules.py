"""The next question of a practice, or its end, decided from a snapshot.

A practice asks items for the first time, in the order of `bot.memory.gain`; then what was missed once
more; then it is over.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property

from fsrs import Rating
from msgspec import Struct
from msgspec.structs import replace

from bot.core.calendar import local_date
from bot.memory import gain
from bot.memory.model import Practised, Today
from bot.memory.progress import Knowledge
from bot.memory.rules import review
from bot.memory.today import FIRST_QUESTIONS, ONCE_MORE, DayFacts, comes_again, today
from bot.plan.checks import check_place, todays_check
from bot.plan.model import PlannedDay
from bot.plan.rules import goal_topics, planned_day
from bot.practice.model import (
    Asking,
    Finished,
    Kind,
    Practice,
    PracticeQuestion,
    Unjudged,
)
from bot.questions.answers import decode_order
from bot.questions.drawing import shuffled
from bot.questions.model import Bank, Item

TRIAL_QUESTIONS = 3
_EASY = 2
"""The hardest level of what a trial asks first."""
_NEWCOMER = 5
"""Whoever has met fewer items than this gets the easiest, of topics that interviews ask most."""


class Snapshot(Struct, frozen=True, dict=True):
    """All that a member's next question depends on, read in one transaction.

    `practice` is the requested or the running one, `asked` are its questions. `in_play` items have
    no public answer yet on some server.
    """

    user_id: int
    practice: Practice | None
    asked: Sequence[PracticeQuestion]
    facts: DayFacts
    in_play: Collection[str]

    @property
    def known(self) -> Knowledge:
        return self.facts.known

    @property
    def bank(self) -> Bank:
        return self.known.bank

    @cached_property
    def today(self) -> Today:
        return today(self.facts)

    @property
    def todays_practice(self) -> Practice | None:
        """The practice, if it began today."""
        practice, known = self.practice, self.known
        if practice is None or local_date(known.zone, practice.started_at) != known.today:
            return None
        return practice


class Wanted(Struct, frozen=True):
    """The kind of a practice, with its topic or the only items that it asks."""

    kind: str = Kind.DAY
    topic_id: str | None = None
    items: Sequence[str] = ()


class NextStep(Struct, frozen=True):
    """All that a step of a practice stores, and shows: the question that it asks, or else `over`.

    The running practice `ends`; one that is `begun` takes its place. The question `left_out` must
    not be asked any more. `question` is already open, another one about `item` is new, with what is
    `expected` of the answer if the member has never met it. `day` is recorded for the plan.
    """

    over: Finished | None = None
    ends: bool = False
    begun: Wanted | None = None
    left_out: PracticeQuestion | None = None
    question: PracticeQuestion | None = None
    item: Item | None = None
    order: tuple[int, ...] = ()
    expected: int | None = None
    once_more: bool = False
    ends_day: bool = False
    number: int = 1
    total: int = 1
    check: tuple[int, int] | None = None
    missed: bool = False
    unjudged: Unjudged | None = None
    day: PlannedDay | None = None

    def asking(self, practice: Practice, question: PracticeQuestion) -> Asking:
        """Return what to show once the step is stored, with its question."""
        assert self.item is not None
        return Asking(
            practice=practice,
            question=question,
            item=self.item,
            order=self.order,
            number=self.number,
            total=self.total,
            unjudged=self.unjudged,
            check=self.check,
            missed=self.missed,
        )


def begin(snapshot: Snapshot, wanted: Wanted, rng: random.Random) -> NextStep:
    """End the running practice, and begin another one."""
    step = _ask(snapshot, wanted, (), rng)
    running = snapshot.practice is not None
    if step.item is None:
        return NextStep(Finished(snapshot.today, wanted.kind, wanted.topic_id), ends=running)
    return replace(step, ends=running, begun=wanted, day=_planned_day(snapshot))


def ask_next(
    snapshot: Snapshot, practice: Practice, rng: random.Random, unjudged: Unjudged | None = None
) -> NextStep:
    """Ask the next question of a practice, or end it; `unjudged` tells what became of an answer.

    One for the day that began on an earlier date gives way to today's.
    """
    if practice.kind in {Kind.DAY, Kind.MORE} and snapshot.todays_practice is None:
        is_done = snapshot.asked[-1].ended_day
        return end(snapshot, practice) if is_done else begin(snapshot, Wanted(), rng)
    step = _ask(snapshot, practice, snapshot.asked, rng)
    if step.item is None:
        return replace(end(snapshot, practice), left_out=step.left_out)
    return replace(step, unjudged=unjudged)


def end(snapshot: Snapshot, practice: Practice) -> NextStep:
    """Show how a practice went, and end it if it is running."""
    answered = _answered(snapshot.asked)
    right = sum(not misses[0] for misses in answered.values())
    over = Finished(snapshot.today, practice.kind, practice.topic_id, len(answered), right)
    if practice.ended_at is not None:
        return NextStep(over)
    return NextStep(over, ends=True, day=_planned_day(snapshot))


def _planned_day(snapshot: Snapshot) -> PlannedDay | None:
    """Return what to record of the day of a member with a plan; None without a plan."""
    plan = snapshot.facts.plan
    return None if plan is None else planned_day(plan, snapshot.known)


def _answered(asked: Iterable[PracticeQuestion]) -> dict[str, list[bool]]:
    """Return the items that were answered, in order: whether each answer was a miss."""
    found: dict[str, list[bool]] = {}
    for question in asked:
        if question.answer is not None:
            found.setdefault(question.item_id, []).append(question.missed)
    return found


def _ask(
    snapshot: Snapshot,
    wanted: Wanted | Practice,
    asked: Sequence[PracticeQuestion],
    rng: random.Random,
) -> NextStep:
    """Choose what comes after some questions: the open one or, if it has changed, its item as it is
    now; else another item.
    """
    known, day = snapshot.known, snapshot.today
    answered = _answered(asked)
    candidates = _candidates(snapshot, wanted, answered)
    if wanted.kind == Kind.DAY:
        done, room, again = day.done, day.ahead, day.again
    else:
        size = len(wanted.items) or day.limit or FIRST_QUESTIONS
        done, room = len(answered), size - len(answered)
        again = comes_again(known, answered, ONCE_MORE if wanted.kind == Kind.MORE else done)
    room = min(room, len(candidates))
    question = asked[-1] if asked and asked[-1].is_open else None
    item = None
    if question is not None and known.can_ask(question.item_id):
        item = snapshot.bank.asked[question.item_id]
    once_more = question is not None and question.once_more
    left_out = None
    if question is not None and (item is None or item.mark != question.item_mark):
        # its card has buttons for other words; a changed item is asked on a new one
        left_out, question = question, None
    if item is None:
        once_more = False
        if room > 0 and wanted.kind == Kind.DAY:
            item = todays_check(snapshot.facts, snapshot.in_play)
        if room > 0 and item is None:
            item = _choose_item(snapshot, wanted, candidates, rng)
    if item is None and again:
        item, once_more = snapshot.bank.asked[again[0]], True
    if item is None:
        return NextStep(left_out=left_out)
    return NextStep(
        left_out=left_out,
        question=question,
        item=item,
        order=decode_order(question.choice_order) if question else shuffled(item, rng),
        expected=None if item.id in known.cards else round(1000 * known.expects(item)),
        once_more=once_more,
        ends_day=_ends_day(snapshot, item.id),
        number=done + 1,
        total=max(len(again), 1) if once_more else done + max(room, 1),
        check=check_place(snapshot.facts.plan, known, item.id),
        missed=known.missed_earlier(item.id),
    )


def _ends_day(snapshot: Snapshot, item_id: str) -> bool:
    """Return whether nothing more of the day is to do once an item is answered right."""
    if not snapshot.today.to_do or snapshot.today.ahead > 1:
        return False
    facts, known = snapshot.facts, snapshot.known
    card = review(known.cards.get(item_id), Rating.Good, known.now)
    after = replace(known, cards={**known.cards, item_id: card})
    answers = [*facts.practised, Practised(known.now, item_id, missed=False)]
    return not today(replace(facts, known=after, practised=answers)).to_do


def _candidates(
    snapshot: Snapshot, wanted: Wanted | Practice, answered: Collection[str]
) -> Sequence[Item]:
    """Return the items that a practice can ask for the first time."""
    known, plan = snapshot.known, snapshot.facts.plan
    items = snapshot.bank.asked
    if wanted.items:
        return [items[i] for i in wanted.items if known.can_ask(i) and i not in answered]
    may_ask = set(known.repeats())
    if wanted.kind != Kind.DAY or plan is None or plan.day != known.today:
        may_ask |= known.unmet
    return [
        item
        for item in items.values()
        if wanted.topic_id in {None, item.topic_id}
        and item.id not in answered
        and item.id in may_ask
    ]


def _choose_item(
    snapshot: Snapshot, wanted: Wanted | Practice, candidates: Sequence[Item], rng: random.Random
) -> Item:
    """Return the one of some items to ask next.

    On a day those come first that an open answer brings back, then one missed on an earlier day.
    """
    known, facts = snapshot.known, snapshot.facts
    if wanted.items:
        return candidates[0]
    days = gain.DAYS if facts.plan is None else (facts.plan.day - known.today).days
    is_day = wanted.kind == Kind.DAY
    if is_day and known.recalled:
        recalled = [item for item in candidates if known.comes_first(item.id)]
        if recalled:
            return gain.choose(known, recalled, days, rng)
    if facts.plan is not None and wanted.topic_id is None:
        goal = {topic.id for topic in goal_topics(known.bank, facts.plan)}
        candidates = [item for item in candidates if item.topic_id in goal] or candidates
    missed = [item for item in candidates if known.missed_earlier(item.id)]
    if is_day and missed and not any(facts.missed_before.values()):
        return gain.choose(known, missed, days, rng)
    # those in play on some server, and the checks of other days, only if no other is left
    others = {*snapshot.in_play, *(facts.plan.checks if facts.plan else ())}
    candidates = [i for i in candidates if i.id not in others or i.id in known.cards] or candidates
    if len(known.cards) < _NEWCOMER:
        return _for_newcomer(known, candidates, rng)
    return gain.choose(known, candidates, days, rng)


def _for_newcomer(known: Knowledge, items: Sequence[Item], rng: random.Random) -> Item:
    """Return one of the easiest items, of a topic that interviews ask most and they have not met."""
    met = {known.bank.asked[item_id].topic_id for item_id in known.cards}

    def rank(item: Item) -> tuple[bool, int, bool, int]:
        is_new, topic = item.id not in known.cards, known.bank.topics[item.topic_id]
        return is_new, -item.difficulty, topic.id not in met, topic.weight

    return max(rng.sample(items, len(items)), key=rank)


def trial_items(snapshot: Snapshot, rng: random.Random) -> list[str]:
    """Return items that a member has never met: easy ones first, of several topics, and asked much."""
    known, bank = snapshot.known, snapshot.bank
    found = [
        item
        for item in bank.asked.values()
        if item.kind == "choice" and item.id in known.unmet and item.id not in snapshot.in_play
    ]
    rng.shuffle(found)
    found.sort(key=lambda item: (item.difficulty, -bank.topic_of(item).weight))
    firsts = {item.topic_id: item.id for item in reversed(found)}.values()
    found.sort(key=lambda item: (item.difficulty > _EASY, item.id not in firsts))
    return [item.id for item in found[:TRIAL_QUESTIONS]]
