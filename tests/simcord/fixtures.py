"""The real bot on an in-process Discord with virtual time, driven as members would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import simcord
from simcord import env

from bot.chat import pace
from bot.chat.replies import sentence
from bot.core import jobs as scheduler
from tests.patience import PATIENCE
from tests.simcord.stage import SOON, Stage

# simcord waits 50 ms of real time after each click for callbacks that are done already.
_defaults = simcord.Env._settle_internal.__kwdefaults__
assert _defaults is not None
_defaults["idle"] = 0.0005


def _later_than_soon(
    parked: Callable[[Any, Any, float], bool],
) -> Callable[[Any, Any, float], bool]:
    """Tell what waits for a timer by `SOON`, where simcord tells it by the limit of the whole wait.

    That is one number there: a limit that a busy machine never reaches would have it wait for every timer.
    """
    return lambda state, waiting, deadline: parked(state, waiting, deadline - PATIENCE + SOON)


_validated = simcord.Env._validate_timeout


def _patiently(value: float, name: str) -> float:
    """Give a start and a restart, for which simcord has five seconds, the time of any other wait."""
    return PATIENCE if name == "timeout" else _validated(value, name)


simcord.Env._validate_timeout = staticmethod(_patiently)  # type: ignore[method-assign]
for _name in ("_is_parked", "_callback_is_parked"):
    setattr(env, _name, _later_than_soon(getattr(env, _name)))


@pytest.fixture(autouse=True)
def long_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scheduler looks at the wall clock every 30 s in case it jumps; virtual days need not."""
    monkeypatch.setattr(scheduler, "_LONGEST_SLEEP", timedelta(hours=2))


@pytest.fixture(autouse=True)
def no_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's clock, by which requests are paced, jumps between real and virtual time here."""

    async def at_once(_self: pace.Pace, _server: int, *, urgent: bool) -> None:
        pass

    monkeypatch.setattr(pace.Pace, "turn", at_once)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage.open(tmp_path / "quiz.db") as opened:
        yield opened
        assert (
            len([error for error in opened.env.errors if sentence(error) is None])
            == opened.expected_errors
        )
