"""When a milestone is reached."""

from __future__ import annotations

import pytest

from bot.milestones.rules import STREAKS, Kind, Milestone, needed, streaks_reached


def test_streaks() -> None:
    """A streak reaches every milestone up to its length, and no section."""
    streaks = [Milestone(Kind.STREAK, str(days), days) for days in STREAKS]
    section = Milestone(Kind.SECTION, "3", 3)
    assert [each.name for each in streaks] == ["7", "30", "100"]
    assert streaks_reached([section, *streaks], 6) == []
    assert streaks_reached([section, *streaks], 7) == streaks[:1]
    assert streaks_reached([section, *streaks], 99) == streaks[:2]


@pytest.mark.parametrize(("questions", "learned"), [(10, 8), (11, 9), (12, 10), (230, 184)])
def test_a_known_section(questions: int, learned: int) -> None:
    """80% of its questions must be learned, rounded up."""
    assert needed(questions) == learned
