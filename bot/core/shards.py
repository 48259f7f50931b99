"""Which servers a process looks after when several processes share the work.

Discord deals servers out to shards by their id. A process has some of the shards; it hears of their servers only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

SHARD_BITS = 22
"""A server's shard is told by its id without its lowest bits, which count within a millisecond."""
TAKE_OVER = timedelta(seconds=10)
"""How long due work is left to the process that has the server's shard; then any process does it."""


@dataclass(frozen=True, slots=True)
class Shards:
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
        """How much of a limit of the whole bot is these shards'."""
        return max(1, limit * len(self.ids) // self.count)


ALL = Shards()
"""Every server, by however many shards."""
