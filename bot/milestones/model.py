"""Milestones: a streak, or a section that a member knows, with the role that a server gives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

KNOWN_PERCENT = 80
"""A member knows a section once they have learned this share of its questions."""
LASTS = timedelta(days=7)
"""A question is learned once they should still know it after this time."""
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


class Milestone(Struct, frozen=True):
    """A server's milestone. `name` is the number of days of a streak, or the id of a section."""

    kind: Kind
    name: str
    role_id: int


class MilestonePage(Struct, frozen=True):
    """A server's milestones, and the ids of sections that others can be for, with all titles.

    `problems` are sentences about roles that could not be given.
    """

    milestones: tuple[Milestone, ...]
    sections: tuple[str, ...]
    titles: Mapping[str, str]
    problems: tuple[str, ...]


class Reached(Struct, frozen=True):
    """A milestone that a member has reached."""

    id: int
    guild_id: int
    user_id: int
    kind: Kind
    name: str
    role_id: int
