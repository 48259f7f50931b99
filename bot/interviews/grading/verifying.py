"""What a model is asked about key points, whichever model it is, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Verdict(StrEnum):
    """What an answer does with a key point."""

    SAYS = "says"
    OPPOSITE = "opposite"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Claim:
    """A key point to check: its text, other ways to word it, and sentences that say the opposite.

    `passage` are the sentences of the answer that come nearest to it, empty if none is near.
    """

    text: str
    accept: tuple[str, ...]
    opposites: tuple[str, ...]
    passage: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict, and the words of the answer that it rests on; empty for `NEITHER`."""

    verdict: Verdict
    quote: str = ""


class NoOpinion(Exception):
    """The model gave no usable reply. The message is safe to log."""


class Verifier(Protocol):
    """A model that checks what was found in an answer. `name` is what members read."""

    @property
    def name(self) -> str: ...

    async def verify(
        self, question: str, answer: str, claims: Mapping[int, Claim]
    ) -> dict[int, Ruling]:
        """Return a ruling for each key point, by its index, that the model has an opinion on.

        Raises NoOpinion within a bounded time if there is none.
        """
        ...
