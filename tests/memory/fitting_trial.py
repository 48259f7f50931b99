"""Simulated members whose memory differs from what the default parameters of FSRS expect.

`python -m tests.memory.fitting_trial` simulates 60, fits parameters to each, and prints log losses
on reviews that the fit has not seen. The fitted parameters must be better for those who differ, and
may hardly be worse for those who don't.
"""

from __future__ import annotations

import random
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import mean

from fsrs import Rating

from bot.memory.fitting import Fit, History, first_held_out, fit, log_loss
from bot.memory.rules import (
    DEFAULT,
    STEPS,
    MemoryCard,
    MemoryModel,
    due_items,
    readiness,
    recall,
    review,
)

START = datetime(2027, 1, 4, 18, tzinfo=UTC)
Reviews = dict[str, list[tuple[Rating, datetime]]]


def changed(*factors: tuple[int, float]) -> MemoryModel:
    """Return the default model with some parameters, named by their number, multiplied."""
    parameters = list(DEFAULT.parameters)
    for number, factor in factors:
        parameters[number] *= factor
    return MemoryModel(tuple(parameters))


def stabilities(factor: float) -> tuple[tuple[int, float], ...]:
    """Return factors for the stability after a first answer and after a lapse."""
    return tuple((number, factor) for number in (0, 1, 2, 3, 11))


@dataclass(frozen=True)
class Kind:
    """A kind of member: their true model, and the power to which its recall is raised."""

    model: MemoryModel
    power: float = 1.0


KINDS = {
    "as FSRS expects": Kind(DEFAULT),
    "forgets twice as fast": Kind(changed(*stabilities(0.5))),
    "forgets half as fast": Kind(changed(*stabilities(2))),
    "gains half as much by a review": Kind(changed((8, 0.63))),
    "forgets nearly everything in time": Kind(changed((20, 4))),
    "recall squared, which FSRS can't express": Kind(DEFAULT, power=2),
}


def simulate(kind: Kind, reviews: int, seed: int) -> Reviews:
    """Return the reviews of a member who practises most days and whom default FSRS schedules."""
    rng = random.Random(seed)
    first = rng.uniform(0.4, 0.8)
    log: Reviews = {}
    planned: dict[str, MemoryCard] = {}
    true: dict[str, MemoryCard] = {}
    now = START
    total = 0

    def answer(item_id: str) -> bool:
        known = true.get(item_id)
        chance = first if known is None else recall(known, now, kind.model) ** kind.power
        right = rng.random() < chance
        rating = Rating.Again if not right else rng.choices([Rating.Hard, Rating.Good], [1, 4])[0]
        log.setdefault(item_id, []).append((rating, now))
        planned[item_id] = review(planned.get(item_id), rating, now)
        true[item_id] = review(known, rating, now, kind.model)
        return right

    for day in range(10_000):
        if rng.random() < 0.2:
            continue
        now = START + timedelta(days=day, hours=rng.uniform(-3, 3))
        queue = deque(due_items(planned, "UTC", now)[:40])
        queue.extend(f"item-{len(planned) + n}" for n in range(8))
        while queue:
            item_id = queue.popleft()
            if not answer(item_id):
                queue.append(item_id)
            now += timedelta(seconds=40)
            total += 1
            if total == reviews:
                return log
    raise AssertionError("this member answers too little")
