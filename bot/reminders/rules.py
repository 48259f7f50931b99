"""The limits of reminders: how many may be ignored, and how fast they are sent."""

from __future__ import annotations

from datetime import datetime, timedelta

MAX_IGNORED = 10
"""After this many ignored reminders in a row, one more is sent, which says that it is the last."""
SENT_A_MINUTE = 60
OPENED_A_MINUTE = 15
"""New direct message channels. Discord blocks bots that open many of them quickly:
https://discord.com/developers/docs/resources/user#create-dm
"""
RETRY_AFTER = timedelta(minutes=5)
"""The pause after Discord refused to open another channel for now."""


def ignored_now(ignored: int, sent_at: datetime | None, practised_at: datetime | None) -> int:
    """Return the number of reminders in a row, up to the last one, that no practice followed."""
    if sent_at is None or (practised_at is not None and practised_at >= sent_at):
        return 0
    return ignored + 1
