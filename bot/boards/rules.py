"""The pages of a board, and how active a member was in the last twelve weeks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.answers.rules import places

PAGE_SIZE = 10
"""Members on a page of a board."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a board.

    `name` is None for a member who has not been seen yet; `before` is their place in the previous period, if any.
    """

    place: int
    user_id: int
    name: str | None
    points: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Own:
    """The asker's place. `behind` are the points missing to `next_place`; both are None for the leader."""

    place: int
    points: int
    behind: int | None = None
    next_place: int | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """One page of a board. Pages count from 0."""

    period: str
    topic_id: str | None
    page: int
    pages: int
    members: int
    rows: tuple[Row, ...]
    own: Own | None
    has_teams: bool = False


FEWEST_ACTIVE = 3
"""Active members from which on a team has a place: an average of one or two says little about a team."""


@dataclass(frozen=True, slots=True)
class TeamSum:
    """What the `members` that answered for a team in a period have won for it."""

    team_id: int
    points: int
    members: int

    @property
    def tenths(self) -> int:
        """Points for each active member, in tenths, as they are shown: teams that look equal share a place."""
        return round(10 * self.points / self.members) if self.members else 0


@dataclass(frozen=True, slots=True)
class TeamRow:
    """One line of the board of teams; `before` is the team's place in the previous period, if it had one."""

    place: int
    team_id: int
    name: str | None
    tenths: int
    members: int
    before: int | None = None


@dataclass(frozen=True, slots=True)
class TeamBoard:
    """One page of the board of teams.

    `small` are the names of teams with too few active members for a place, `own_name` is that of the asker's team and
    `own` its line, if it has one.
    """

    period: str
    topic_id: str | None
    page: int
    pages: int
    teams: int
    rows: tuple[TeamRow, ...]
    small: tuple[str | None, ...]
    own_name: str | None
    own: TeamRow | None
    exist: bool
    """Whether the server has teams now."""


def ranked(sums: Sequence[TeamSum]) -> list[tuple[int, TeamSum]]:
    """Teams that are large enough with their places, best average first."""
    large = sorted(
        (s for s in sums if s.members >= FEWEST_ACTIVE), key=lambda s: (-s.tenths, s.team_id)
    )
    return list(zip(places([s.tenths for s in large]), large, strict=True))


def trend(place: int, before: int | None) -> str:
    """An arrow against the place in the previous period; empty for who had none."""
    if before is None:
        return ""
    return "▲" if place < before else "▼" if place > before else "▬"


WEEKS = 12
STEPS = (1, 3, 6, 12)
"""Answers on a day from which each level begins; a round of ten questions reaches the third."""


@dataclass(frozen=True, slots=True)
class Activity:
    """Answers by day, from the Monday `start` to today, without gaps."""

    start: date
    counts: tuple[int, ...]

    @property
    def answers(self) -> int:
        return sum(self.counts)

    @property
    def days(self) -> int:
        """On how many days there was an answer."""
        return sum(count > 0 for count in self.counts)

    @property
    def busiest(self) -> tuple[date, int]:
        """The day with the most answers, the latest of equals, and how many."""
        most, latest = max((count, n) for n, count in enumerate(self.counts))
        return self.start + timedelta(days=latest), most

    def cells(self) -> Iterator[tuple[int, int, date, int]]:
        """Week from 0, weekday from Monday as 0, date and answers of each day."""
        for index, count in enumerate(self.counts):
            yield index // 7, index % 7, self.start + timedelta(days=index), count


def first_day(today: date) -> date:
    """The Monday on which the twelve weeks begin; the current week is the last."""
    return today - timedelta(days=today.weekday(), weeks=WEEKS - 1)


def activity(by_day: Mapping[date, int], today: date) -> Activity:
    """The last twelve weeks; dates outside them are ignored."""
    start = first_day(today)
    return Activity(
        start,
        tuple(by_day.get(start + timedelta(days=n), 0) for n in range((today - start).days + 1)),
    )


def level(count: int) -> int:
    """How strongly a day is marked, 0 (no answer) to 4."""
    return sum(count >= step for step in STEPS)
