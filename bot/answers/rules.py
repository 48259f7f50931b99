"""Pure rules about answers: ratings, pay, tallies, places and periods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

from fsrs import Rating

from bot.answers.model import Tally
from bot.questions.model import PLACING_SECONDS, Item

FEWEST_PLAYERS = 2
"""A game, which is a round or a challenge, adds points to the boards once this many have answered."""
PAYS_AGAIN = timedelta(days=30)
"""After an item has paid a member on a server, it pays them nothing in a game for this long."""
LONGEST_MS = 3_600_000
"""Answer times are capped at an hour: beyond that the member was away."""


def places(scores: Sequence[int]) -> list[int]:
    """Return the places of descending scores. Equal scores share a place: 1, 1, 3."""
    result: list[int] = []
    for index, score in enumerate(scores):
        result.append(result[-1] if index and score == scores[index - 1] else index + 1)
    return result


def standings(tallies: Iterable[Tally]) -> list[tuple[int, Tally]]:
    """Return places and tallies, best first. Equal points share a place, listed by speed."""
    ordered = sorted(tallies, key=lambda t: (-t.points, t.average_ms, t.user_id))
    return list(zip(places([t.points for t in ordered]), ordered, strict=True))


def paid(points: int, answered_at: datetime, *, alone: bool, last_paid: datetime | None) -> int:
    """Return the points that an answer in a game adds to the server's boards.

    There are none if nobody else played (`alone`), or if the item paid the member less than
    `PAYS_AGAIN` ago.
    """
    recently = last_paid is not None and answered_at - last_paid < PAYS_AGAIN
    return 0 if alone or recently else points


def rate(right: bool, elapsed_ms: int | None = None, slow_after_ms: int | None = None) -> Rating:
    """Rate an answer for FSRS: Again if wrong, Hard if right but slow, else Good."""
    if not right:
        return Rating.Again
    slow = elapsed_ms is not None and slow_after_ms is not None and elapsed_ms > slow_after_ms
    return Rating.Hard if slow else Rating.Good


def slow_in_game(seconds: int | None) -> int | None:
    """Return after how many milliseconds a right answer in a game is slow: half the time limit.

    Return None without a limit.
    """
    return None if seconds is None else seconds * 500


def slow_in_practice(item: Item) -> int:
    """Return after how many milliseconds a right answer in practice is slow.

    It leaves time to read, to think (20 seconds, and 10 for each level of difficulty), and to type or
    to place lines of code.
    """
    typing = 15_000 if item.kind == "typed" else 1_000 * PLACING_SECONDS * len(item.lines)
    return item.reading_ms + 20_000 + 10_000 * item.difficulty + typing


PERIODS = ("today", "week", "month", "all")


def monday(day: date) -> date:
    """Return the Monday of a date's week."""
    return day - timedelta(days=day.weekday())


def days_of(period: str, day: date) -> tuple[date, date] | None:
    """Return the first and the last date of the period that contains `day`; None for all time.

    Weeks begin on Monday.
    """
    match period:
        case "today":
            return day, day
        case "week":
            return monday(day), monday(day) + timedelta(days=6)
        case "month":
            first = day.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        case "all":
            return None
    raise ValueError(period)


def days_before(period: str, day: date) -> tuple[date, date] | None:
    """Return the first and the last date of the preceding period; None for all time."""
    days = days_of(period, day)
    return days and days_of(period, days[0] - timedelta(days=1))
