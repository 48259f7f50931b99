"""Whose piece of work comes next."""

from __future__ import annotations

import asyncio

import pytest

from bot.core.turns import Turns


class Crowd:
    """Pieces of work that want a turn in the order in which they are named, and the order in which they had it."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.had: list[str] = []
        self.go = asyncio.Event()

    async def work(self, name: str) -> None:
        async with self.turns.of(ord(name[0])):
            await self.go.wait()
            self.had.append(name)

    async def begin(self, *names: str) -> list[asyncio.Task[None]]:
        """Let them wait; a name begins with its key."""
        tasks = [asyncio.create_task(self.work(name)) for name in names]
        await asyncio.sleep(0)
        return tasks


async def test_keys_take_turns() -> None:
    """However many of one key wait, another's first comes next; of one key the first comes first."""
    crowd = Crowd()
    tasks = await crowd.begin("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    crowd.go.set()
    await asyncio.gather(*tasks)
    assert crowd.had == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
    async with asyncio.timeout(1), crowd.turns.of(1):
        pass


@pytest.mark.parametrize("late", [False, True], ids=["while it waits", "as its turn comes"])
async def test_work_that_is_cancelled_passes_its_turn_on(late: bool) -> None:
    """Also if it is cancelled when it has been given the turn, and has not begun."""
    crowd = Crowd()
    async with crowd.turns.of(ord("a")):
        second, third = await crowd.begin("a2", "a3")
        if not late:
            second.cancel()
    if late:
        second.cancel()
    crowd.go.set()
    await asyncio.wait_for(asyncio.gather(second, third, return_exceptions=True), 1)
    assert (second.cancelled(), crowd.had) == (True, ["a3"])
