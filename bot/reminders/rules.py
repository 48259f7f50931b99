"""How yesterday's practice went, for the reminder."""

from __future__ import annotations

from datetime import time, timedelta

from bot.core.calendar import Rule, instant
from bot.memory.today import DayFacts


def yesterday(facts: DayFacts) -> tuple[int, int]:
    """Return how many questions of yesterday's practice were right at first, and how many it had."""
    midnight = Rule(time(0), facts.known.zone)
    today = facts.known.today
    begin, end = instant(midnight, today - timedelta(days=1)), instant(midnight, today)
    given = [each for each in facts.practised if begin <= each.at < end]
    missed = {each.item_id: each.missed for each in reversed(given)}
    return len(missed) - sum(missed.values()), len(missed)
