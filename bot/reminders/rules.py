"""When a reminder stops by itself, and how fast reminders are sent."""

from __future__ import annotations

from datetime import datetime, timedelta

IGNORED = 10
"""After so many in a row that were followed by no practice, one more is sent, which says that it is the last."""
OPENED_A_MINUTE, SENT_A_MINUTE = 15, 60
"""Discord takes a bot for a sender of spam that opens more than a few dozen direct messages at once."""
LATER = timedelta(minutes=5)
"""How long one waits of which Discord said that it is too many."""


def ignored_now(ignored: int, sent_at: datetime | None, practised_at: datetime | None) -> int:
    """How many reminders in a row were followed by no practice, the last one included."""
    if sent_at is None or (practised_at is not None and practised_at >= sent_at):
        return 0
    return ignored + 1
