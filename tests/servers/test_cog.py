"""/help."""

from __future__ import annotations

import re

from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, reply

__all__ = ["long_sleeps", "no_pace", "stage"]


async def test_help_for_members_and_managers(stage: Stage) -> None:
    """Clickable mentions of what to do first; managers read about the daily too."""
    member = reply(await stage.ada.slash(stage.quiz, "help"))
    assert re.search(r"</quiz start:\d+> starts a round", member)
    assert "For managers" not in member
    assert re.search(r"</daily setup:\d+>", reply(await stage.manager.slash(stage.quiz, "help")))
