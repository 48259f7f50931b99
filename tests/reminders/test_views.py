"""The reminder to practise, and its card."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.reminders import views
from bot.reminders.model import Reminder
from tests.messages import labels, reads

AT = datetime(2027, 1, 5, 8, tzinfo=UTC)


def test_what_is_sent() -> None:
    """Plain words, which a phone shows, and two buttons."""
    assert views.reminder(1).content.startswith("**1 question is due today.**")
    message = views.reminder(2_500)
    assert message.content.startswith("**2,500 questions are due today.**")
    assert labels(message) == ["Practise now", "Turn off"]


def test_the_card_of_a_reminder_that_turned_itself_off() -> None:
    """It says why, and asks whether the reminder should come."""
    card = views.card(Reminder(1, "09:00", None, "It could not be sent."), "Europe/Berlin")
    assert "⚠️ It could not be sent. By direct message, every day at 09:00" in reads(card)
    assert labels(card) == ["Yes", "Another time"]
