"""The values that the review shows."""

from __future__ import annotations

from msgspec import Struct

from bot.questions.model import Item
from bot.questions.own import OwnItem
from bot.suggestions.rules import Suggestion


class WaitingCounts(Struct, frozen=True):
    """The number of suggestions and reports waiting on a server, each up to `MAX_COUNTED`."""

    suggestions: int
    reports: int

    @property
    def total(self) -> int:
        return self.suggestions + self.reports


class SuggestionReview(Struct, frozen=True):
    """A suggestion under review. `author` is the member's name, if it is known."""

    suggestion: Suggestion
    author: str | None
    waiting: WaitingCounts


class ReportReview(Struct, frozen=True):
    """A report under review. An open question has a `prompt` but no `item`.

    `shipped` means that the question is part of a pack. `own` is the server's own question, unless
    it is retired. `hidden` means that it is being asked and the reviewer has not answered it yet.
    """

    id: int
    text: str
    prompt: str
    item: Item | None
    shipped: bool
    own: OwnItem | None
    hidden: bool
    waiting: WaitingCounts
