"""What a month measures of memory: what is in use, without what is free again, and what the loopback has of it."""

from __future__ import annotations

import sys

import pytest

from soak.month.measure import held_by, memory
from tests.loopback.world import World

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(
        sys.platform != "linux", reason="what is in use is read from glibc and /proc"
    ),
]
MB = 2**20


def test_memory_in_use_is_what_has_not_been_given_back() -> None:
    """Small objects and large ones count while they are there, and no longer."""
    world = World()
    before = memory(world).in_use
    small, large = [f"{n:0100}" for n in range(40_000)], bytearray(8 * MB)
    there = memory(world).in_use
    assert 8 + 40_000 * 120 / MB < there - before < 20
    del small, large
    assert abs(memory(world).in_use - before) < 1


def test_what_the_loopback_remembers() -> None:
    """Its channels, messages and interactions count; the rest of the process does not."""
    world = World()
    empty = memory(world).loopback
    channel = world.add_channel(world.add_guild("server"), "quiz")
    channel.messages[1] = bytearray(3 * MB)  # type: ignore[assignment]
    assert 3 < memory(world).loopback - empty < 3.5


def test_what_is_reached_twice_counts_once() -> None:
    """Classes and functions are everybody's."""
    text = "x" * 1000
    assert held_by([[text, text], {"text": text}, World, memory]) < 1500
