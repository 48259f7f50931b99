"""The values of /topics."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bot.memory.model import Progress
from bot.questions.model import Bank


class TopicList(Struct, frozen=True):
    """The topics that are asked where a member is, with their progress in each, by topic id.

    `set_aside` counts the questions of any server that they don't want to be asked again.
    `has_cases` says that cases lean on some of the topics.
    """

    bank: Bank
    progress: Mapping[str, Progress]
    set_aside: int
    has_cases: bool = False


class Deck(Struct, frozen=True):
    """A deck for Anki as a file, with what is in it.

    `topic` is the title of its only topic; `missed` says that it has the questions that its member
    missed. `without_picture` counts the questions that have their formula as LaTeX. `left_out` says
    that some questions are in play.
    """

    content: bytes
    questions: int
    without_picture: int
    left_out: bool
    topic: str | None = None
    missed: bool = False
