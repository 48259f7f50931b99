"""The creation time in Discord's ids.

https://discord.com/developers/docs/reference#snowflakes
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_TIMESTAMP_SHIFT = 22


def created_at(snowflake: int) -> datetime:
    """Return when Discord made this id, in UTC, to the millisecond."""
    return DISCORD_EPOCH + timedelta(milliseconds=snowflake >> _TIMESTAMP_SHIFT)


def earliest_id(at: datetime) -> int:
    """Return the smallest id that can be created at `at` or later."""
    return max(0, (at - DISCORD_EPOCH) // timedelta(milliseconds=1)) << _TIMESTAMP_SHIFT
