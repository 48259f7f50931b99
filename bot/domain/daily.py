"""Which question a day gets."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date

from bot.domain.questions import Item

POINTS = 100
"""For a right first answer, whenever it comes."""
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 48, 23


def pick(pool: Sequence[Item], used: Mapping[str, date], rng: random.Random) -> Item:
    """An item that was no daily yet, at random; when all were, one of those whose turn is longest ago.

    `used`: item id -> local date on which it last was the server's daily. The pool must not be empty.
    """
    oldest = min(used.get(item.id, date.min) for item in pool)
    return rng.choice([item for item in pool if used.get(item.id, date.min) == oldest])
