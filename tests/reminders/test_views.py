"""The reminder to practise, and its card."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from bot.members.model import Streak
from bot.memory.model import Today
from bot.memory.views import amount
from bot.reminders import views
from bot.reminders.model import Reminder
from tests.memory.test_today import Member
from tests.messages import height, labels, reads

NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def day(**changed: Any) -> Today:
    return replace(Member().today(NOW), **changed)


def test_what_is_sent() -> None:
    """Plain words, which a phone shows: what today holds, as other screens say it, and what was achieved."""
    some = day(ahead=6, minutes=4, streak=Streak(3, 3, 0, 0))
    message = views.reminder(some, (8, 10))
    assert message.content == (
        f"**Today: {amount(some)}.**\n**3 days in a row** · yesterday 8 of 10 right"
    )
    assert labels(message) == ["Practise", "Turn off"]
    assert "yesterday" not in views.reminder(some, (0, 0)).content
    elsewhere = replace(some, elsewhere=(("Papers", "https://a"), ("*Two*", "https://b")))
    assert views.reminder(elsewhere, (0, 0)).content.endswith("\nAlso open: Papers, \\*Two\\*")
    nothing_yet = views.reminder(day(streak=Streak()), (0, 0)).content
    assert nothing_yet.endswith(".**")


def test_the_card() -> None:
    """It asks, or says when the next one comes in their zone, or why none does. It fits a phone."""
    on = Reminder(1, "09:00", NOW + timedelta(hours=20))
    late = replace(on, at="23:30", next_at=NOW + timedelta(hours=10, minutes=30))
    off = replace(on, next_at=None)
    asked = "Every day at 09:00?"
    for found, zone, words, buttons in (
        (None, None, "Every evening at 19:00? A direct message. Never", "Yes"),
        (None, "America/New_York", "A direct message, New York time.", "Yes"),
        (on, BERLIN, "every day at 09:00 Next: tomorrow, Berlin time.", "Another time"),
        (late, BERLIN, "every day at 23:30 Next: today, Berlin time.", "Another time"),
        (off, "UTC", f"Your reminder is off. {asked} A direct message, UTC.", "Yes"),
        (replace(off, problem="It failed."), None, f"It failed. {asked}", "Yes"),
    ):
        card = views.card(found, zone, NOW)
        assert words in reads(card).replace("### ", "").replace("-# ", "")
        assert labels(card)[0] == buttons
        assert height(card) <= 8
