"""The rules of a challenge: its limits, and the deadlines of its questions."""

from __future__ import annotations

from datetime import datetime, timedelta

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
