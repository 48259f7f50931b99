"""The reminder to practise, and the message of /remind."""

from __future__ import annotations

from bot.chat import text as t
from bot.chat.messages import ENDED, OPEN, PRIMARY, Message, PlainMessage, button, row
from bot.chat.router import Route
from bot.core.zones import stored_zone
from bot.plan.model import DayShare
from bot.plan.views import goal_words
from bot.practice.views import PRACTISE
from bot.reminders.store import Reminder

REMIND = Route("remind", {"what": "pause|resume"}, once=True)

_TITLE = "### Practice reminder"
_TO_GO = {0: "Your interview is today", 1: "Your interview is tomorrow"}


def reminder(due: int, goal: DayShare | None = None, *, last: bool = False) -> PlainMessage:
    """Return the direct message. It is plain text, so that a phone's notification shows it.

    With a plan it names the day's goal, else the number of questions that are due.
    """
    waiting = t.count(due, "question is", "questions are")
    words = f"**{waiting} due today.** A few minutes keep them fresh."
    if goal is not None:
        words = f"**Today's goal: {goal_words(goal)}.** {_TO_GO.get(goal.days, f'{goal.days:,} days to go')}."
    practise = button("Practise now", PRACTISE.id(topic=""), PRIMARY)
    if last:
        words += "\nYou haven't used my last ten reminders, so this is the last one. Turn them back on with </remind>."
        return PlainMessage(words, practise, button("Keep reminding me", REMIND.id(what="resume")))
    return PlainMessage(words, practise, button("Pause", REMIND.id(what="pause")))


def state(found: Reminder | None) -> Message:
    """Say when a member's reminder comes, and how to change it."""
    if found is None:
        return Message(
            ENDED, f"{_TITLE}\nOff. Turn it on with </remind> and a time, for example `time:09:00`."
        )
    when = f"every day at **{found.at}** ({stored_zone(found.zone).key}), by direct message, if something is due"
    if found.next_at is None:
        why = f"⚠️ {found.problem}\n" if found.problem else ""
        resume = row(button("Resume", REMIND.id(what="resume"), PRIMARY))
        return Message(ENDED, f"{_TITLE}\n{why}Paused. It used to come {when}.", resume)
    return Message(
        OPEN,
        f"{_TITLE}\nIt comes {when}.\n-# Next check: {t.when(found.next_at, 'f')}",
        row(button("Pause", REMIND.id(what="pause"))),
    )
