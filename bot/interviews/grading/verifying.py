"""The questions to a model about key points, and which of its rulings count.

The answer is a stranger's text and may manipulate a model. So a point that its words do not show
counts as said only with a quote that is in the answer and is about the point.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

_ABOUT_GRADING = re.compile(
    r"\brubrics?\b|\bgrad(?:er|ing)\b|\b(?:every|all|each|the) key points?\b|\bthis answer\b|\bset the score\b"
    r"|\b(?:full|maximum|top) (?:points|marks|score|credit)\b"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:above|previous|instructions?|rules?|prompt)\b"
    r"|\bmark\b.{0,40}\b(?:covered|said|correct|true)\b|\b(?:covered|says)[\"']?\s*[:=]?\s*true\b"
    r"|\bverdict[\"']?\s*[:=]"
)
MAX_CONCURRENT = 4
"""Requests to a model at a time."""


class PointVerdict(StrEnum):
    """Whether an answer says a key point, or the opposite."""

    SAYS = "says"
    OPPOSITE = "opposite"
    NEITHER = "neither"


class PointToCheck(Struct, frozen=True):
    """A key point to check: its text, other ways to word it, and sentences that say the opposite."""

    text: str
    accept: tuple[str, ...]
    opposites: tuple[str, ...]


class Ruling(Struct, frozen=True):
    """A verdict, and the words of the answer that are the reason; empty for `NEITHER`."""

    verdict: PointVerdict
    quote: str = ""


class NoOpinion(Exception):
    """The model gave no usable reply. The message is safe to log."""


class Verifier(Protocol):
    """A model that checks what was found in an answer. `name` is what members read."""

    @property
    def name(self) -> str: ...

    async def verify(
        self, question: str, answer: str, points: Mapping[int, PointToCheck]
    ) -> dict[int, Ruling]:
        """Return a ruling for each key point, by its index.

        Raises NoOpinion within a bounded time if the model gives none.
        """
        ...


class Quote(Struct, frozen=True):
    """A quote for a key point, by the point's index, as rated by the offline grader.

    `related`: the quote is about the point. `confidence` is the likelihood of that.
    """

    point: int
    text: str
    related: bool
    confidence: float


def original_passage(quote: str, answer: str) -> str:
    """Return a quote as its author wrote it, or "" if it isn't in the answer.

    Space and case may differ.
    """
    if not _folded(quote) or not is_within(quote, answer):
        return ""
    found = re.search(r"\s+".join(map(re.escape, quote.split())), answer, re.IGNORECASE)
    return " ".join((found[0] if found else quote).split())


def is_within(part: str, text: str) -> bool:
    """Whether a text has a part, whatever the space and case."""
    return _folded(part) in _folded(text)


def addresses_grader(quote: str) -> bool:
    """Whether a passage is about its own grading rather than the subject."""
    return _ABOUT_GRADING.search(_folded(quote)) is not None


def accepted_quotes(quotes: Sequence[Quote]) -> dict[int, str]:
    """Return the quotes that prove a point which the answer's words alone do not show.

    A quote must be about its key point. Each passage counts once, because a manipulated model quotes
    the same words for everything.
    """
    accepted: dict[int, str] = {}
    for quote in sorted(quotes, key=lambda q: (-q.confidence, q.point)):
        used = any(is_within(quote.text, o) or is_within(o, quote.text) for o in accepted.values())
        if quote.related and not used and not addresses_grader(quote.text):
            accepted[quote.point] = quote.text
    return accepted


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
