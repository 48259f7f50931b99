"""A member's day in words, the same on every screen."""

from __future__ import annotations

from bot.chat import text as t
from bot.members.model import Streak
from bot.memory.model import Today

DONE = "Done for today ✓"


def amount(today: Today) -> str:
    """Say what is to do: `6 questions, about 4 minutes`, or that the day is done, or off."""
    if today.is_done:
        return DONE
    if today.is_off:
        return "A day off"
    if not today.to_do:
        return "Nothing to practise today"
    return f"{t.count(today.to_do, 'question')}, about {t.count(today.minutes, 'minute')}"


def todays(today: Today) -> str:
    """Say the same in a line of a screen about something else."""
    return f"Today: {amount(today)}" if today.to_do else amount(today)


def tomorrow(today: Today) -> str:
    """Say what comes tomorrow: `tomorrow: 6 questions`."""
    return f"tomorrow: {t.count(today.tomorrow, 'question') if today.tomorrow else 'a day off'}"


def met_and_known(met: int, known: float) -> str:
    """Say how far a member is with some questions: `10 met · 8 known`."""
    return f"{met:,} met · {round(known):,} known"


def days_in_a_row(streak: Streak) -> str | None:
    """Say how long a streak is, in bold; None if there is none."""
    if streak.current < 2:
        return "**1 day so far**" if streak.current else None
    return f"**{streak.current:,} days in a row**"


def brings_back(brought_back: tuple[int, int]) -> str:
    """Say what the points that an open answer missed bring back; empty if nothing."""
    items, days = brought_back
    come = "comes" if items == 1 else "come"
    return f"{t.count(items, 'question')} on this {come} {t.days_ahead(days)}" if items else ""
