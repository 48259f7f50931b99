"""The values of rounds: their rows, and what their messages show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from bot.answers.model import Tally
from bot.games.model import GameOptions
from bot.questions.answers import Outcome
from bot.questions.model import Item, Topic

DEFAULT_QUESTIONS = 5


class Phase(StrEnum):
    """The state of a round; the table `rounds` explains them."""

    ASK = "ask"
    ASKING = "asking"
    OPEN = "open"
    REVEAL = "reveal"
    PAUSE = "pause"
    STANDINGS = "standings"
    CLOSING = "closing"
    ENDED = "ended"


class RoundOptions(GameOptions, frozen=True):
    """The options of a round. Without `seconds`, each question has the time that its item needs.

    A hosted round has no time limits: its host reveals the answers and goes on. Code to put in order
    is not asked, because it takes too long while others wait.
    """

    questions: int = DEFAULT_QUESTIONS
    seconds: int | None = None
    hosted: bool = False

    def allows(self, item: Item) -> bool:
        return item.kind != "order" and GameOptions.allows(self, item)


class Round(Struct, frozen=True):
    """A row of `rounds`, without the columns that are never read."""

    id: int
    guild_id: int
    channel_id: int
    starter_id: int
    topic_id: str | None
    difficulty: str | None
    seconds: int | None
    hosted: bool
    total: int
    phase: Phase
    number: int
    due_at: datetime | None
    failures: int
    idle: int
    ending: str | None
    started_at: datetime
    two_played: bool
    erased_in: int | None


class RoundQuestion(Struct, frozen=True):
    """A row of `round_questions`. `bot.questions.answers` explains `choice_order`."""

    id: int
    round_id: int
    number: int
    item_id: str
    choice_order: str
    seconds: int | None
    asked_at: datetime | None
    message_id: int | None
    opened_at: datetime | None
    deadline_at: datetime | None
    revealed_at: datetime | None


class NewRound(Struct, frozen=True):
    """A round that was just started. It has fewer questions than `wanted` if not enough items match.

    `levels` are those of its questions, `seconds` the shortest and the longest time limit of one;
    None if it is hosted. `of_week`: the topic is that of the week, and some questions are on it.
    """

    id: int
    levels: tuple[str, ...]
    wanted: int
    seconds: tuple[int, int] | None
    topic: Topic | None
    first_at: datetime
    of_week: bool = False


class Locked(Struct, frozen=True):
    """A stored answer, as letters or text. `reveal_at` is None if the answer is revealed already.

    The reveal comes no later than `reveal_at`, in a hosted round any time before.
    """

    shown: str
    reveal_at: datetime | None
    hosted: bool = False


class _Card(Struct, frozen=True):
    """A question of a round. `order` has the item's choices, by index, in the order shown."""

    question_id: int
    item: Item
    order: tuple[int, ...]
    number: int
    total: int


class QuestionCard(_Card, frozen=True):
    """An open question. `seconds` is its time limit, `left` the seconds left when it was edited.

    In a hosted round these and `ends_at` are None.
    """

    seconds: int | None
    ends_at: datetime | None
    left: int | None
    answered: int


class RevealCard(_Card, frozen=True):
    """A revealed question with its fastest right answers; `names` has the known names.

    `leaders` is empty if this reveal names none. `goes_on`: a pause follows, and "Next" ends it.
    `hosted`: there was no clock, so none is fastest.
    """

    outcome: Outcome
    fastest: tuple[Tally, ...]
    names: Mapping[int, str]
    leaders: tuple[Tally, ...] = ()
    goes_on: bool = True
    hosted: bool = False


class OwnResult(Struct, frozen=True):
    """The result of one answer, for the member who gave it.

    `shown` is the answer as letters or text; `right` is the right one, or None if they gave it.
    `place` and `total` are the member's in the round so far; a place of 0 is that of a member who
    plays alone. `stays`: they had that place before. `streak` counts their right answers in a row up
    to this one. `almost` is what `bot.questions.answers.almost` returns.
    """

    shown: str
    right: str | None
    points: int
    place: int
    total: int
    streak: int
    stays: bool = False
    almost: tuple[int, int] | None = None


class Race(Struct, frozen=True):
    """The points of the leaders after each question, the winner's first.

    Since question `lead_at`, counted from 1, the winner was alone in front.
    """

    lead_at: int
    totals: tuple[tuple[int, ...], ...]


class StandingsCard(Struct, frozen=True):
    """The end of a round. `ending` says why it ended early, for example "stopped"; else None.

    `names` has the known names of the members who are shown. `repeats`: some points don't count on
    the boards, because the item had paid the member before. `alone`: none of them do, because nobody
    else has played; the standings don't say that, since they lack members who were erased.
    `next_daily` is the time of the server's next question of the day, and its channel.
    """

    round_id: int
    questions: int
    standings: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
    ending: str | None
    race: Race | None = None
    repeats: bool = False
    hosted: bool = False
    alone: bool = False
    next_daily: tuple[datetime, int] | None = None


class RoundStatus(Struct, frozen=True):
    """A running round with its open question, if one is open, and the number of answers to it.

    `leaders` are the places and results of the first three, none as long as one plays alone.
    `names` has the known names.
    """

    round: Round
    question: RoundQuestion | None
    answered: int
    leaders: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
