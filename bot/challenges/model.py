"""The values of challenges: their rows, and what their messages show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from bot.answers.model import Tally
from bot.games.model import GameOptions
from bot.questions.answers import Answered
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
    pings: bool = False


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
    arrived: bool = False


class NewChallenge(Struct, frozen=True):
    """A challenge that was just started, which can have fewer questions than were `wanted`.

    `pings`: its card mentions the named member, who had few such mentions today.
    """

    id: int
    questions: int
    wanted: int
    closes_at: datetime
    member: str | None
    pings: bool = False


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
    """The card of an open challenge, with the number of players who finished it.

    `names` are those of the first ones; an unknown one is None.
    """

    challenge_id: int
    about: ChallengeSummary
    finished: int = 0
    names: tuple[str | None, ...] = ()


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


class LastAnswer(Struct, frozen=True):
    """The answer to question `number`, to be said above the next one.

    `shown` is the answer, None if none came in time; `again` means that it was stored before.
    """

    number: int
    shown: str | None
    again: bool = False


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
    is_last: bool
    said: LastAnswer | None = None


class RunResult(Struct, frozen=True):
    """The end of a player's run, with the questions as they answered them.

    `other` is the other one of a challenge for a named member. Once both are done, `theirs` is how
    many the other one had right, and nothing is secret any more.
    """

    challenge_id: int
    user_id: int
    given: tuple[Answered, ...]
    total: int
    named: bool
    other: str | None
    closes_at: datetime
    card: str
    theirs: int | None = None
    said: LastAnswer | None = None

    @property
    def right(self) -> int:
        return sum(answered.right for answered in self.given)


Step = PlayerQuestion | RunResult
"""The next page of a player."""


class Invitation(Struct, frozen=True):
    """News for a named member who has not begun."""

    challenge_id: int
    about: ChallengeSummary
    card: str


class ChallengeOutcome(Struct, frozen=True):
    """News for a player of a closed challenge: their place, and two numbers of right answers.

    In a challenge for a named member, `other` is the other of the two.
    """

    challenge_id: int
    named: bool
    other: str | None
    right: int
    theirs: int
    place: int
    players: int
    card: str
