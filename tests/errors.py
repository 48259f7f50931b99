"""Errors of all kinds, also those that futures, threads and processes can't carry."""

from __future__ import annotations

import asyncio


class Unprintable(Exception):
    """Can't be shown."""

    def __str__(self) -> str:
        raise ValueError


class Unreadable(Exception):
    """Can't be made again from its arguments, as pickle does."""

    def __init__(self, words: str) -> None:
        super().__init__(words, "and more")


class Unpicklable(Exception):
    """Holds what can't leave its process."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.held = lambda: words


ANY_ERROR: list[type[BaseException]] = [
    LookupError,
    MemoryError,
    StopIteration,
    StopAsyncIteration,
    Unprintable,
    Unreadable,
    Unpicklable,
    asyncio.CancelledError,
    GeneratorExit,
    KeyboardInterrupt,
    SystemExit,
]


def refusal_of(kind: type[BaseException]) -> type[BaseException]:
    """The error that a caller gets through a future for one of a kind."""
    return RuntimeError if kind is StopIteration else kind
