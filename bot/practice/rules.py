"""Practices and their questions, and the choice of new items."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from fsrs import Rating
from msgspec import Struct

from bot.memory.progress import Knowledge
from bot.questions.model import Item

NEW_A_DAY = 20  # new items on one local date for a member without a plan
LENGTH = 20  # answers in one practice


class Practice(Struct, frozen=True):
    """A member's practice, a row of `practices`."""

    id: int
    user_id: int
    topic_id: str | None
    item_ids: str | None
    started_at: datetime
    ended_at: datetime | None

    @property
    def items(self) -> Sequence[str]:
        """The only items it asks, by id; empty for a practice of due and new items."""
        return (self.item_ids or "").split()


class PracticeQuestion(Struct, frozen=True):
    """A row of `practice_questions` with its answer from the log, if there is one."""

    id: int
    practice_id: int
    number: int
    item_id: str
    choice_order: str
    fresh: bool
    asked_at: datetime
    left_out_at: datetime | None = None
    answer: str | None = None
    correct: bool | None = None
    answered_at: datetime | None = None
    rating: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can still be answered."""
        return self.answer is None and self.left_out_at is None

    @property
    def guessed(self) -> bool:
        """Whether the answer was right, but the member said that it was a guess."""
        return bool(self.correct) and self.rating == Rating.Again


class Answered(Struct, frozen=True):
    """An answer in practice; `fresh` if the item was new to the member."""

    item_id: str
    at: datetime
    fresh: bool
    rating: Rating


class PlannedDay(Struct, frozen=True):
    """A recorded day of a member's plan.

    `ready` is their readiness in tenths of a percent, and `share` the number of questions that the
    plan asks for that day, those already done included.
    """

    day: date
    ready: int
    share: int


_TOPICS_TO_CHOOSE_FROM = 10


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
    ability = known.ability()
    return min(
        (item for item in new if item.topic_id in chosen),
        key=lambda item: ability.distance_from_best(item, known.bank.topic_of(item).section_id),
    )
