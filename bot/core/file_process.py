"""The process that reads and writes files for managers and members, one file at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bot.core.child_process import CallEnded, Limits, Process
from bot.core.computing import SingleThread
from bot.core.limits import MAX_FILE_MEMORY, MAX_FILE_SECONDS

T = TypeVar("T")
TOO_MUCH = f"more than {MAX_FILE_SECONDS} seconds or too much memory"
"""The limits of the process, in words for those whose file it did not finish."""
_PROCESS = Process(Limits(seconds=MAX_FILE_SECONDS, memory=MAX_FILE_MEMORY))
_WAITING = SingleThread("files")
"""Waits for the child process, which reads and writes one file at a time."""


class FileTooMuch(Exception):
    """A file took more time or memory than the process for files has."""


class FileProcess:
    """Runs functions in the process for files, in the order of the calls."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    async def run(self, work: Callable[[], T]) -> T:
        """Return or raise what `work` does; raises FileTooMuch at the limits."""
        async with self._lock:
            try:
                return await _WAITING.run(_PROCESS.call, work)
            except asyncio.CancelledError:  # otherwise the bot's shutdown would wait for the thread
                _PROCESS.kill()
                raise
            except (CallEnded, MemoryError) as error:
                raise FileTooMuch(f"the file took {TOO_MUCH}") from error
