"""The rules of a round: its time limits, its early reveal, how it is stopped, and its race."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, count
from typing import Any

from bot.games.rules import reading_time, seconds_for
from bot.questions.model import Item
from bot.rounds.model import Phase, Race, Round, RoundOptions

MIN_QUESTIONS, MAX_QUESTIONS = 1, 50
MIN_SECONDS, MAX_SECONDS = 5, 300
"""Time limits that the starter can choose."""
MODES = ("timed", "hosted")
LEAD = timedelta(seconds=8)
"""Between the start line and the first question."""
SHORTEST_PAUSE, LONGEST_PAUSE = timedelta(seconds=6), timedelta(seconds=15)
"""Between a reveal and the next message."""
HOSTED_LIMIT = timedelta(hours=24)
"""A hosted round ends after waiting this long for its host."""
_ORIENTATION_SECONDS = 2.0
"""The time it takes to find one's way on a card that has changed."""
LEADERS = 3
"""Named at a reveal and by /quiz in a running round. More need more room in `questions.views._ADDED`."""
_LEADERS_EVERY = 5
FASTEST = 3
"""Named at a reveal. More need more room in `questions.views._ADDED`."""
EARLY = timedelta(seconds=2)
"""Between the last player's answer and an early reveal."""
ALONE = timedelta(seconds=5)
"""From the first answer of a round to its reveal at the soonest, if nobody else plays."""
COLLECTED = timedelta(seconds=2)
"""From an answer until the count on the card changes; other answers until then are shown with it."""
READ_IN = timedelta(seconds=4)
"""A count on a card stands for this long at least, so that members can read it."""
LONGEST_GAP = timedelta(seconds=30)
"""The longest time between two counts on a card while answers come, for the host of a round."""
IDLE_LIMIT = 3
"""A round ends after this many questions in a row that nobody answered."""
LAST_ATTEMPT = 1000
"""A count of failures so high that the next one is the last."""


def limit_for(item: Item, options: RoundOptions) -> int | None:
    """Return the time limit of an item in seconds, or None in a hosted round."""
    return None if options.hosted else options.seconds or seconds_for(item)


def pause_for(item: Item | None, *, hosted: bool = False) -> timedelta:
    """Return the time to read an item's reveal; None is an item that has left the bank.

    In a hosted round it is the longest time that the host may take.
    """
    if hosted:
        return HOSTED_LIMIT
    if item is None:
        return SHORTEST_PAUSE
    shown = " ".join([item.gist, *(choice.text for choice in item.choices if choice.correct)])
    needed = timedelta(seconds=_ORIENTATION_SECONDS + reading_time(shown))
    return min(max(needed, SHORTEST_PAUSE), LONGEST_PAUSE)


def next_count(
    *,
    answered_at: datetime,
    edited_at: datetime | None,
    opened: datetime,
    deadline: datetime | None,
    free_at: datetime,
) -> datetime | None:
    """Return when to show the new count of answers on a card, or None for never.

    `answered_at` is when the first answer came that the card doesn't show, `free_at` when there may
    be a request to spare. The first answer shows soon, because a friend waits for it. Then gaps grow,
    because most members answer early, and no edit comes when the reveal is near.
    """
    at = max(answered_at, opened) + COLLECTED
    if edited_at is not None:
        gap = max(READ_IN, 2 * (edited_at - opened))
        at = max(at, edited_at + min(gap, LONGEST_GAP))
    at = max(at, free_at)
    return at if deadline is None or at <= deadline - READ_IN else None


def names_leaders(number: int, round_: Round) -> bool:
    """Return whether a question's reveal names the leaders.

    Each does in a hosted round, every fifth by the clock. After the last come the standings.
    """
    return number < round_.total and (round_.hosted or number % _LEADERS_EVERY == 0)


def was_abandoned(since: datetime | None, now: datetime, *, hosted: bool) -> bool:
    """Return whether a hosted round has waited for its host for too long."""
    return hosted and since is not None and now - since >= HOSTED_LIMIT


def stop(
    phase: Phase, *, stopped: bool, failing: bool, now: datetime, reveal_at: datetime
) -> dict[str, Any] | None:
    """Return the columns that "Stop" changes in a round; None if it is ending anyway.

    The first stop lets an open question run to its reveal. A second one (`stopped`) reveals it at
    `reveal_at`, and a failing step is tried only once more.
    """
    if phase in {Phase.STANDINGS, Phase.CLOSING} and not failing:
        return None
    if phase is Phase.ASK:
        return {"phase": Phase.STANDINGS, "due_at": now, "ending": "stopped"}
    if failing and (stopped or phase in {Phase.STANDINGS, Phase.CLOSING}):
        return {"due_at": now, "failures": LAST_ATTEMPT, "ending": "stopped"}
    if stopped and phase is Phase.OPEN:
        return {"due_at": reveal_at}
    if phase is Phase.PAUSE:
        return {"due_at": now, "ending": "stopped"}
    return {"ending": "stopped"}


_MIN_RACE_QUESTIONS = 5
_MAX_DRAWN = 3


def race(points: Sequence[Mapping[int, int]], order: Sequence[int]) -> Race | None:
    """Return the race of a round, or None if there was none.

    `points` has the points by member for each question; `order` are the members, best first. There
    was a race if at least two members have points, and the winner took the lead for good in the
    second half of at least five questions.
    """
    totals = {member: tuple(accumulate(won.get(member, 0) for won in points)) for member in order}
    if len(points) < _MIN_RACE_QUESTIONS or sum(course[-1] > 0 for course in totals.values()) < 2:
        return None
    winner, *others = order
    ahead = [
        all(mine > totals[other][n] for other in others) for n, mine in enumerate(totals[winner])
    ]
    behind = [n for n, leads in enumerate(ahead, start=1) if not leads]
    lead_at = behind[-1] + 1 if behind else 1
    if not len(points) / 2 < lead_at <= len(points):
        return None
    shown = [member for member in order[:_MAX_DRAWN] if totals[member][-1] > 0]
    return Race(lead_at, tuple(totals[member] for member in shown))


def streak(correct: Mapping[int, bool], number: int) -> int:
    """Return how many questions in a row, up to this one, were answered right."""
    return next(n for n in count() if not correct.get(number - n))
