"""What a practice asks next."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from bot.memory.rules import MemoryCard, is_due
from bot.questions.model import Item
from bot.rounds.rules import draw

NEW_A_DAY = 20
"""So many items a member meets for the first time in practice on one local date."""


def due(
    cards: Mapping[str, MemoryCard], zone: str, now: datetime, asked: Collection[str] = (), hidden: Collection[str] = ()
) -> list[str]:
    """Items to ask again today, in this order: missed ones first, then the longest due.

    `asked` are those that this practice has asked already: a miss among them waits for its ten minutes. `hidden` are
    those that must not be asked now.
    """
    found = [
        (not card.missed, card.due_at, item_id)
        for item_id, card in cards.items()
        if item_id not in hidden and is_due(card, zone, now) and not (item_id in asked and card.due_at > now)
    ]
    return [item_id for _, _, item_id in sorted(found)]


def draw_new(
    pool: Sequence[Item], cards: Mapping[str, MemoryCard], in_play: Collection[str], rng: random.Random
) -> Item | None:
    """An item that the member has not met, from the topic that they met longest ago; None if there is none.

    One that is in play on some server is drawn only when no other is left.
    """
    met = {item_id: card.last_review_at for item_id, card in cards.items()}
    return _unmet((i for i in pool if i.id not in in_play), met, rng) or _unmet(pool, met, rng)


def _unmet(pool: Iterable[Item], met: Mapping[str, datetime], rng: random.Random) -> Item | None:
    drawn = draw(pool, met, 1, rng)
    return drawn[0] if drawn and drawn[0].id not in met else None
