"""The messages of a daily with choices: its end, and whom it pings."""

from __future__ import annotations

from bot.daily import views
from bot.daily.rules import DailyCard, DailyResult
from bot.questions.answers import Outcome
from tests.messages import reads
from tests.questions.test_views import AT, MEMBER, NOBODY, TOPIC, daily, daily_end
from tests.shipped import bank, item


def test_the_end_of_a_daily() -> None:
    """A closed daily says how many answered, how many were right, and the longest streaks of two days or more."""
    one = item(topic=TOPIC)
    made = DailyResult(1, one, (0, 1, 2, 3), Outcome(4, 1, {0: 1, 1: 3}), (("Ada", 12), (None, 2), ("Carl", 1)))
    text = reads(views.result(made, bank()))
    assert "4 answers · 25 % right" in text
    assert "Longest streaks: Ada 12 days · a member 2 days Why" not in text
    assert "Longest streaks: Ada 12 days · a member 2 days" in text
    assert "Carl" not in text
    assert "0 answers" in reads(daily_end(one, (0, 1, 2, 3), NOBODY))


def test_the_role_is_mentioned_once() -> None:
    """The card of the day names the role to ping once, and none if there is none."""
    one, order = item(topic=TOPIC), (0, 1, 2, 3)
    assert reads(daily(one, order)).count(f"<@&{MEMBER}>") == 1
    quiet = DailyCard(1, one, order, AT, None)
    assert daily(one, order).mentions().to_dict()["roles"] == [MEMBER]
    assert views.question(quiet, bank()).mentions().to_dict()["parse"] == []
    assert "<@&" not in reads(views.question(quiet, bank()))
