"""The reminder to practise, and its card."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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


@pytest.mark.parametrize(
    ("reminder", "said", "buttons"),
    [
        (None, "every day at 19:00 (Europe/Berlin), if something is due?", ["Yes", "Another time"]),
        (
            Reminder(1, "09:00", AT),
            f"every day at 09:00 (Europe/Berlin), if something is due. Next check: <t:{int(AT.timestamp())}:f>",
            ["Another time", "Turn off"],
        ),
        (
            Reminder(1, "09:00", None, "It could not be sent."),
            "⚠️ It could not be sent. By direct message, every day at 09:00",
            ["Yes", "Another time"],
        ),
    ],
)
def test_the_card(reminder: Reminder | None, said: str, buttons: list[str]) -> None:
    """It asks whether the reminder should come, or says when it does."""
    card = views.card(reminder, "Europe/Berlin")
    assert said in reads(card)
    assert labels(card) == buttons
