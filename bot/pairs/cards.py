"""The values that the views of pairs show."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from bot.pairs.rules import Ending, MessageKind, PairState
from bot.questions.model import Topic


class PairStatus(Struct, frozen=True):
    """A member's pair. `number` is the question that they are to ask now, if it is their turn.

    `thread` is the address of the thread; None while there is none. `ready` tells whether they have
    accepted or come. `answer_by` is when a proposal ends.
    """

    pair_id: int
    state: PairState
    partner: str | None
    topics: tuple[str, ...]
    starts_at: datetime
    now: bool
    ready: bool
    answer_by: datetime | None = None
    thread: str | None = None
    number: int | None = None


class Status(Struct, frozen=True):
    """A member's search. `reached` is False until their first direct message has arrived.

    `elsewhere` tells that they look for a partner on another server than the one where they ask.
    """

    topic: str | None
    hours: str
    zone: str
    ends_at: datetime
    reached: bool = True
    elsewhere: bool = False
    pair: PairStatus | None = None
    continued: bool = False


class PairMessage(Struct, frozen=True):
    """A message in a thread or in direct messages. `message_id` is the key of its row.

    `partner` is the other member, in direct messages only. `looks_until` is set if their search goes
    on, and `answer_by` while they are proposed. `asks` tells in direct messages whether their reader
    asks. `topic` and what follows are those of the question that the message is about.
    """

    message_id: int
    kind: MessageKind
    pair_id: int
    names: tuple[str | None, str | None]
    starts_at: datetime
    now: bool
    answer_by: datetime | None = None
    partner: str | None = None
    wanted: tuple[str, ...] = ()
    thread: str | None = None
    ending: Ending | None = None
    looks_until: datetime | None = None
    number: int = 0
    asks: bool | None = None
    asker: str | None = None
    answerer: str | None = None
    topic: Topic | None = None
    section: str = ""
    ticks: frozenset[int] = frozenset()
    answered: int = 0


class AskerCard(Struct, frozen=True):
    """The private card of the member who asks.

    `exchanged` tells that the question has just replaced one that may no longer be shown.
    """

    pair_id: int
    number: int
    partner: str | None
    topic: Topic
    ticks: frozenset[int]
    shown: bool
    exchanged: bool = False
