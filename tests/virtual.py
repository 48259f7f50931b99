"""An event loop with virtual time, for tests of timers without threads."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, ParamSpec

from tests.fakes import START

P = ParamSpec("P")
_BUSY = 20_000


class _Selector(selectors.DefaultSelector):
    loop: VirtualLoop
    turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everything waits for ever"
            self.loop.passed += timeout
        self.turns = 0 if timeout else self.turns + 1
        if self.turns > _BUSY:
            self.turns = 0
            raise AssertionError("a busy loop: work without any pause")
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer. It doesn't work with threads."""

    def __init__(self) -> None:
        self.passed = 0.0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.passed


def virtual(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a `VirtualLoop`. Its clock is `virtual_now`."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


def virtual_now() -> datetime:
    return START + timedelta(seconds=asyncio.get_running_loop().time())


def seconds_passed() -> float:
    return asyncio.get_running_loop().time()
