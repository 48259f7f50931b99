"""The values that the page of milestones shows."""

from __future__ import annotations

from msgspec import Struct

from bot.milestones.rules import Milestone


class SectionChoice(Struct, frozen=True):
    """A section that can be a milestone, with the number of its questions that are asked."""

    section_id: str
    title: str
    questions: int


class MilestonePage(Struct, frozen=True):
    """A server's milestones, and the sections that others can be for.

    `titles` are those of the milestones' sections. `problems` are sentences about roles that could
    not be given.
    """

    milestones: tuple[Milestone, ...]
    titles: dict[str, str]
    sections: tuple[SectionChoice, ...]
    problems: tuple[str, ...]


class KnownSection(Struct, frozen=True):
    """A section that a member got a role for, and has not read about yet."""

    id: int
    title: str
    role_id: int
