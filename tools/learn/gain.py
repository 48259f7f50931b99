"""The knowledge that an order of practice brings in equal minutes: of questions never asked, and of others."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist, mean, stdev
from typing import NamedTuple

from tools.learn.driver import Ours
from tools.learn.orders import EVENING, ORDERS, MakeOrder, Member, Scenario
from tools.learn.truths import Learner, Simulated, truth
from tools.learn.world import Traits, World, world

LATER = 30
"""Days after the last one."""


ALL_ORDERS: dict[str, MakeOrder] = {"ours": Ours, **ORDERS}


class Gain(NamedTuple):
    """The gain of a learner, in points: the mean over topics of the share of items known.

    `held` is about held-out items, on the last day and `LATER`; `weighted` by how often interviews
    ask about a topic. `asked` is about all items that may be asked.
    """

    held: float
    weighted: float
    asked: float
    held_later: float
    asked_later: float
    minutes: float
    met: float


class Job(NamedTuple):
    truth: str
    scenario: Scenario
    order: str
    seed: int


def gain(job: Job) -> Gain | None:
    """Let a learner practise; None if this truth has no such order."""
    scenario, place = job.scenario, world(job.scenario.sections)
    # learners of seeds that follow each other are spread evenly
    spread = (0.5 + 0.618034 * job.seed) % 1
    traits = Traits(NormalDist(scenario.ability, 0.8).inv_cdf(min(max(spread, 0.01), 0.99)))
    learner = truth(job.truth)(place, traits, job.seed)
    if job.order == "oracle" and not isinstance(learner, Simulated):
        return None
    order = ALL_ORDERS[job.order](place, learner, scenario, job.seed)
    member = Member(learner, traits, order, job.seed)
    before = _shares(place, learner, EVENING)
    for day in range(scenario.days):
        member.practise(day, scenario.minutes)
    then = _shares(place, learner, scenario.days + EVENING)
    later = _shares(place, learner, scenario.days + LATER + EVENING)
    weights = [topic.weight for topic in place.full.asked_topics.values()]

    def won(after: Sequence[tuple[float, float]], what: int) -> list[float]:
        return [100 * (new[what] - old[what]) for old, new in zip(before, after, strict=True)]

    held = won(then, 0)
    weighted = sum(w * g for w, g in zip(weights, held, strict=True)) / sum(weights)
    return Gain(
        mean(held),
        weighted,
        mean(won(then, 1)),
        mean(won(later, 0)),
        mean(won(later, 1)),
        member.minutes,
        100 * len(set(member.asked)) / len(place.pool.asked),
    )


def _shares(place: World, learner: Learner, day: float) -> list[tuple[float, float]]:
    """Return the shares known of each topic's held-out items and of the others."""
    found = []
    for topic_id, held in place.heldmask.items():
        known = [float(p) for p in learner.p(topic_id, day)]
        found.append(
            (
                mean(p for p, out in zip(known, held, strict=True) if out),
                mean(p for p, out in zip(known, held, strict=True) if not out),
            )
        )
    return found


def table(scenario: Scenario, gains: dict[str, list[Gain]]) -> str:
    """Show one scenario in one truth: each order, compared with the shuffled one by the same learners."""
    lines = [
        scenario.name,
        f"{'held-out':>21}{'- shuffled':>13}{'× shuffled':>13}{'× oracle':>11}{'weighted':>11}"
        f"{'asked':>8}   in {LATER} days:{'held-out':>10}{'asked':>8}{'met':>7}{'minutes':>10}",
    ]
    base = [g.held for g in gains["shuffled"]]
    best = [g.held for g in gains["oracle"]]
    for order, rows in gains.items():
        if rows:
            held = [g.held for g in rows]
            more = [mine - other for mine, other in zip(held, base, strict=True)]
            means = Gain(*map(mean, zip(*rows, strict=True)))
            lines.append(
                f"  {order:<9}{means.held:5.1f} ± {error(held):3.1f}"
                f"{mean(more):+7.1f} ± {error(more):3.1f}{ratio(held, base):>12}{ratio(held, best):>11}"
                f"{means.weighted:11.1f}{means.asked:8.1f}{means.held_later:25.1f}"
                f"{means.asked_later:8.1f}{means.met:6.0f}%{means.minutes:10.0f}"
            )
    return "\n".join(lines)


def ratio(held: Sequence[float], other: Sequence[float]) -> str:
    """Return how much more learners won than others did."""
    return f"{sum(held) / sum(other):.2f}" if any(other) else "–"


def error(values: Sequence[float]) -> float:
    """Return the standard error of a mean."""
    return float(stdev(values) / len(values) ** 0.5) if len(values) > 1 else 0.0
