"""Which question a day gets."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import date
from typing import TypeVar

from bot.questions.model import Item, Topic

POINTS = 100
"""For a right first answer, whenever it comes."""
OPEN_EVERY = 3
"""Days from one open question to the next where kinds are mixed."""
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 48, 23


Asked = TypeVar("Asked", Item, Topic)


def asks_openly(kind: str, day: date) -> bool:
    """Whether a day's question is an open one: always for kind open, every third date for kind mixed."""
    return kind == "open" or (kind == "mixed" and day.toordinal() % OPEN_EVERY == 0)


def pick(pool: Sequence[Asked], used: Mapping[str, date], rng: random.Random) -> Asked:
    """An item or topic that was no daily yet, at random; when all were, one of those whose turn is longest ago.

    `used`: id -> local date on which it last was the server's daily. The pool must not be empty.
    """
    oldest = min(used.get(one.id, date.min) for one in pool)
    return rng.choice([one for one in pool if used.get(one.id, date.min) == oldest])
