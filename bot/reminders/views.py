"""The reminder to practise, and the card and the form to set it."""

from __future__ import annotations

from datetime import datetime

from discord import ui

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, PlainMessage, button, row
from bot.chat.modals import fields_modal, text_field, zone_fields
from bot.chat.router import Route
from bot.core.calendar import local_date
from bot.core.servers import DEFAULT_ZONE
from bot.core.zones import stored_zone
from bot.memory.model import Today
from bot.memory.views import amount, days_in_a_row
from bot.questions.views import PRACTISE
from bot.reminders.model import Reminder

REMIND = Route("remind", {})
"""Opens the card."""
CHANGE = Route("reminder", {"what": "on|time|off|tomorrow"}, once=True)
FORM = Route("remindat", {}, once=True)
EVENING = "19:00"
"""When reminders come if nothing else is wanted."""


def reminder(today: Today, yesterday: tuple[int, int]) -> PlainMessage:
    """Return the direct message. It is plain text, so that a phone's notification shows it.

    `yesterday` says how many questions of its practice were right, and how many there were.
    """
    right, done = yesterday
    also = ", ".join(t.one_line(name) for name, _ in today.elsewhere)
    achieved = [
        days_in_a_row(today.streak),
        f"yesterday {right:,} of {done:,} right" if done else None,
    ]
    words = [
        f"**Today: {amount(today)}.**",
        " · ".join(filter(None, achieved)),
        f"Also open: {also}" if also else None,
    ]
    practise = button("Practise", PRACTISE.id(topic=""), PRIMARY)
    turn_off = button("Turn off", CHANGE.id(what="off"))
    return PlainMessage("\n".join(filter(None, words)), practise, turn_off)


def card(found: Reminder | None, zone: str | None, now: datetime) -> Message:
    """Say when a member's reminder comes, or ask whether it should come.

    `zone` is None if nothing tells theirs.
    """
    where = "" if zone is None else f", {_clock(zone)}"
    not_always = "Never on a day that's done or off."
    if found is not None and found.next_at is not None and zone is not None:
        is_today = local_date(zone, found.next_at) == local_date(zone, now)
        return Message(
            OPEN,
            f"### I'll write every day at {found.at}\n"
            f"-# Next: {'today' if is_today else 'tomorrow'}{where}. {not_always}",
            row(
                button("Another time", CHANGE.id(what="time")),
                button("Turn off", CHANGE.id(what="off")),
            ),
        )
    off = None if found is None else found.problem or "Your reminder is off."
    often = "Every evening at" if found is None else "Every day at"
    return Message(
        ENDED,
        off,
        f"### {often} {EVENING if found is None else found.at}?\n"
        f"-# A direct message{where}. {not_always}",
        row(*yes_or_another_time()),
    )


def yes_or_another_time() -> list[ui.Button[ui.LayoutView]]:
    """Return the buttons of the question whether the reminder should come."""
    yes = button("Yes", CHANGE.id(what="on"), PRIMARY)
    return [yes, button("Another time", CHANGE.id(what="time"))]


def _clock(zone: str) -> str:
    """Say whose clock is meant: `Berlin time`."""
    city = stored_zone(zone).key.rpartition("/")[2].replace("_", " ")
    return city if city == DEFAULT_ZONE else f"{city} time"


def form(at: str | None, zone: str | None, now: datetime) -> ui.Modal:
    """Return the form for the time, unless it is now, and for the time zone."""
    return fields_modal(
        "Remind me",
        FORM.id(),
        text_field("at", "Time, for example 09:00 or 18:30", at, 5) if at else None,
        *zone_fields(zone, now),
    )
