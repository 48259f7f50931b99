"""What Discord's ids tell: when something was made, and which process serves a server.

An id has the time of its creation: https://discord.com/developers/docs/reference#snowflakes
Discord assigns servers to shards by their ids. If several processes share the work, each connects
some of the shards, and receives only the events of their servers.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from msgspec import Struct

DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_TIMESTAMP_SHIFT = 22
SHARD_BITS = 22
"""shard = (guild_id >> 22) % shard_count.

https://discord.com/developers/docs/events/gateway#sharding
"""
TAKE_OVER = timedelta(seconds=10)
"""Due work is left to the process with the server's shard for this long; then any may take it."""


def created_at(snowflake: int) -> datetime:
    """Return when Discord made this id, in UTC, to the millisecond."""
    return DISCORD_EPOCH + timedelta(milliseconds=snowflake >> _TIMESTAMP_SHIFT)


def earliest_id(at: datetime) -> int:
    """Return the smallest id that can be created at `at` or later."""
    return max(0, (at - DISCORD_EPOCH) // timedelta(milliseconds=1)) << _TIMESTAMP_SHIFT


class Shards(Struct, frozen=True):
    """The shards `ids`, numbered from 0, of `count`."""

    count: int = 1
    ids: tuple[int, ...] = (0,)

    @property
    def all(self) -> bool:
        return len(self.ids) == self.count

    def have(self, guild_id: int) -> bool:
        """Whether a server is on one of these shards."""
        return (guild_id >> SHARD_BITS) % self.count in self.ids

    def share_of(self, limit: int) -> int:
        """Return these shards' share of a limit for the whole bot, at least 1."""
        return max(1, limit * len(self.ids) // self.count)


ALL = Shards()
"""All servers, whatever the number of shards."""
