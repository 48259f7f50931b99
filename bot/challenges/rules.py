"""The rules of a challenge: deadlines, what a player may do next, and when it is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from bot.answers.rules import FEWEST_PLAYERS
from bot.challenges.model import ChallengeState

MIN_QUESTIONS, MAX_QUESTIONS = 1, 20
MIN_HOURS, MAX_HOURS = 1, 168
BETWEEN_EDITS = timedelta(seconds=30)
"""From a finish until an open card shows it. Finishes in the meantime cause no edit of their own."""


REVEALED = frozenset({ChallengeState.CLOSING, ChallengeState.CLOSED})
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


def may_play(user_id: int, starter_id: int, member_id: int | None) -> bool:
    """Return whether a member may play a challenge.

    If it is for a named member, only that member and the starter may.
    """
    return member_id is None or user_id in {starter_id, member_id}


def is_over(*, closes_at: datetime, named: bool, finished: int, at: datetime) -> bool:
    """Return whether a challenge ends at `at`: time is up, or both members finished."""
    return at >= closes_at or (named and finished >= FEWEST_PLAYERS)


def due_at(closes_at: datetime, *, named: bool, next_finish: datetime | None) -> datetime:
    """Return when an open challenge is due: to show the next finish on its card, or to close.

    A finish of a challenge for a named member is shown at once: there are only two, and the second
    one closes it.
    """
    if next_finish is None:
        return closes_at
    return min(closes_at, next_finish if named else next_finish + BETWEEN_EDITS)
