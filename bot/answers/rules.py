"""Pure rules about answers: how an answer is rated, what it pays, tallies, places and periods."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fsrs import Rating

from bot.questions.model import Item

FEWEST_PLAYERS = 2
"""Members who have to answer in a round or challenge before it pays points on the boards."""
PAYS_AGAIN = timedelta(days=30)
"""An item that won a member points on a server pays them again in a round only after this time."""
LONGEST_MS = 3_600_000
"""Longer answer times are cut to an hour: the member has been away."""


@dataclass(frozen=True, slots=True)
class Tally:
    """One member's result in a round or challenge; `total_ms` sums the times of `answered` answers."""

    user_id: int
    points: int
    right: int
    answered: int
    total_ms: int

    @property
    def average_ms(self) -> int:
        return self.total_ms // self.answered if self.answered else 0


def places(scores: Sequence[int]) -> list[int]:
    """Return places for falling scores: equal scores share one, and the next is skipped (1, 1, 3)."""
    result: list[int] = []
    for index, score in enumerate(scores):
        result.append(result[-1] if index and score == scores[index - 1] else index + 1)
    return result


def standings(tallies: Iterable[Tally]) -> list[tuple[int, Tally]]:
    """Return tallies with their places, best first; equal points share a place, the faster first."""
    ordered = sorted(tallies, key=lambda t: (-t.points, t.average_ms, t.user_id))
    return list(zip(places([t.points for t in ordered]), ordered, strict=True))


def paid(points: int, answered_at: datetime, *, alone: bool, last_paid: datetime | None) -> int:
    """Return what an answer in a round or challenge pays on the server's boards.

    A game with one player pays nothing (`alone`), nor does an item within a month of the answer
    with which it last paid the member.
    """
    lately = last_paid is not None and answered_at - last_paid < PAYS_AGAIN
    return 0 if alone or lately else points


def rate(right: bool, elapsed_ms: int | None = None, slow_after_ms: int | None = None) -> Rating:
    """Rate an answer for FSRS: Again if wrong, Hard if right but slow, else Good."""
    if not right:
        return Rating.Again
    slow = elapsed_ms is not None and slow_after_ms is not None and elapsed_ms > slow_after_ms
    return Rating.Hard if slow else Rating.Good


def slow_in_game(seconds: int | None) -> int | None:
    """Return the milliseconds after which a right answer in a round or challenge is slow.

    It is half of the time limit; None without a limit.
    """
    return None if seconds is None else seconds * 500


def slow_in_practice(item: Item) -> int:
    """Return the milliseconds after which a right answer in practice is slow.

    That leaves time to read (15 characters a second), to think (20 seconds, and 10 for each level
    of difficulty) and to type.
    """
    text = len(item.prompt) + sum(len(choice.text) for choice in item.choices)
    typing = 15_000 if item.kind == "typed" else 0
    return text * 1000 // 15 + 20_000 + 10_000 * item.difficulty + typing


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
    """Return the first and the last date of the period before; None for all time."""
    days = days_of(period, day)
    return days and days_of(period, days[0] - timedelta(days=1))
