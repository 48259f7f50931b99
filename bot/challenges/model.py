"""The values of challenges: their rows, and what their messages show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from bot.answers.model import Tally
from bot.games.model import GameOptions
from bot.questions.model import Bank, Item

DEFAULT_QUESTIONS, DEFAULT_HOURS = 5, 24


class ChallengeState(StrEnum):
    """The state of a challenge; the table `challenges` explains them."""

    POSTING = "posting"
    OPEN = "open"
    COUNTING = "counting"
    CLOSING = "closing"
    CLOSED = "closed"


class ChallengeOptions(GameOptions, frozen=True):
    """The options of a challenge."""

    questions: int = DEFAULT_QUESTIONS
    hours: int = DEFAULT_HOURS


class Person(Struct, frozen=True):
    """A member with their display name, None if it is unknown."""

    id: int
    name: str | None


class Challenge(Struct, frozen=True):
    """A row of `challenges`."""

    id: int
    guild_id: int
    channel_id: int
    starter_id: int
    member_id: int | None
    topic_id: str | None
    difficulty: str | None
    wanted: int
    total: int
    hours: int
    state: ChallengeState
    counted: int
    due_at: datetime | None
    message_id: int | None
    started_at: datetime
    closes_at: datetime
    tried_at: datetime | None
    closed_at: datetime | None
    two_played: bool
    ending: str | None


class ChallengeQuestion(Struct, frozen=True):
    """A row of `challenge_questions`."""

    id: int
    challenge_id: int
    number: int
    item_id: str
    seconds: int


class ChallengePlayer(Struct, frozen=True):
    """A row of `challenge_players`."""

    challenge_id: int
    user_id: int
    number: int
    began_at: datetime
    finished_at: datetime | None
    guild_id: int | None


class ShownQuestion(Struct, frozen=True):
    """A row of `challenge_shown`. `choice_order` as in `bot.questions.answers`."""

    question_id: int
    user_id: int
    choice_order: str
    shown_at: datetime
    deadline_at: datetime


class NewChallenge(Struct, frozen=True):
    """A challenge that was just started, which can have fewer questions than were `wanted`."""

    id: int
    questions: int
    wanted: int
    closes_at: datetime
    member: str | None


class ChallengeSummary(Struct, frozen=True):
    """The facts on every card of a challenge; unknown names are None.

    `named` means that it is for one member, `member`. `topic` is a title. `levels` are those of
    the questions that the bank still has, and `seconds` the shortest and the longest time of one.
    """

    starter: str | None
    named: bool
    member: str | None
    questions: int
    topic: str | None
    levels: tuple[str, ...]
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
    points don't count on the boards, `alone` that none do, because only one member has answered.
    `played` means that somebody played, even without an answer.
    """

    challenge_id: int
    about: ChallengeSummary
    standings: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
    repeats: bool = False
    alone: bool = False
    played: bool = True


class PlayerQuestion(Struct, frozen=True):
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
    moved_on: bool
    again: bool = False
