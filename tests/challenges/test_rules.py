"""The next step of a player, and when a challenge is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.challenges import rules
from bot.challenges.rules import NextStep

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
        (0, None, NOW, NextStep.ASK),
        (2, None, NOW, NextStep.ASK),
        (2, s(5), NOW, NextStep.ANSWER),
        (2, NOW, NOW, NextStep.ANSWER),  # as an answer given just now counts
        (2, s(-0.001), NOW, NextStep.ASK),
        (3, s(5), NOW, NextStep.ANSWER),
        (3, s(-1), NOW, NextStep.DONE),
        (3, None, NOW, NextStep.DONE),
        (0, None, CLOSE, NextStep.OVER),
        (2, CLOSE, CLOSE, NextStep.OVER),
    ],
)
def test_next_step(number: int, open_until: datetime | None, now: datetime, step: NextStep) -> None:
    """Nobody gets a question while another one runs, after the last, or after the close."""
    assert (
        rules.next_step(has_more=number < 3, open_until=open_until, closes_at=CLOSE, now=now)
        is step
    )


def test_who_may_take_it() -> None:
    """One with a named member is for these two; any other is for everyone."""
    assert rules.may_take(9, 1, None)
    assert [rules.may_take(user, 1, 2) for user in (1, 2, 3)] == [True, True, False]


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


def look(**known: object) -> datetime:
    usual = {"now": NOW, "closes_at": CLOSE, "named": False, "shown": 0, "finished": 0}
    usual |= {"next_finish": None, "edited_at": None}
    return rules.next_update(**{**usual, **known})  # type: ignore[arg-type]


def test_counts_are_merged() -> None:
    """The first count comes at once, the next ones half a minute apart, and none where nothing has changed."""
    assert look() == CLOSE
    assert look(finished=1) == NOW
    assert look(finished=2, shown=1, edited_at=s(-10)) == s(20)
    assert look(finished=2, shown=1, edited_at=s(-60)) == NOW
    assert look(finished=2, shown=2, edited_at=s(-1)) == CLOSE


def test_a_last_question_that_runs_out_is_waited_for() -> None:
    """A player finishes when the time of the last question is up, without a click."""
    assert look(next_finish=s(15)) == s(15)
    assert look(next_finish=s(15), shown=1, finished=1, edited_at=s(0)) == s(30)
    assert look(next_finish=s(15), shown=1, finished=1, edited_at=s(0), named=True) == s(15)
    assert look(next_finish=s(4000)) == CLOSE
