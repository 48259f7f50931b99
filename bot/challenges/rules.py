"""The rules of a challenge: deadlines, what a player may do next, and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from bot.answers.rules import FEWEST_PLAYERS

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 20, 5
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 168, 24
BETWEEN_EDITS = timedelta(seconds=30)
"""The shortest time between two edits of an open card, which shows how many have finished."""


class State(StrEnum):
    """The states of a challenge, explained at its table in `bot.challenges.store`."""

    POSTING = "posting"
    OPEN = "open"
    COUNTING = "counting"
    CLOSING = "closing"
    CLOSED = "closed"


REVEALED = frozenset({State.CLOSING, State.CLOSED})
"""States with all answers counted, so that they may be shown."""


def deadline(shown_at: datetime, seconds: int, closes_at: datetime) -> datetime:
    """Return the deadline of a question that was shown at `shown_at`."""
    return min(shown_at + timedelta(seconds=seconds), closes_at)


class NextStep(StrEnum):
    """A player's next step."""

    ASK = "ask"  # get the next question
    ANSWER = "answer"  # answer the one shown last
    DONE = "done"  # nothing more to do
    OVER = "over"  # the challenge has closed


def next_step(
    *, has_more: bool, open_until: datetime | None, closes_at: datetime, now: datetime
) -> NextStep:
    """Return a player's next step.

    `has_more`: some questions were not shown to them yet. `open_until`: the deadline of the last
    question shown; None if it is answered, or none was shown.
    """
    if now >= closes_at:
        return NextStep.OVER
    if open_until is not None and now <= open_until:
        return NextStep.ANSWER
    return NextStep.ASK if has_more else NextStep.DONE


def may_take(user_id: int, starter_id: int, member_id: int | None) -> bool:
    """Return whether a member may take a challenge.

    If it is for a named member, only that member and the starter may.
    """
    return member_id is None or user_id in {starter_id, member_id}


def is_over(*, closes_at: datetime, named: bool, finished: int, at: datetime) -> bool:
    """Return whether a challenge ends at `at`: time is up, or both members finished."""
    return at >= closes_at or (named and finished >= FEWEST_PLAYERS)


def next_update(
    *,
    now: datetime,
    closes_at: datetime,
    named: bool,
    shown: int,
    finished: int,
    next_finish: datetime | None,
    edited_at: datetime | None,
) -> datetime:
    """Return when an open challenge is due: to update the count on its card, or to close.

    `shown` is the number of finished players on the card, `finished` the actual number. At
    `next_finish` the time of another player's last question runs out. Edits are at least
    `BETWEEN_EDITS` apart, except in a challenge for a named member: it needs two edits at most,
    and may close early.
    """
    changes_at = now if finished != shown else next_finish
    if changes_at is None:
        return closes_at
    if edited_at is not None and not named:
        changes_at = max(changes_at, edited_at + BETWEEN_EDITS)
    return min(closes_at, changes_at)
