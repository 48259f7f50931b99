"""The next step of a player, and when a challenge is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.challenges import rules
from bot.challenges.rules import PlayerStep

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
CLOSE = NOW + timedelta(hours=1)


def s(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_question_has_its_time_but_no_longer_than_the_challenge() -> None:
    """The clock of a question that is shown just before the close stops there."""
    assert rules.deadline(NOW, 20, CLOSE) == s(20)
    assert rules.deadline(s(3590), 20, CLOSE) == CLOSE


@pytest.mark.parametrize(
    ("number", "open_until", "now", "step"),
    [
        (0, None, NOW, PlayerStep.ASK),
        (2, None, NOW, PlayerStep.ASK),
        (2, s(5), NOW, PlayerStep.ANSWER),
        (2, NOW, NOW, PlayerStep.ANSWER),  # as an answer given just now counts
        (2, s(-0.001), NOW, PlayerStep.ASK),
        (3, s(5), NOW, PlayerStep.ANSWER),
        (3, s(-1), NOW, PlayerStep.DONE),
        (3, None, NOW, PlayerStep.DONE),
        (0, None, CLOSE, PlayerStep.OVER),
        (2, CLOSE, CLOSE, PlayerStep.OVER),
    ],
)
def test_next_step(
    number: int, open_until: datetime | None, now: datetime, step: PlayerStep
) -> None:
    """Nobody gets a question while another one runs, after the last, or after the close."""
    assert (
        rules.next_step(has_more=number < 3, open_until=open_until, closes_at=CLOSE, now=now)
        is step
    )


def test_who_may_play_it() -> None:
    """One with a named member is for these two; any other is for everyone."""
    assert rules.may_play(9, 1, None)
    assert [rules.may_play(user, 1, 2) for user in (1, 2, 3)] == [True, True, False]


def test_when_it_is_over() -> None:
    """At its time, or when both of two are done; however many are done of one that is for all, it stays open."""
    over = [
        rules.is_over(closes_at=CLOSE, named=named, finished=finished, at=at)
        for named, finished, at in (
            (False, 99, NOW),
            (True, 1, NOW),
            (True, 2, NOW),
            (False, 0, CLOSE),
            (True, 0, CLOSE),
        )
    ]
    assert over == [False, False, True, True, True]


def test_when_it_is_due() -> None:
    """At the close, or half a minute after the next finish; a pair's finish is shown at once."""
    assert rules.due_at(CLOSE, named=False, next_finish=None) == CLOSE
    assert rules.due_at(CLOSE, named=False, next_finish=s(15)) == s(45)
    assert rules.due_at(CLOSE, named=True, next_finish=s(15)) == s(15)
    assert rules.due_at(CLOSE, named=False, next_finish=s(3580)) == CLOSE
