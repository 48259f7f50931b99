"""The values that the messages about a server's own questions show."""

from __future__ import annotations

from msgspec import Struct

from bot.questions.model import Item
from bot.questions.own import OwnItem


class OwnQuestion(Struct, frozen=True):
    """One of a server's own questions; `topic` is its topic's title."""

    row: OwnItem
    item: Item
    topic: str


class Saved(Struct, frozen=True):
    """A question after it was stored.

    `replaced` says that it is a new question in place of the old one. `otherwise` is how many past
    answers its key would judge differently.
    """

    own: OwnQuestion
    replaced: bool
    otherwise: int


class Listing(Struct, frozen=True):
    """One page, counted from 0, of the own questions found; `found` is how many there are."""

    page: int
    pages: int
    found: int
    shown: tuple[OwnQuestion, ...]
