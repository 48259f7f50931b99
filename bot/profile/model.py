"""What /profile shows of a member."""

from __future__ import annotations

from msgspec import Struct

from bot.members.model import Streak


class Activity(Struct, frozen=True):
    """A member's answers of the last weeks, in practice and on every server.

    `days` are the numbers of dates with an answer in each week, the present one last.
    """

    answers: int
    right: int
    days: tuple[int, ...]


class Details(Struct, frozen=True):
    """Figures that a member may hide. `met` and `learned` count questions."""

    activity: Activity
    met: int
    learned: int


class Profile(Struct, frozen=True):
    """A member's figures on a server.

    `shows`: others may see `details`, which is None for an asker who may not.
    """

    points: int
    streak: Streak
    shows: bool
    details: Details | None
