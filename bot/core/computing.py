"""One thread for what takes Python long, so that clicks share the interpreter with one such call.

Each further thread that computes delays every click as much as the first one does, and none
finishes sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="computing")


async def compute(function: Callable[[], T]) -> T:
    """Run a function like `asyncio.to_thread`, but after the calls that came before."""
    return await asyncio.get_running_loop().run_in_executor(_THREAD, copy_context().run, function)
