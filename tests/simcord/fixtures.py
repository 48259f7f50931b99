"""The real bot on an in-process Discord with virtual time."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import simcord
from simcord import env

from bot.chat import rate_limit
from bot.chat.replies import explain
from bot.core import jobs as scheduler
from tests.patience import PATIENCE
from tests.simcord.stage import SOON, Stage

# after each click simcord waits 50 ms of real time for callbacks that have already run
_defaults = simcord.Env._settle_internal.__kwdefaults__
assert _defaults is not None
_defaults["idle"] = 0.0005


def _later_than_soon(
    parked: Callable[[Any, Any, float], bool],
) -> Callable[[Any, Any, float], bool]:
    """Limit how long simcord waits for timers to `SOON`, which it would derive from the whole
    timeout.

    With one number for both, a long timeout would make it wait for every timer.
    """
    return lambda state, waiting, deadline: parked(state, waiting, deadline - PATIENCE + SOON)


_validated = simcord.Env._validate_timeout


def _patiently(value: float, name: str) -> float:
    """Extend simcord's five seconds for a start or restart to our usual timeout."""
    return PATIENCE if name == "timeout" else _validated(value, name)


simcord.Env._validate_timeout = staticmethod(_patiently)  # type: ignore[method-assign]
for _name in ("_is_parked", "_callback_is_parked"):
    setattr(env, _name, _later_than_soon(getattr(env, _name)))


@pytest.fixture(autouse=True)
def long_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scheduler sleep longer than 30 s, because virtual time needs no checks of the wall
    clock.
    """
    monkeypatch.setattr(scheduler, "_LONGEST_SLEEP", timedelta(hours=2))


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn the rate limiter off. Its clock jumps between real and virtual time here."""

    async def return_at_once(_self: rate_limit.RateLimiter, _server: int, *, urgent: bool) -> None:
        pass

    monkeypatch.setattr(rate_limit.RateLimiter, "wait", return_at_once)
    monkeypatch.setattr(rate_limit.RateLimiter, "is_busy", lambda _self: False)


@pytest.fixture
async def stage(
    migrated: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Stage]:
    async with Stage.open(Path(shutil.copy(migrated, tmp_path))) as opened:
        yield opened
        raised = [error for error in opened.env.errors if explain(error) is None]
        told = [r.getMessage() for r in caplog.get_records("call") if r.levelname == "ERROR"]
        told = [text for text in told if text.startswith("error ")]  # with an id, by `report_error`
        assert len(raised) <= opened.expected_errors == len(told), (raised, told)
