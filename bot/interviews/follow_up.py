"""What becomes of a follow-up question: answered and compared with a good answer, or only shown; and how it is stored.

Question and hint stand in it in the words they had then, so that they can be shown again whatever becomes of the bank.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from bot.interviews.grading import State


@dataclass(frozen=True, slots=True)
class Part:
    """A part of what a good answer says: its state, and the passage of the answer that comes nearest, if one does."""

    text: str
    state: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A follow-up that its member has answered, or been shown what a good answer says.

    `answer` is None for one that was only shown. `parts` are empty until the answer is compared; `flags` name what the
    grader noticed in it.
    """

    question: str
    hint: str
    answer: str | None = None
    parts: tuple[Part, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether it is answered and still to be compared."""
        return self.answer is not None and not self.parts

    @property
    def outcome(self) -> str:
        """The whole in a word: covered, partly covered, unclear or missing."""
        states = [part.state for part in self.parts]
        if State.COVERED in states:
            return "covered" if set(states) == {State.COVERED} else "partly covered"
        return "unclear" if State.DOUBTFUL in states else "missing"


def decode_reply(text: str) -> Reply:
    """What `bot.interviews.assessment.encode` stored."""
    data: dict[str, Any] = json.loads(text)
    parts = tuple(Part(**part) for part in data.pop("parts"))
    return Reply(**{**data, "parts": parts, "flags": tuple(data["flags"])})
