"""The reminder of a member."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Reminder(Struct, frozen=True):
    """A row of `reminders`, without `failures`, which the queue keeps."""

    user_id: int
    at: str
    next_at: datetime | None
    problem: str | None = None
    channel_id: int | None = None
    sent_at: datetime | None = None
    ignored: int = 0
