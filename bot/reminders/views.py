"""The reminder to practise, and the card and the form to set it."""

from __future__ import annotations

from datetime import datetime

from discord import ui

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, PlainMessage, button, row
from bot.chat.modals import fields_modal, text_field, zone_fields
from bot.chat.router import Route
from bot.core.zones import stored_zone
from bot.memory.model import Today
from bot.memory.views import amount, in_a_row
from bot.questions.views import PRACTISE
from bot.reminders.model import Reminder

REMIND = Route("remind", {})
"""Opens the card."""
CHANGE = Route("reminder", {"what": "on|time|off|tomorrow"}, once=True)
FORM = Route("remindat", {}, once=True)
USUAL_TIME = "19:00"


def reminder(today: Today) -> PlainMessage:
    """Return the direct message. It is plain text, so that a phone's notification shows it."""
    streak = in_a_row(today)
    words = f"**Today: {amount(today)}.**" + (f" You're at {streak}." if streak else "")
    practise = button("Practise now", PRACTISE.id(topic=""), PRIMARY)
    return PlainMessage(words, practise, button("Turn off", CHANGE.id(what="off")))


def card(found: Reminder | None, zone: str) -> Message:
    """Say when a member's reminder comes, or ask whether it should come."""
    at = found.at if found is not None else USUAL_TIME
    when = f"every day at **{at}** ({stored_zone(zone).key})"
    another = button("Another time", CHANGE.id(what="time"))
    if found is None or found.next_at is None:
        problem = f"⚠️ {found.problem}" if found is not None and found.problem else None
        return Message(
            ENDED,
            "### Remind me to practise",
            problem,
            f"By direct message, {when}, if something is due?",
            row(button("Yes", CHANGE.id(what="on"), PRIMARY), another),
        )
    return Message(
        OPEN,
        "### Remind me to practise",
        f"I'll write to you {when}, if something is due.\n"
        f"-# Next check: {t.when(found.next_at, 'f')}",
        row(another, button("Turn off", CHANGE.id(what="off"))),
    )


def form(at: str, zone: str, now: datetime) -> ui.Modal:
    """Return the form for the time and the time zone."""
    return fields_modal(
        "Remind me to practise",
        FORM.id(),
        text_field("at", "Time, for example 09:00 or 18:30", at, 5),
        *zone_fields(zone, now),
    )
