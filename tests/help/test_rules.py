"""The next steps that /help suggests."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.help.rules import Done, Step, first_steps

ALL_DONE = Done(True, True, True, practised=True, planned=True, interviewed=True, reminded=True)


@pytest.mark.parametrize(
    ("done", "steps"),
    [
        (Done(), ["practise", "plan", "interview"]),
        (Done(played=False), ["play", "practise", "plan"]),
        (Done(set_up=False, today=None, played=False), ["set up", "play", "practise"]),
        (Done(today=False, played=True, practised=True), ["today", "plan", "interview"]),
        (replace(ALL_DONE, due=4), ["practise"]),
        (replace(ALL_DONE, reminded=False), ["remind"]),
        (ALL_DONE, []),
    ],
)
def test_first_steps(done: Done, steps: list[str]) -> None:
    """Up to three steps are suggested, all of them possible where the member asks."""
    assert first_steps(done) == [Step(step) for step in steps]
