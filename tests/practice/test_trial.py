"""The page after a newcomer's first questions."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from bot.memory.views import amount
from bot.practice import views
from bot.practice.model import Finished, Kind
from tests.memory.test_today import BANK, Member
from tests.messages import height, labels, reads

TODAY = Member().today(datetime(2027, 1, 4, tzinfo=UTC))


@pytest.mark.parametrize(
    ("on_server", "may_remind", "steps"),
    [
        (True, True, ["5 more for today", "Start a round with others"]),
        (True, False, ["5 more for today", "Start a round with others"]),
        (False, True, ["Yes", "Another time"]),
        (False, False, ["Practise"]),
    ],
)
def test_it_has_one_next_step(on_server: bool, may_remind: bool, steps: list[str]) -> None:
    """The rest of the day on a server, or a round; else a reminder, or today's practice for whoever has set one."""
    today = replace(TODAY, may_remind=may_remind)
    over = Finished(today, Kind.TRIAL, None, answered=3, right=2)
    (page,) = views.messages(over, BANK, on_server=on_server)
    (missed,) = views.messages(replace(over, right=0), BANK, on_server=on_server)
    assert "3 questions tried" in reads(missed)
    assert labels(page) == steps
    assert "2 of 3 right" in reads(page)
    assert ("Make it daily: 5 minutes at 19:00?" in reads(page)) is (steps[0] == "Yes")
    assert height(page) <= 12


def test_one_that_was_left_at_once() -> None:
    """Without an answer there is nothing to say of it, so it shows what today holds."""
    for answered in (0, None):
        over = Finished(TODAY, Kind.TRIAL, None, answered=answered)
        (page,) = views.messages(over, BANK, on_server=True)
        assert reads(page) == f"### {amount(TODAY)}"
        assert labels(page) == ["Practise"]
