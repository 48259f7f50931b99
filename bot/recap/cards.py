"""The values that the weekly recap shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Leader:
    place: int
    name: str | None
    points: int


@dataclass(frozen=True, slots=True)
class Climber:
    """The member who climbed the most places since the week before."""

    name: str | None
    place: int
    before: int


@dataclass(frozen=True, slots=True)
class Hardest:
    """The question with the smallest share of right answers."""

    prompt: str
    answers: int
    right: int


@dataclass(frozen=True, slots=True)
class Recap:
    """The recap of a week.

    `by_day` are the numbers of answers from Monday to Sunday; `streak` is the longest, as name and
    days.
    """

    recap_id: int
    week: date
    first: tuple[Leader, ...]
    members: int
    right: int
    by_day: tuple[int, ...]
    climber: Climber | None = None
    hardest: Hardest | None = None
    streak: tuple[str | None, int] | None = None

    @property
    def answers(self) -> int:
        return sum(self.by_day)
