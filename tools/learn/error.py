"""The errors of a plan's numbers, by kind of learner."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from statistics import correlation, mean, pstdev
from typing import NamedTuple

from tools.learn.driver import Ours, Said
from tools.learn.orders import EVENING, Member, Scenario
from tools.learn.truths import Learner, truth
from tools.learn.world import KINDS, TWO_SECTIONS, World, traits, world

MOMENTS = ("before any answer", "after the first day", "halfway", "on the day")
_BEFORE = EVENING - 0.2
"""When members look at their plan, before they practise."""


class Truth(NamedTuple):
    """The share known of held-out items, topics weighted as interviews ask, and of those that were met."""

    unseen: float
    remembered: float | None


class Followed(NamedTuple):
    """The plan's statements to a learner and the truth, at each of the `MOMENTS`."""

    kind: str
    said: tuple[Said, ...]
    true: tuple[Truth, ...]


class Job(NamedTuple):
    truth: str
    scenario: Scenario
    kind: str
    seed: int


def scenario(seed: int) -> Scenario:
    """Draw what a plan is for, about everything or two sections."""
    rng = random.Random(seed)
    days, minutes = rng.randint(20, 40), rng.choice([10, 15, 20])
    return Scenario("a plan", () if seed % 2 else TWO_SECTIONS, days, minutes)


def follow(job: Job) -> Followed:
    """Let a learner practise with a plan."""
    days, place = job.scenario.days, world(job.scenario.sections)
    who = traits(job.kind, days, random.Random(job.seed))
    learner = truth(job.truth)(place, who, job.seed)
    order = Ours(place, learner, job.scenario, job.seed)
    member = Member(learner, who, order, job.seed)
    said, true = [], []

    def look(moment: float) -> None:
        said.append(order.said(moment))
        true.append(_truth(place, learner, set(member.asked), moment))

    look(_BEFORE)
    for day in range(days):
        if day == days // 2:
            if len(said) == 1:  # away until now
                look(day + _BEFORE)
            look(day + _BEFORE)
        member.practise(day, job.scenario.minutes)
        if member.asked and len(said) == 1:
            look(day + 0.99)
    look(days + _BEFORE)
    return Followed(job.kind, tuple(said), tuple(true))


def _truth(place: World, learner: Learner, met: set[str], moment: float) -> Truth:
    unseen, weights, remembered = 0.0, 0.0, []
    for topic_id, ids in place.topic_items.items():
        known = [float(p) for p in learner.p(topic_id, moment)]
        weight = place.full.asked_topics[topic_id].weight
        held = [p for p, out in zip(known, place.heldmask[topic_id], strict=True) if out]
        unseen += weight * mean(held)
        weights += weight
        remembered += [p for p, item_id in zip(known, ids, strict=True) if item_id in met]
    return Truth(unseen / weights, mean(remembered) if remembered else None)


Pair = tuple[float, float]
"""The number that was said, and the true one."""
Number = Callable[[Followed, int], Pair | None]
"""Returns them for a member and the index of a moment."""


def _middle(said: tuple[float, float]) -> float:
    return sum(said) / 2


def _unseen(member: Followed, at: int) -> Pair | None:
    return _middle(member.said[at].unseen), member.true[at].unseen


def _then(member: Followed, at: int) -> Pair | None:
    return _middle(member.said[at].then), member.true[-1].unseen


def _remembered(member: Followed, at: int) -> Pair | None:
    said, true = member.said[at].remembered, member.true[at].remembered
    return None if said is None or true is None else (said, true)


def _checked(member: Followed, at: int) -> Pair | None:
    said = member.said[at].checked
    return None if said is None else (said, member.true[at].unseen)


NUMBERS: dict[str, Number] = {
    "unseen, now": _unseen,
    "unseen, on the day": _then,
    "remembered, now": _remembered,
    "checks": _checked,
}


def table(members: Sequence[Followed]) -> str:
    """Show the errors of each number at each moment, of all members and by kind."""
    lines = [
        "What a plan says, minus the truth, in points: mean / mean absolute error, r over members;",
        "in brackets the share of truths within the range that was said.",
        _row("", MOMENTS),
    ]
    for name, number in NUMBERS.items():
        cells = [_cell(members, number, at) for at in range(len(MOMENTS))]
        if any(cells):
            lines.append(_row(name, cells))
    for name, number in list(NUMBERS.items())[:3]:
        lines.append(_row(f"{name}:", ()))
        for kind in KINDS:
            some = [member for member in members if member.kind == kind]
            if any(cells := [_cell(some, number, at, short=True) for at in range(len(MOMENTS))]):
                lines.append(_row(f"  {kind}", cells))
    return "\n".join(lines)


def _row(name: str, cells: Iterable[str]) -> str:
    return f"{name:<20}" + "".join(f"{cell:>28}" for cell in cells)


def _cell(members: Sequence[Followed], number: Number, at: int, *, short: bool = False) -> str:
    pairs = [pair for member in members if (pair := number(member, at)) is not None]
    if not pairs:
        return ""
    errors = [100 * (said - true) for said, true in pairs]
    text = f"{mean(errors):+.1f} / {mean(map(abs, errors)):.1f}"
    if short:
        return text
    said, true = zip(*pairs, strict=True)
    r = correlation(said, true) if len(pairs) > 2 and pstdev(said) and pstdev(true) else 0.0
    text += f", r {r:+.2f}"
    if number in {_unseen, _then}:
        ranges = [m.said[at].unseen if number is _unseen else m.said[at].then for m in members]
        inside = mean(low <= t <= high for (low, high), t in zip(ranges, true, strict=True))
        text += f" [{100 * inside:.0f}%]"
    return text
