"""The values that the weekly recap shows."""

from __future__ import annotations

from datetime import date

from msgspec import Struct


class Leader(Struct, frozen=True):
    place: int
    name: str | None
    points: int


class Climber(Struct, frozen=True):
    """The member who climbed the most places since the week before."""

    name: str | None
    place: int
    before: int


class Hardest(Struct, frozen=True):
    """The question with the smallest share of right answers."""

    prompt: str
    answers: int
    right: int


class Recap(Struct, frozen=True):
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
