"""Threads that run one call at a time, so that at most one long computation delays clicks.

Each further thread that computes delays every click as much as the first one does, and none
finishes sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class SingleThread:
    """A thread for what would block the event loop: long Python, or waiting for a child process.

    The few threads of `asyncio.to_thread` are for short work: name look-ups need them too.
    """

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function like `asyncio.to_thread`, but after the calls that came before."""
        call = partial(copy_context().run, function, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._pool, call)

    def close(self) -> None:
        """Wait, blocking, for all calls made so far, and end the thread."""
        self._pool.shutdown()


compute = SingleThread("computing").run
"""Runs long computations, in one thread for all features."""
