"""The errors of a plan's numbers, by kind of learner."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from statistics import correlation, mean, pstdev
from typing import NamedTuple

from bot.plan.model import Range
from tools.learn.driver import Ours
from tools.learn.orders import EVENING, Member, Scenario
from tools.learn.truths import Learner, truth
from tools.learn.world import KINDS, SLIP, TWO_SECTIONS, World, traits, world

MOMENTS = ("before any answer", "after the first day", "halfway", "on the day")
_BEFORE = EVENING - 0.2
"""When members look at their plan, before they practise."""


NUMBERS = ("unseen", "unseen on the day", "remembered", "checks")


class Row(NamedTuple):
    """A number that a plan told a learner of a kind at one of the `MOMENTS`, and the true one.

    `unseen` is about questions never asked, now or on the plan's day; their true share is that of
    held-out items, topics weighted as interviews ask. `checks` says the same by the answers to check
    questions, without lucky hits and slips. `remembered` is about what was asked.
    """

    kind: str
    moment: int
    number: str
    said: Range
    true: float


class Job(NamedTuple):
    truth: str
    scenario: Scenario
    kind: str
    seed: int


def scenario(seed: int, *, short: bool = False) -> Scenario:
    """Draw a plan for everything or two sections, if it is to be `short` for two sections."""
    rng = random.Random(seed)
    days, minutes = rng.randint(20, 40), rng.choice([10, 15, 20])
    return Scenario("a plan", TWO_SECTIONS if short or seed % 2 == 0 else (), days, minutes)


def follow(job: Job) -> list[Row]:
    """Let a learner practise with a plan."""
    days, place = job.scenario.days, world(job.scenario.sections)
    who = traits(job.kind, days, random.Random(f"traits of {job.seed}"))
    learner = truth(job.truth)(place, who, job.seed)
    order = Ours(place, learner, job.scenario, job.seed)
    member = Member(learner, who, order, job.seed)
    rows: list[Row] = []
    forecasts: list[Range] = []

    def look(moment: float) -> None:
        said, (unseen, remembered) = order.outlook(moment), _truth(place, learner, member, moment)
        found = {"unseen": (said.unseen, unseen)}
        if said.remembered is not None and remembered is not None:
            found["remembered"] = Range(said.remembered, said.remembered), remembered
        if (checks := said.checks) is not None:
            most = 1 - SLIP - checks.guessing
            known = (checks.right / checks.answered - checks.guessing) / most
            found["checks"] = Range(known, known), unseen
        rows.extend(Row(job.kind, len(forecasts), name, *pair) for name, pair in found.items())
        forecasts.append(said.then)

    look(_BEFORE)
    for day in range(days):
        if day == days // 2:
            if len(forecasts) == 1:  # away until now
                look(day + _BEFORE)
            look(day + _BEFORE)
        member.practise(day, job.scenario.minutes)
        if member.asked and len(forecasts) == 1:
            look(day + 0.99)
    look(days + _BEFORE)
    then = next(row.true for row in reversed(rows) if row.number == "unseen")
    rows += [Row(job.kind, n, "unseen on the day", said, then) for n, said in enumerate(forecasts)]
    return rows


def _truth(
    place: World, learner: Learner, member: Member, moment: float
) -> tuple[float, float | None]:
    unseen, weights, remembered = 0.0, 0, []
    for topic_id, ids in place.topic_items.items():
        known = dict(zip(ids, map(float, learner.p(topic_id, moment)), strict=True))
        weight = place.full.asked_topics[topic_id].weight
        unseen += weight * mean(known[item_id] for item_id in ids if item_id in place.held)
        weights += weight
        remembered += [known[item_id] for item_id in ids if item_id in member.asked]
    return unseen / weights, mean(remembered) if remembered else None


def table(rows: Sequence[Row]) -> str:
    """Show the errors of each number at each moment, of all members and by kind."""
    lines = [
        "What a plan says, minus the truth, in points: mean / mean absolute error, r over members,",
        "in brackets the share of truths within the range that was said.",
        _line("", MOMENTS),
    ]
    for number in NUMBERS:
        lines.append(_line(number, _cells(rows, number)))
        for kind in KINDS:
            lines.append(_line(f"  {kind}", _cells([r for r in rows if r.kind == kind], number)))
    return "\n".join(lines)


def _line(name: str, cells: Iterable[str]) -> str:
    return f"{name:<18}" + "".join(f"{cell:>30}" for cell in cells)


def _cells(rows: Sequence[Row], number: str) -> Iterator[str]:
    for moment in range(len(MOMENTS)):
        some = [row for row in rows if (row.number, row.moment) == (number, moment)]
        said, true = [row.said.middle for row in some], [row.true for row in some]
        errors = [100 * (a - b) for a, b in zip(said, true, strict=True)]
        if not errors:
            yield "–"
            continue
        text = f"{mean(errors):+.1f} / {mean(map(abs, errors)):.1f}"
        if len(some) > 2 and pstdev(said) and pstdev(true):
            text += f", r {correlation(said, true):+.2f}"
        if any(row.said.low < row.said.high for row in some):
            inside = mean(row.said.low <= row.true <= row.said.high for row in some)
            text += f" [{100 * inside:3.0f}%]"
        yield text
