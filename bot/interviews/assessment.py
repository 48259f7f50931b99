"""What a member reads about an open answer, key point by key point, and how it is stored.

The key points stand in it in the words they had when the answer was graded, so that it can be shown again whatever
becomes of the bank.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.interviews.follow_up import Reply
from bot.interviews.grading import Error, State
from bot.interviews.report import Said


@dataclass(frozen=True, slots=True)
class Point:
    """A key point: its state, and the passage of the answer that comes nearest to it, if one comes near.

    `credit`, from 0 to 1, is what it counts in the score. `claimed`: the grader did not count it as covered, but the
    member says that it is in their answer.
    """

    text: str
    state: str
    quote: str = ""
    credit: float = 0.0
    claimed: bool = False


@dataclass(frozen=True, slots=True)
class Assessment:
    """A graded answer. `percent` is the grader's estimate, from 0 to 100, whatever the member claims.

    `flags` name what the grader noticed. `model` says whether a model service was asked about points in doubt: "" (no),
    "asked", "failed", or "spent" (the member had as many requests as a day may have).
    """

    points: tuple[Point, ...]
    percent: int
    flags: tuple[str, ...] = ()
    model: str = ""
    errors: tuple[Error, ...] = ()

    @property
    def states(self) -> str:
        """A letter for each key point in the bank's order: c covered, d doubtful, m missing."""
        return "".join(point.state[0] for point in self.points)

    @property
    def passed(self) -> bool:
        """Whether the answer counts as right where answers are counted: at least half."""
        return self.percent >= 50

    @property
    def claimed(self) -> tuple[Point, ...]:
        """The points that the member marked as said."""
        return tuple(point for point in self.points if point.claimed)

    @property
    def own_percent(self) -> int:
        """The estimate with claimed points counted in full: for the member's own report, and nothing else."""
        return (
            _percent([1.0 if p.claimed else p.credit for p in self.points])
            if self.claimed
            else self.percent
        )

    @property
    def said(self) -> Said:
        """How many points the answer has, with those that the member marked as said."""
        return Said(len(self.of(State.COVERED)) + len(self.claimed), len(self.points))

    def of(self, state: str) -> tuple[Point, ...]:
        """The points in a state, without those that are claimed."""
        return tuple(point for point in self.points if point.state == state and not point.claimed)

    def claim(self, numbers: Set[int]) -> Assessment:
        """The same with these points claimed, by index, and no others; what is covered needs no claim."""
        points = (
            replace(p, claimed=n in numbers and p.state != State.COVERED)
            for n, p in enumerate(self.points)
        )
        return replace(self, points=tuple(points))

    def keep_claims(self, earlier: Assessment) -> Assessment:
        """The same with what was claimed of an earlier grade, as far as it is not covered by now."""
        claimed = {point.text for point in earlier.claimed}
        return self.claim({n for n, point in enumerate(self.points) if point.text in claimed})

    def confirm(self, quotes: dict[int, str]) -> Assessment:
        """The same with these doubtful points, by index, counted as covered by a passage of the answer."""
        points = list(self.points)
        for index, quote in quotes.items():
            if points[index].state == State.DOUBTFUL:
                points[index] = replace(points[index], state=State.COVERED, quote=quote, credit=1.0)
        return replace(
            self, points=tuple(points), percent=_percent([point.credit for point in points])
        )


def _percent(credits: Sequence[float]) -> int:
    return round(100 * sum(credits) / len(credits))


def encode(found: Assessment | Reply) -> str:
    """As it is stored."""
    return json.dumps(asdict(found), ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> Assessment:
    """What `encode` stored."""
    data: dict[str, Any] = json.loads(text)
    points = tuple(Point(**point) for point in data["points"])
    errors = tuple(
        Error(**error) for error in data.get("errors", ())
    )  # graded before there were any
    return Assessment(points, data["percent"], tuple(data["flags"]), data["model"], errors)


def missed(states: Iterable[str], points: Sequence[str], limit: int) -> list[tuple[str, int]]:
    """The key points that most answers do not have, as (text, how many miss it), most missed first.

    `states` are `Assessment.states` of all answers; those made of another number of key points do not count.
    """
    fitting = [given for given in states if len(given) == len(points)]
    counts = Counter(
        index for given in fitting for index, state in enumerate(given) if state == "m"
    )
    return [
        (points[index], number)
        for index, number in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:limit]
    ]
