"""Simulated members whose memory differs from what the default parameters of FSRS expect.

`python -m tests.memory.fitting_trial` simulates 48 members, fits parameters to 400 to 2,000 reviews
of each, and prints log losses: on the reviews that the fit held out, and on later ones. On average,
the parameters that members end up with must predict later answers better than the default ones.
"""

from __future__ import annotations

import math
import random
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import mean

from fsrs import Rating

from bot.memory.fitting import Fit, fit, log_loss
from bot.memory.progress import Knowledge
from bot.memory.rules import DEFAULT, MemoryCard, MemoryModel, recall, review
from bot.questions.model import Bank

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
    """A kind of member. Their recall is that of their true model, raised to a power."""

    model: MemoryModel
    power: float = 1.0


KINDS = {
    "as FSRS expects": Kind(DEFAULT),
    "forgets twice as fast": Kind(DEFAULT, power=2),
    "forgets half as fast": Kind(DEFAULT, power=0.5),
    "half the stability at first and after a miss": Kind(changed(*stabilities(0.5))),
    "twice the stability at first and after a miss": Kind(changed(*stabilities(2))),
    "gains half as much by a review": Kind(changed((8, 0.63))),
    "a steeper forgetting curve": Kind(changed((20, 4))),
    "forgets four times as fast": Kind(DEFAULT, power=4),
}
SIZES = 400, 1000, 2000
"""Reviews at the fit. A third as many follow, to see how good the parameters are."""


def simulate(kind: Kind, reviews: int, seed: int) -> Reviews:
    """Return the reviews of a member who practises on most days, as default FSRS schedules."""
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
        queue = deque(Knowledge(Bank("", ()), planned, set(), "UTC", now).due()[:40])
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


@dataclass(frozen=True)
class Trial:
    """A member's fit, and the log losses on later reviews: default, what they end up with, true."""

    kind: str
    reviews: int
    fit: Fit
    default: float
    own: float
    true: float


def trial(kind: str, reviews: int, seed: int) -> Trial:
    """Fit parameters to a simulated member, and see how well they predict later answers."""
    history = simulate(KINDS[kind], reviews * 4 // 3, seed)
    later = sorted(at for log in history.values() for _, at in log)[reviews]
    past = {
        item_id: earlier
        for item_id, log in history.items()
        if (earlier := [each for each in log if each[1] < later])
    }
    found = fit(past)
    own = DEFAULT if found.parameters is None else MemoryModel(found.parameters)

    def loss(model: MemoryModel) -> float:
        result = log_loss(history, model, later)
        assert result is not None
        return result

    true = loss(KINDS[kind].model) if KINDS[kind].power == 1 else math.nan
    return Trial(kind, reviews, found, loss(DEFAULT), loss(own), true)


def show(name: str, trials: Sequence[Trial]) -> None:
    """Print the mean losses of some members in one line."""
    tried = [t.fit for t in trials if t.fit.loss_before is not None]
    before = mean(f.loss_before or 0 for f in tried)
    after = mean(f.loss_after or 0 for f in tried)
    default = mean(t.default for t in trials)
    own = mean(t.own for t in trials)
    true = mean(t.true for t in trials)
    best = "" if math.isnan(true) else f", true {true:.4f}"
    kept = sum(t.fit.parameters is not None for t in trials)
    print(
        f"{name:46} {kept:3} of {len(trials):3} keep theirs; held out {before:.4f} -> {after:.4f}; "
        f"later {default:.4f} -> {own:.4f} ({100 * (own / default - 1):+5.1f} %){best}"
    )


def main(members: int) -> None:
    trials = [
        trial(kind, reviews, seed)
        for seed in range(members // len(KINDS) // len(SIZES))
        for kind in KINDS
        for reviews in SIZES
    ]
    for kind in KINDS:
        show(kind, [t for t in trials if t.kind == kind])
    for reviews in SIZES:
        show(f"{reviews} reviews", [t for t in trials if t.reviews == reviews])
    show("all", trials)
    if mean(t.own for t in trials) >= mean(t.default for t in trials):
        sys.exit("that is not better than the default parameters")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 48)
