"""The members of a challenge, and when it is due."""

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


def test_who_may_play() -> None:
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
