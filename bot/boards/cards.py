"""The values that leaderboards and `/stats` show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from msgspec import Struct

from bot.boards.rules import RankedMember, first_day
from bot.daily.streaks import Streak
from bot.questions.model import Topic


class Board(Struct, frozen=True):
    """One page of a leaderboard. Pages count from 0.

    `own` is the asker's place, and `ahead` the nearest member with more points, if there is one.
    """

    period: str
    topic_id: str | None
    page: int
    pages: int
    members: int
    rows: tuple[RankedMember, ...]
    own: RankedMember | None
    ahead: RankedMember | None
    has_teams: bool = False


class TeamRow(Struct, frozen=True):
    """A team's row; `tenths` are points for each member, in tenths.

    `before` is the team's place in the previous period, if it had one.
    """

    place: int
    team_id: int
    name: str | None
    tenths: int
    members: int
    before: int | None = None


class TeamBoard(Struct, frozen=True):
    """One page of the team leaderboard.

    `small` are names of teams with too few active members for a place. `own` is the row of the
    asker's team, if it has one.
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
    has_teams: bool


class Activity(Struct, frozen=True):
    """Numbers of answers by day, from the Monday `start` to today, without gaps."""

    start: date
    counts: tuple[int, ...]

    @property
    def answers(self) -> int:
        return sum(self.counts)

    @property
    def days(self) -> int:
        """The number of days with an answer."""
        return sum(count > 0 for count in self.counts)

    @property
    def busiest(self) -> tuple[date, int]:
        """The day with the most answers, the latest of equals, and their number."""
        most, latest = max((count, n) for n, count in enumerate(self.counts))
        return self.start + timedelta(days=latest), most

    def cells(self) -> Iterator[tuple[int, int, date, int]]:
        """Yield each day's week and weekday, both from 0, its date and number of answers."""
        for index, count in enumerate(self.counts):
            yield index // 7, index % 7, self.start + timedelta(days=index), count


def recent_activity(by_day: Mapping[date, int], today: date) -> Activity:
    """Return the last twelve weeks of numbers of answers by date."""
    start = first_day(today)
    dates = (start + timedelta(days=n) for n in range((today - start).days + 1))
    return Activity(start, tuple(by_day.get(day, 0) for day in dates))


class SectionScore(Struct, frozen=True):
    title: str
    answers: int
    right: int


class Details(Struct, frozen=True):
    """Figures that a member may hide.

    `days`, `sections` and `weakest` are of all time on the server; `activity` includes practice;
    `cards`, `learned` and `due` count the member's items everywhere. `weakest` has (topic, answers,
    right answers) of the topics with the lowest share of right answers, worst first.
    """

    right: int
    days: int
    sections: tuple[SectionScore, ...]
    weakest: tuple[tuple[Topic, int, int], ...]
    activity: Activity
    cards: int
    learned: int
    due: int


class Stats(Struct, frozen=True):
    """A member's figures on a server.

    `shows`: others may see `details`, which is None for an asker who may not.
    """

    points: int
    answers: int
    streak: Streak
    shows: bool
    details: Details | None
