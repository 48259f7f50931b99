"""A suggested question, and the form of a question made from it."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from bot.bank.forms import RIGHT, WHY, WRONG, Form

DEFAULT_TOPIC = "From our members"
"""The topic of an accepted suggestion, unless the reviewer picks another."""
_DIFFICULTY = "medium"
MAX_COUNTED = 100
"""Limit for counting what waits; beyond it, views show "100+"."""


class State(StrEnum):
    """The state of a suggestion. Decided ones are kept until their author has read the verdict."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Kind(StrEnum):
    """The kinds of things that wait for review."""

    SUGGESTION = "suggestion"
    REPORT = "report"


class SuggestedQuestion(Struct, frozen=True):
    """A member's question. Wrong answers are one a line; without any, the answer is typed."""

    prompt: str
    answer: str
    wrong: str
    why: str
    source: str


class Suggestion(SuggestedQuestion, frozen=True):
    """The columns of `suggestions` that the review shows."""

    id: int
    user_id: int


class Verdict(Struct, frozen=True):
    """The decision about a suggestion, for its author."""

    id: int
    prompt: str
    state: State
    reason: str | None


def normalized(question: SuggestedQuestion) -> SuggestedQuestion:
    """Return the question without surrounding spaces and empty lines."""
    answers = (" ".join(line.split()) for line in question.wrong.splitlines())
    return replace(
        question,
        prompt=question.prompt.strip(),
        answer=" ".join(question.answer.split()),
        wrong="\n".join(line for line in answers if line),
        why=question.why.strip(),
        source=" ".join(question.source.split()),
    )


def form_of(question: SuggestedQuestion) -> Form:
    """Return a suggestion as the form of a question, with reasons made from its explanation.

    The form has no field for a source, so that is added to the explanation.
    """
    wrong = question.wrong.splitlines()
    lines = [question.answer]
    if wrong:
        lines = [f"{RIGHT} {question.answer}", f"{WHY} {' '.join(question.why.split())}"]
        for text in wrong:
            lines += [f"{WRONG} {text}", f"{WHY} The right answer is: {question.answer}"]
    source = f"\n\nSource: {question.source}" if question.source else ""
    return Form(
        question.prompt, "\n".join(lines), question.why + source, _DIFFICULTY, DEFAULT_TOPIC
    )
