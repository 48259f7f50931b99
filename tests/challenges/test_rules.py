"""The deadlines of a challenge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.challenges import rules

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
CLOSE = NOW + timedelta(hours=1)


def s(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_question_has_its_time_but_no_longer_than_the_challenge() -> None:
    """The clock of a question that is shown just before the close stops there."""
    assert rules.deadline(NOW, 20, CLOSE) == s(20)
    assert rules.deadline(s(3590), 20, CLOSE) == CLOSE
