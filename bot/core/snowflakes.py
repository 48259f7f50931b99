"""Discord's ids carry the moment at which Discord made them (documented under "Snowflakes")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_TIMESTAMP_SHIFT = 22


def created_at(snowflake: int) -> datetime:
    """The UTC instant, to the millisecond, at which Discord created the thing with this id."""
    return DISCORD_EPOCH + timedelta(milliseconds=snowflake >> _TIMESTAMP_SHIFT)


def earliest_id(at: datetime) -> int:
    """The smallest id that something created at `at` or later can have."""
    return max(0, (at - DISCORD_EPOCH) // timedelta(milliseconds=1)) << _TIMESTAMP_SHIFT
