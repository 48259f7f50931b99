"""How yesterday's practice went, for the reminder."""

from __future__ import annotations

from datetime import time, timedelta

from bot.core.calendar import Rule, instant
from bot.memory.today import DayFacts


def yesterday(facts: DayFacts) -> tuple[int, int]:
    """Return how many questions of yesterday's practice were right in the end, and how many it had."""
    midnight = Rule(time(0), facts.known.zone)
    today = facts.known.today
    begin, end = instant(midnight, today - timedelta(days=1)), instant(midnight, today)
    missed = {each.item_id: each.missed for each in facts.practised if begin <= each.at < end}
    return len(missed) - sum(missed.values()), len(missed)
