"""The rules of a challenge: deadlines, what a player may do next, and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from bot.answers.rules import FEWEST_PLAYERS

MIN_QUESTIONS, MAX_QUESTIONS, DEFAULT_QUESTIONS = 1, 20, 5
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 168, 24
BETWEEN_EDITS = timedelta(seconds=30)
"""The shortest time between two updates of the count on an open card."""


class State(StrEnum):
    """The states of a challenge; the table `challenges` describes them."""

    POSTING = "posting"
    OPEN = "open"
    COUNTING = "counting"
    CLOSING = "closing"
    CLOSED = "closed"


REVEALED = frozenset({State.CLOSING, State.CLOSED})
"""States after all answers are counted, so that they may be shown."""


def deadline(shown_at: datetime, seconds: int, closes_at: datetime) -> datetime:
    """Return the deadline of a question that was shown at `shown_at`."""
    return min(shown_at + timedelta(seconds=seconds), closes_at)


class Turn(StrEnum):
    """The next step of a player: get a question, answer the current one, or nothing more."""

    ASK = "ask"
    ANSWER = "answer"
    DONE = "done"
    OVER = "over"


def turn_of(*, left: bool, open_until: datetime | None, closes_at: datetime, now: datetime) -> Turn:
    """Return a player's turn.

    `left` means that there are questions they weren't shown yet. `open_until` is the deadline of
    the last one shown, None if it has an answer.
    """
    if now >= closes_at:
        return Turn.OVER
    if open_until is not None and now <= open_until:
        return Turn.ANSWER
    return Turn.ASK if left else Turn.DONE


def may_take(user_id: int, starter_id: int, member_id: int | None) -> bool:
    """Return whether a member may take a challenge; one for a named member is for two only."""
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

    The card shows that `shown` players finished, but `finished` did. At `next_finish` the next
    player's last question runs out. Edits have a minimum distance, except in a challenge for a
    named member, which has at most two and can close early.
    """
    changes_at = now if finished != shown else next_finish
    if changes_at is None:
        return closes_at
    if edited_at is not None and not named:
        changes_at = max(changes_at, edited_at + BETWEEN_EDITS)
    return min(closes_at, changes_at)
