"""What /profile shows of a member."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from msgspec import Struct

from bot.answers.model import Calibration
from bot.answers.rules import monday
from bot.members.model import Streak

WEEKS = 12


class Details(Struct, frozen=True):
    """Figures that a member may hide: answers of the last weeks, in practice and on every server.

    `answers` are those with a verdict. `days` are the numbers of dates with any answer in each week,
    the present one last. `met` and `known` count questions.
    """

    answers: int
    right: int
    days: tuple[int, ...]
    met: int
    known: int

    @property
    def is_empty(self) -> bool:
        return not (self.met or any(self.days))


class Profile(Struct, frozen=True):
    """A member's figures on a server.

    `shows`: others may see `details`, which is None for an asker who may not. Nobody else ever sees
    `calibration`.
    """

    points: int
    streak: Streak
    shows: bool
    details: Details | None
    calibration: Calibration | None = None


def details(
    answers: Collection[tuple[date, bool | None]], today: date, *, met: int, known: int
) -> Details:
    """Return the figures of the last weeks, of answers by date with their verdicts, if they have one."""
    mondays = [monday(today) - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    recent = [(day, right) for day, right in answers if mondays[0] <= day <= today]
    weeks = [monday(day) for day in {day for day, _ in recent}]
    return Details(
        answers=sum(right is not None for _, right in recent),
        right=sum(bool(right) for _, right in recent),
        days=tuple(map(weeks.count, mondays)),
        met=met,
        known=known,
    )
