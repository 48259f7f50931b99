"""The reminder to practise, and what /remind shows."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.reminders import views
from bot.reminders.store import Reminder
from tests.messages import labels, reads


def test_reminders() -> None:
    """The message, and what /remind shows: off, on, and stopped with its reason."""
    at = datetime(2027, 1, 5, 8, tzinfo=UTC)
    assert "1 question is due today." in reads(views.reminder(1))
    message = views.reminder(2_500)
    assert "2,500 questions are due today." in reads(message)
    assert labels(message) == ["Practise", "Turn off"]
    assert labels(views.state(None)) == []
    on = views.state(Reminder(1, "09:00", "Europe/Berlin", at, None))
    assert f"Next look <t:{int(at.timestamp())}:R>" in reads(on)
    assert labels(on) == ["Turn off"]
    stopped = views.state(Reminder(1, "09:00", "Europe/Berlin", None, "Discord does not let me."))
    assert "Stopped. Discord does not let me." in reads(stopped)
