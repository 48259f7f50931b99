"""Milestones, and when a member reaches them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from bot.daily.streaks import MILESTONES

STREAKS = tuple(MILESTONES)
"""The lengths of a streak, in days, that can be milestones: those that a verdict congratulates on."""
SHORTEST_STREAK = min(STREAKS)
KNOWN_PERCENT = 80
"""A member knows a section once they have learned this share of its questions."""
FEWEST_QUESTIONS = 10
"""A section with fewer questions is known too soon to be a milestone."""
RECENT = timedelta(days=7)
"""Members who answered a section's questions within this time are looked at each night.

It is longer than a day because the bot may be off for some nights.
"""


class Kind(StrEnum):
    """The kinds of milestones."""

    STREAK = "streak"
    SECTION = "section"


class State(StrEnum):
    """The state of a role for a member.

    A process that gives it has claimed a row in state `giving`. A failed one waits for a retry.
    """

    WAITING = "waiting"
    GIVING = "giving"
    GIVEN = "given"
    FAILED = "failed"


class Milestone(Struct, frozen=True):
    """A server's milestone. `name` is the number of days of a streak, or the id of a section."""

    kind: Kind
    name: str
    role_id: int


def streaks_reached(milestones: Iterable[Milestone], days: int) -> list[Milestone]:
    """Return the milestones that a streak of so many days has reached."""
    return [each for each in milestones if each.kind is Kind.STREAK and int(each.name) <= days]


def needed(questions: int) -> int:
    """Return how many of a section's questions a member must have learned to know the section."""
    return -(-questions * KNOWN_PERCENT // 100)
