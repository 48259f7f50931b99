"""A suggested question: what its author wrote, and the question that comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bot.bank.forms import RIGHT, WHY, WRONG, Form
from bot.questions.model import Item
from bot.questions.own import OwnItem

TOPIC = "From our members"
"""Where a suggestion goes, unless whoever reviews it names another topic."""
_DIFFICULTY = "3"
MAX_COUNTED = 100
"""How many waiting ones are counted; more are told as so many and more."""


class State(StrEnum):
    """Where a suggestion stands. One that was decided is kept until its author has read that."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class Kind(StrEnum):
    """What waits for review."""

    SUGGESTION = "suggestion"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Written:
    """What a member wrote; the wrong answers one a line, none for an answer to be typed."""

    prompt: str
    answer: str
    wrong: str
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Suggestion(Written):
    """A row of `suggestions`, as far as it is shown."""

    id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a suggestion, for its author."""

    id: int
    prompt: str
    state: State
    reason: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many suggestions and reports wait on a server, up to `MAX_COUNTED` of each."""

    suggestions: int
    reports: int

    @property
    def total(self) -> int:
        return self.suggestions + self.reports


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion under review, by whom it is, as far as that is known, and all that waits."""

    row: Suggestion
    author: str | None
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Reported:
    """A report under review. `item` is what was reported, or `prompt` alone for an open question.

    `shipped`: it is one of a pack. `own`: as the server's own question, if it is one that is asked. `hidden`: it is in
    play, and whoever reviews has not answered it.
    """

    id: int
    text: str
    prompt: str
    item: Item | None
    shipped: bool
    own: OwnItem | None
    hidden: bool
    waiting: Waiting


def clean(written: Written) -> Written:
    """What was written without blanks at its ends and without empty lines."""
    answers = (" ".join(line.split()) for line in written.wrong.splitlines())
    return replace(
        written,
        prompt=written.prompt.strip(),
        answer=" ".join(written.answer.split()),
        wrong="\n".join(line for line in answers if line),
        why=written.why.strip(),
        source=" ".join(written.source.split()),
    )


def form_of(written: Written) -> Form:
    """A suggestion as the form of a question, whose reasons are made of what its author says.

    The source has no place of its own there, and stands below the reason.
    """
    wrong = written.wrong.splitlines()
    lines = [written.answer]
    if wrong:
        lines = [f"{RIGHT} {written.answer}", f"{WHY} {' '.join(written.why.split())}"]
        for text in wrong:
            lines += [f"{WRONG} {text}", f"{WHY} The right answer is: {written.answer}"]
    source = f"\n\nSource: {written.source}" if written.source else ""
    return Form(written.prompt, "\n".join(lines), written.why + source, _DIFFICULTY, TOPIC)
