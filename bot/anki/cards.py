"""The values that the message with a deck shows."""

from __future__ import annotations

from msgspec import Struct


class Deck(Struct, frozen=True):
    """A deck as a file, with what is in it.

    `topic` is the title of its only topic, if it has one. `without_picture` counts the questions
    that have their formula as LaTeX. `left_out` says that some questions are in play.
    """

    content: bytes
    questions: int
    topic: str | None
    without_picture: int
    left_out: bool
