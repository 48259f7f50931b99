"""Which servers a process serves when several processes share the work.

Discord assigns servers to shards by their id. A process connects some of the shards, and receives
only the events of their servers.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

SHARD_BITS = 22
"""shard = (guild_id >> 22) % shard_count.

https://discord.com/developers/docs/events/gateway#sharding
"""
TAKE_OVER = timedelta(seconds=10)
"""Due work is left to the process with the server's shard for this long; then any may take it."""


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
