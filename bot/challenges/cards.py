"""The values that the messages of a challenge show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from bot.answers.rules import Tally
from bot.questions.model import Bank, Item


class ChallengeSummary(Struct, frozen=True):
    """The facts on every card of a challenge; unknown names are None.

    `named` means that it is for one member, `member`. `topic` is a title. `seconds` are the
    shortest and the longest time of a question.
    """

    starter: str | None
    named: bool
    member: str | None
    questions: int
    topic: str | None
    difficulty: str
    seconds: tuple[int, int]
    closes_at: datetime


class OpenCard(Struct, frozen=True):
    """The card of an open challenge, with the number of players who finished it."""

    challenge_id: int
    about: ChallengeSummary
    finished: int


class ResultCard(Struct, frozen=True):
    """The card of a closed challenge.

    `names` are the known ones of the members shown in the standings. `repeats` means that some
    points don't count on the boards. `taken` means that somebody took it, even without an answer.
    """

    challenge_id: int
    about: ChallengeSummary
    standings: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
    repeats: bool = False
    taken: bool = True


class Started(Struct, frozen=True):
    """A new challenge, which can have fewer questions than were `wanted`."""

    challenge_id: int
    questions: int
    wanted: int
    closes_at: datetime
    member: str | None


class Asked(Struct, frozen=True):
    """A question for a player, with the order of its choices; answers count until `ends_at`."""

    challenge_id: int
    question_id: int
    user_id: int
    item: Item
    order: tuple[int, ...]
    number: int
    total: int
    seconds: int
    ends_at: datetime
    bank: Bank


class Between(Struct, frozen=True):
    """A player's progress after a question.

    `shown` is the answer, None if none came in time; `again` means that it was stored before.
    `next_seconds` is the time for the next question, None after the last one. `both` means that
    the challenge closes once two members finish. `moved_on` means that the player's private
    message already shows a later question.
    """

    challenge_id: int
    question_id: int
    shown: str | None
    number: int
    total: int
    next_seconds: int | None
    closes_at: datetime
    card: str
    both: bool
    again: bool = False
    moved_on: bool = False
