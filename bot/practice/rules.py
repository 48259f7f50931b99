"""What a practice asks next."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fsrs import Rating

from bot.memory.rules import MemoryCard
from bot.questions.drawing import draw
from bot.questions.model import Item

NEW_A_DAY = 20  # items that a member meets for the first time in practice on one local date
LENGTH = 20  # answers in one practice; who has more before them can begin another


def ahead(answered: int, due: int, new: int, length: int = LENGTH) -> tuple[int, int]:
    """How many due and new items can still follow the open question of a practice with so many answers."""
    room = max(length - answered - 1, 0)
    due = min(due, room)
    return due, min(new, room - due)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer in practice. `fresh`: the member met the item with it; `elapsed_ms`: how long they took."""

    item_id: str
    at: datetime
    fresh: bool
    rating: Rating
    elapsed_ms: int | None


@dataclass(frozen=True, slots=True)
class NewToday:
    """How many new items a member's plan still brings today, and all that they never met, in its order, told once."""

    left: int
    order: Iterator[Item]


def first_new(
    order: Iterable[Item], pool: Collection[str], in_play: Collection[str]
) -> Item | None:
    """The first item of an order that can be asked; one that is in play on some server only when no other is left."""
    later = None
    for item in order:
        if item.id in pool:
            if item.id not in in_play:
                return item
            later = later or item
    return later


def draw_new(
    pool: Sequence[Item],
    cards: Mapping[str, MemoryCard],
    in_play: Collection[str],
    rng: random.Random,
) -> Item | None:
    """An item that the member has not met, from the topic that they met longest ago; None if there is none.

    One that is in play on some server is drawn only when no other is left.
    """
    met = {item_id: card.last_review_at for item_id, card in cards.items()}
    return _unmet((i for i in pool if i.id not in in_play), met, rng) or _unmet(pool, met, rng)


def _unmet(pool: Iterable[Item], met: Mapping[str, datetime], rng: random.Random) -> Item | None:
    drawn = draw(pool, met, 1, rng)
    return drawn[0] if drawn and drawn[0].id not in met else None
