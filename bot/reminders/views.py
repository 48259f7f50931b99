"""The reminder to practise, and what a member reads about it."""

from __future__ import annotations

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, button, row
from bot.chat.router import Route
from bot.practice.views import PRACTISE
from bot.reminders.store import Reminder

QUIET = Route("quiet", {}, once=True)

_TITLE = "### Practice reminder"


def reminder(due: int) -> Message:
    """The daily direct message."""
    waiting = t.count(due, "question is", "questions are")
    return Message(
        OPEN,
        "### Time to practise",
        f"**{waiting}** due today. A few minutes keep them fresh.",
        row(button("Practise", PRACTISE.id(topic=""), PRIMARY), button("Turn off", QUIET.id())),
    )


def state(found: Reminder | None) -> Message:
    """What a member has set, and how to change it."""
    if found is None:
        return Message(ENDED, f"{_TITLE}\nOff. Turn it on with </remind> and a time, for example `time:09:00`.")
    off = row(button("Turn off", QUIET.id()))
    if found.problem is not None or found.next_at is None:
        again = "Allow direct messages from a server that we share, then use </remind> with a time again."
        return Message(ENDED, f"{_TITLE}\n⚠️ Stopped. {found.problem or ''} {again}", off)
    return Message(
        OPEN,
        f"{_TITLE}\nEvery day at **{found.at}** ({found.zone}), by direct message, if something is due.\n"
        f"-# Next look {t.when(found.next_at)}",
        off,
    )
