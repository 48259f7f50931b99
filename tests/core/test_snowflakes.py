"""Times and shards follow from Discord's ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.snowflakes import DISCORD_EPOCH, Shards, created_at, earliest_id

instants = st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


def test_the_example_of_discords_documentation() -> None:
    """The example id has the time that the documentation gives."""
    assert created_at(175928847299117063) == datetime(2016, 4, 30, 11, 18, 25, 796000, UTC)


def test_times_before_discord() -> None:
    """There are no negative ids: before 2015 the earliest id is 0."""
    assert earliest_id(datetime(2014, 12, 31, tzinfo=UTC)) == 0
    assert earliest_id(DISCORD_EPOCH) == 0


@given(instants)
def test_the_earliest_id_has_its_millisecond(at: datetime) -> None:
    """The earliest id is the first of its millisecond."""
    first = earliest_id(at)
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert created_at(first) == whole
    assert first == 0 or created_at(first - 1) == whole - timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("guild_id", "shard"), [(0, 0), ((1 << 22) - 1, 0), (1 << 22, 1), (2 << 22, 2), (3 << 22, 0)]
)
def test_a_server_has_one_shard(guild_id: int, shard: int) -> None:
    """A server's shard is (id >> 22) % count."""
    assert [n for n in range(3) if Shards(3, (n,)).have(guild_id)] == [shard]
