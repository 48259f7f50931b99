"""Long Python runs in one thread, one call at a time; waiters for a lock take turns by key."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar
from functools import partial

import pytest

from bot.core.computing import FairLock, FileProcess, FileTooMuch, compute, in_thread
from tests.errors import ANY_ERROR, Unpicklable, Unreadable, refusal_of
from tests.patience import PATIENCE

NAME: ContextVar[str] = ContextVar("name")


async def test_calls_wait_for_each_other() -> None:
    """The second call starts when the first has ended, also if the first caller is cancelled."""
    started = threading.Event()
    released = threading.Event()
    ended: list[str] = []

    def first() -> None:
        started.set()
        released.wait(PATIENCE)
        ended.append("first")

    cancelled = asyncio.create_task(compute(first))
    second = asyncio.create_task(compute(lambda: ended.append("second")))
    await asyncio.to_thread(started.wait, PATIENCE)
    cancelled.cancel()
    released.set()
    await second
    assert ended == ["first", "second"]


async def test_a_call_has_its_callers_context() -> None:
    """The simulated Discord keeps its clock there."""
    NAME.set("caller's")
    assert await compute(NAME.get) == "caller's"


def fail(kind: type[BaseException]) -> None:
    raise kind("no luck")


@pytest.mark.parametrize("kind", ANY_ERROR)
async def test_no_error_hangs_anything(kind: type[BaseException]) -> None:
    """Whatever a function raises in a thread or a process, its caller learns it, and the next works."""
    files = FileProcess()
    through_process = refusal_of(kind) if issubclass(kind, Exception) else RuntimeError
    if kind in {Unreadable, Unpicklable}:
        through_process = RuntimeError
    if kind is MemoryError:
        through_process = FileTooMuch
    async with asyncio.timeout(PATIENCE) as deadline:
        for run in (compute, in_thread):
            with pytest.raises(refusal_of(kind)):
                await run(fail, kind)
        with pytest.raises(through_process):
            await files.run(partial(fail, kind))
        assert await files.run(partial(len, "four")) == await compute(len, "four") == 4
        assert not deadline.expired()  # a kind may be the time limit's own cancellation


class Waiters:
    """Tasks that want the lock in the order of their names, and the order they got it in.

    The first letter of a name is its key.
    """

    def __init__(self) -> None:
        self.lock = FairLock()
        self.served: list[str] = []
        self.go = asyncio.Event()

    async def _wait(self, name: str) -> None:
        async with self.lock.acquire(ord(name[0])):
            await self.go.wait()
            self.served.append(name)

    async def start(self, *names: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self._wait(name)) for name in names]
        await asyncio.sleep(0)
        return tasks


async def test_keys_take_turns() -> None:
    """One waiter of each key is served before the second of any; within a key, the first comes first."""
    waiters = Waiters()
    tasks = await waiters.start("a1", "a2", "a3", "a4", "b1", "b2", "c1")
    waiters.go.set()
    await asyncio.gather(*tasks)
    assert waiters.served == ["a1", "a2", "b1", "c1", "a3", "b2", "a4"]
    async with asyncio.timeout(1), waiters.lock.acquire(1):
        pass


@pytest.mark.parametrize("late", [False, True], ids=["while it waits", "when it gets the lock"])
async def test_a_cancelled_waiter_hands_the_lock_over(late: bool) -> None:
    """This includes a waiter that has been given the lock and has not run yet."""
    waiters = Waiters()
    async with waiters.lock.acquire(ord("a")):
        second, third = await waiters.start("a2", "a3")
        if not late:
            second.cancel()
    if late:
        second.cancel()
    waiters.go.set()
    await asyncio.wait_for(asyncio.gather(second, third, return_exceptions=True), 1)
    assert (second.cancelled(), waiters.served) == (True, ["a3"])
