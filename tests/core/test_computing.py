"""Long Python runs in one thread, one call at a time."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

from bot.core.computing import compute
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
