"""The page of a member's day: what is to do, or that it is done."""

from __future__ import annotations

from discord import ui

from bot.chat import text as t
from bot.chat.messages import OPEN, PRIMARY, REVEALED, Message, button, row
from bot.chat.router import Route
from bot.daily.views import TODAY
from bot.memory.model import Today
from bot.memory.views import amount, in_a_row, tomorrow
from bot.questions.views import PRACTISE
from bot.reminders.views import CHANGE

MORE = Route("more", {}, once=True)
"""Goes on beyond the day's questions."""
_MOST_DAILIES = 3


def page(today: Today, said: str | None = None) -> Message:
    """Return what the day holds; `said` is about what has just ended."""
    done = not today.to_do and today.done
    heading = amount(today)
    if done and today.dailies:
        heading = "Practice done ✓"
    lines = [said, _standing(today, done=bool(done))]
    if done:
        lines.append(_gained(today))
    lines += [f"📅 {t.one_line(name)}: open" for _, name in today.dailies]
    return Message(
        REVEALED if done else OPEN,
        f"### {heading}",
        "\n".join(filter(None, lines)) or None,
        row(*_steps(today)),
    )


def _standing(today: Today, *, done: bool) -> str | None:
    """Say how long the streak is and, once the day is done, what comes tomorrow."""
    parts = [in_a_row(today), tomorrow(today) if done else None]
    return " · ".join(filter(None, parts)) or None


def _gained(today: Today) -> str:
    """Say what the day's practice brought: `8 of 10 right: 4 new, 2 you had missed`."""
    gained = [f"{today.new:,} new"] if today.new else []
    gained += [f"{today.regained:,} you had missed"] if today.regained else []
    return f"{today.right:,} of {today.done:,} right" + (": " + ", ".join(gained) if gained else "")


def _steps(today: Today) -> list[ui.Button[ui.LayoutView]]:
    """Return the buttons that go on; the first is the one next step."""
    steps = [
        (t.cut(t.one_line(name), 40), TODAY.id(row=daily_id))
        for daily_id, name in today.dailies[:_MOST_DAILIES]
    ]
    if today.to_do:
        steps.append(("Practise", PRACTISE.id(topic="")))
    elif today.may_remind and not steps:
        steps.append(("Remind me tomorrow at this time", CHANGE.id(what="tomorrow")))
    found = [
        button(label, custom_id, *([PRIMARY] if not n else []))
        for n, (label, custom_id) in enumerate(steps)
    ]
    if not today.to_do and today.more:
        found.append(button("More", MORE.id()))
    return found
