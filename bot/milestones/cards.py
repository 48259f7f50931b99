"""The values that the page of milestones shows."""

from __future__ import annotations

from dataclasses import dataclass

from bot.milestones.rules import Milestone


@dataclass(frozen=True, slots=True)
class SectionChoice:
    """A section that can be a milestone, with the number of its questions that are asked."""

    section_id: str
    title: str
    questions: int


@dataclass(frozen=True, slots=True)
class MilestonePage:
    """A server's milestones, and the sections that others can be for.

    `titles` are those of the milestones' sections. `problems` are sentences about roles that could
    not be given.
    """

    milestones: tuple[Milestone, ...]
    titles: dict[str, str]
    sections: tuple[SectionChoice, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownSection:
    """A section that a member got a role for, and has not read about yet."""

    id: int
    title: str
    role_id: int
