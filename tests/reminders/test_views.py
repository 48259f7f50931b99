"""The reminder to practise, and what /remind shows."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.reminders import views
from bot.reminders.store import Reminder
from tests.messages import labels, reads


def test_reminders() -> None:
    """The message in plain words, the last one, and what /remind shows: off, on, and paused with its reason."""
    at = datetime(2027, 1, 5, 8, tzinfo=UTC)
    assert views.reminder(1).content.startswith("**1 question is due today.**")
    message = views.reminder(2_500)
    assert message.content.startswith("**2,500 questions are due today.**")
    assert labels(message) == ["Practise now", "Pause"]
    last = views.reminder(3, last=True)
    assert "this is the last one. Turn them back on with </remind>." in last.content
    assert labels(last) == ["Practise now", "Keep reminding me"]
    assert labels(views.state(None)) == []
    on = views.state(Reminder(1, "09:00", "Europe/Berlin", at))
    assert f"Next check: <t:{int(at.timestamp())}:f>" in reads(on)
    assert labels(on) == ["Pause"]
    paused = views.state(Reminder(1, "09:00", "Europe/Berlin", None, "It could not be sent."))
    assert "⚠️ It could not be sent. Paused." in reads(paused)
    assert labels(paused) == ["Resume"]
