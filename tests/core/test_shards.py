"""Servers are assigned to shards as Discord assigns them."""

from __future__ import annotations

import pytest

from bot.core.shards import ALL, Shards


@pytest.mark.parametrize(
    ("guild_id", "shard"), [(0, 0), ((1 << 22) - 1, 0), (1 << 22, 1), (2 << 22, 2), (3 << 22, 0)]
)
def test_a_server_has_one_shard(guild_id: int, shard: int) -> None:
    """A server's shard is (id >> 22) % count."""
    assert [n for n in range(3) if Shards(3, (n,)).have(guild_id)] == [shard]


def test_all_shards() -> None:
    """A process with all shards has all servers."""
    assert ALL.all
    assert Shards(3, (0, 1, 2)).all
    assert not Shards(3, (0, 2)).all
    assert all(shards.have(n << 20) for shards in (ALL, Shards(3, (0, 1, 2))) for n in range(20))
