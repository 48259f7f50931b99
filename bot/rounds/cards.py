"""The values that a round's messages show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from bot.answers.rules import Tally
from bot.questions.cards import Outcome
from bot.questions.model import Item, Topic
from bot.rounds.rules import Phase, Race


class Started(Struct, frozen=True):
    """A new round. It has fewer questions than `wanted` if not enough items match its options.

    `seconds` are the shortest and the longest time limit of its questions; None if it is hosted.
    """

    round_id: int
    questions: int
    wanted: int
    seconds: tuple[int, int] | None
    topic: Topic | None
    difficulty: str
    first_at: datetime


class Locked(Struct, frozen=True):
    """A stored answer, as letters or text. `reveal_at` is None if the answer is revealed already.

    In a hosted round the reveal may come any time before `reveal_at`.
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
    left: int | None = None
    answered: int = 0


class Fastest(Struct, frozen=True):
    name: str | None
    elapsed_ms: int
    points: int


class Leader(Struct, frozen=True):
    name: str | None
    points: int


class RevealCard(_Card, frozen=True):
    """A revealed question with its fastest right answers.

    `alone`: only one member has played so far. `leaders` is empty if this reveal names none.
    `goes_on`: a pause follows, and "Next" ends it. `hosted`: there was no clock, so no times.
    """

    outcome: Outcome
    fastest: tuple[Fastest, ...]
    alone: bool = False
    leaders: tuple[Leader, ...] = ()
    goes_on: bool = True
    hosted: bool = False


class OwnResult(Struct, frozen=True):
    """The result of one answer, for the member who gave it.

    `shown` is the answer as letters or text; `right` is the right one, or None if they gave it.
    `place` and `total` are the member's in the round so far. `streak` counts their right answers
    in a row up to this one.
    """

    shown: str
    right: str | None
    points: int
    place: int
    total: int
    streak: int


class StandingsCard(Struct, frozen=True):
    """The end of a round. `ending` says why it ended early, for example "stopped"; else None.

    `names` has the known names of the members who are shown. `repeats`: some points don't count on
    the boards, because the item had paid the member before.
    """

    round_id: int
    questions: int
    standings: tuple[tuple[int, Tally], ...]
    names: Mapping[int, str]
    ending: str | None
    race: Race | None = None
    repeats: bool = False
    hosted: bool = False


class OpenQuestion(Struct, frozen=True):
    """The open question of a running round: its message, its deadline and its answers so far."""

    guild_id: int
    channel_id: int
    message_id: int
    deadline_at: datetime
    answered: int


class RoundStatus(Struct, frozen=True):
    """A running round with its leaders and their places.

    `due_at` is when it goes on. `question` is None unless one is open. `ending`: no more follow.
    """

    number: int
    total: int
    starter: str | None
    phase: Phase
    hosted: bool
    due_at: datetime
    ending: bool
    question: OpenQuestion | None
    leaders: tuple[tuple[int, Leader], ...]
