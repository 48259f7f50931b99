"""Streaks: how many dailies in a row a member answered, right or wrong.

Pure: dates in, numbers out. Dates are local dates of the server's schedule (`schedule.Due.day`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Streak:
    """A member's streaks, in dailies answered in a row, and the local date of the latest daily they answered.

    `current` is the run that can still grow, 0 if the latest closed daily was missed; `best` the longest run ever,
    never less than `current`; `last` is None for a member who never answered.
    """

    current: int
    best: int
    last: date | None


def streak(days: Sequence[date], answered: Collection[date], open_days: Collection[date] = ()) -> Streak:
    """Return the member's streaks over the server's dailies.

    `days` are the local dates on which the server had a daily, in any order, repeats counting once. Dates without a
    daily (skipped, paused, not set up) are simply not in it, and so break nothing. `answered` are the dates whose
    daily the member answered, whenever the answer came; dates not in `days` are ignored. `open_days` are the dates
    whose daily still takes answers: unanswered, such a date is passed over, neither counted nor breaking a run; once
    it has closed, it does break it. Never raises.
    """
    theirs, still_open = frozenset(answered), frozenset(open_days)
    run = best = 0
    last: date | None = None
    for day in sorted(set(days)):
        if day in theirs:
            run += 1
            best = max(best, run)
            last = day
        elif day not in still_open:
            run = 0
    return Streak(current=run, best=best, last=last)
