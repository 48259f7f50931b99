"""What rounds and the daily share: a click on a card, and what a member answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.core.errors import UserError
from bot.questions import answers
from bot.questions.model import Item


@dataclass(frozen=True, slots=True)
class Click:
    """An answer as it came in. `picks` are shown positions, `text` a typed answer; `at` is Discord's time."""

    question_id: int
    message_id: int
    guild_id: int | None
    channel_id: int | None
    user_id: int
    at: datetime
    picks: tuple[int, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """A revealed question as one member answered it; `answer` is None for who did not."""

    item: Item
    order: tuple[int, ...]
    answer: str | None
    points: int = 0
    elapsed_ms: int = 0


class AlreadyAnswered(UserError):
    """The first answer counts; `shown` is what it was, as letters or text, and `at` when it was given."""

    def __init__(self, shown: str, at: datetime) -> None:
        super().__init__("You have answered this question already: the first answer counts.")
        self.shown = shown
        self.at = at


class Given(Protocol):
    """A stored answer to a round's question or a daily."""

    @property
    def answer(self) -> str: ...
    @property
    def answered_at(self) -> datetime: ...


def already(item: Item, choice_order: str, earlier: Given) -> AlreadyAnswered:
    """What to raise for a second answer."""
    return AlreadyAnswered(shown_answer(item, answers.decode_order(choice_order), earlier.answer), earlier.answered_at)


def given_answer(item: Item, order: tuple[int, ...], click: Click) -> str:
    """A click as a stored answer; refuses what the card does not offer."""
    if item.kind == "typed":
        text = " ".join((click.text or "").split())[: answers.MAX_TYPED]
        if not text:
            raise UserError("Your answer was empty: press Answer again and type a word, a phrase or a number.")
        return text
    if not click.picks or any(p not in range(len(order)) for p in click.picks):
        raise UserError("I don't know that choice: pick one of the letters on the card.")
    if item.kind == "choice" and len(set(click.picks)) != 1:
        raise UserError("Only one choice counts here: pick one letter.")
    return answers.encode_picks(order[p] for p in click.picks)


def shown_answer(item: Item, order: tuple[int, ...], given: str) -> str:
    """A stored answer as the member knows it: the letters on the card, or the typed text."""
    if item.kind == "typed":
        return given
    return answers.letters(answers.decode_picks(given), order)
