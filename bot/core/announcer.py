"""What services ask of Discord, and what they show there: plain values that `bot.ui` turns into messages.

Every card says in `guild_id` for which server it is, so that nothing is sent to one that is gone; 0 means unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from bot.points.rules import Tally
from bot.questions.model import Item, Topic
from bot.rounds.race_rules import Race


class DeliveryRefused(Exception):
    """Discord refused for good: the channel or message is gone, or a permission is missing.

    `what` is "server", "channel", "message", "permission" or "refused"; the text is a sentence for status and logs.
    """

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(reason)
        self.what = what


class DeliveryUnknown(Exception):
    """Discord could not be reached or failed; whether it did what was asked is not known. Try again later."""


@dataclass(frozen=True, slots=True)
class QuestionCard:
    """An open question of a round. `order`: shown position -> index of the choice in the item."""

    question_id: int
    item: Item
    order: tuple[int, ...]
    number: int
    total: int
    ends_at: datetime
    answered: int = 0
    guild_id: int = 0


@dataclass(frozen=True, slots=True)
class Fastest:
    user_id: int
    elapsed_ms: int
    points: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a question was answered. `picked`: index of the choice in the item -> how many picked it."""

    answered: int
    right: int
    picked: Mapping[int, int]
    wrong_texts: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RevealCard:
    """A question of a round after its end, with the three best answers."""

    question_id: int
    item: Item
    order: tuple[int, ...]
    number: int
    total: int
    outcome: Outcome
    fastest: tuple[Fastest, ...]
    guild_id: int = 0


@dataclass(frozen=True, slots=True)
class StandingsCard:
    """The end of a round. `ending` is why it ended early ("stopped", "idle", "message"), or None."""

    round_id: int
    questions: int
    standings: tuple[tuple[int, Tally], ...]
    ending: str | None
    guild_id: int = 0
    race: Race | None = None


@dataclass(frozen=True, slots=True)
class DailyCard:
    """The open question of the day."""

    daily_id: int
    item: Item
    order: tuple[int, ...]
    day: date
    closes_at: datetime
    role_id: int | None
    guild_id: int = 0


@dataclass(frozen=True, slots=True)
class DailyResult:
    """The question of the day after its close. `streaks`: the longest that answers to it made, as (member, days)."""

    daily_id: int
    item: Item
    order: tuple[int, ...]
    day: date
    outcome: Outcome
    streaks: tuple[tuple[int, int], ...]
    guild_id: int = 0


@dataclass(frozen=True, slots=True)
class ReminderCard:
    """The daily reminder to practise; `due` questions wait."""

    due: int


@dataclass(frozen=True, slots=True)
class OpenDailyCard:
    """The question of the day while it is a topic's open question."""

    daily_id: int
    topic: Topic
    day: date
    closes_at: datetime
    role_id: int | None
    guild_id: int = 0


@dataclass(frozen=True, slots=True)
class OpenDailyResult:
    """An open question of the day after its close.

    `percent`: the mean of all answers, None without any; `missed`: key points as (text, how many answers lack it), most
    missed first; `streaks` as for any daily.
    """

    daily_id: int
    topic: Topic
    day: date
    answered: int
    percent: int | None
    missed: tuple[tuple[str, int], ...]
    streaks: tuple[tuple[int, int], ...]
    guild_id: int = 0


class Announcer(Protocol):
    """Sends and edits. Posts return the message's id and carry a nonce made from the row's id.

    Every method raises DeliveryRefused or DeliveryUnknown, nothing else of Discord's. `find_*` look for a post whose fate is
    unknown
    in the channel's recent history.
    """

    async def post_question(self, channel_id: int, card: QuestionCard) -> int: ...
    async def find_question(self, channel_id: int, question_id: int, since: datetime) -> int | None: ...
    async def refresh_question(self, channel_id: int, message_id: int, card: QuestionCard) -> None: ...
    async def reveal_question(self, channel_id: int, message_id: int, card: RevealCard) -> None: ...
    async def post_standings(self, channel_id: int, card: StandingsCard) -> int: ...
    async def find_standings(self, channel_id: int, round_id: int, since: datetime) -> int | None: ...
    async def post_daily(self, channel_id: int, card: DailyCard | OpenDailyCard) -> int: ...
    async def find_daily(self, channel_id: int, daily_id: int, since: datetime) -> int | None: ...
    async def open_thread(self, channel_id: int, message_id: int, card: DailyCard | OpenDailyCard) -> None: ...
    async def close_daily(self, channel_id: int, message_id: int, card: DailyResult | OpenDailyResult) -> None: ...
    async def send_reminder(self, user_id: int, card: ReminderCard) -> None: ...
