"""How yesterday's practice went, for the reminder."""

from __future__ import annotations

from datetime import timedelta

from bot.core.calendar import local_date
from bot.memory.today import DayFacts


def yesterday(facts: DayFacts) -> tuple[int, int]:
    """Return how many questions of yesterday's practice were right at first, and how many it had."""
    known, day = facts.known, facts.known.today - timedelta(days=1)
    of_day = [each for each in facts.practised if local_date(known.zone, each.at) == day]
    missed = {each.item_id: each.missed for each in reversed(of_day)}
    return len(missed) - sum(missed.values()), len(missed)
