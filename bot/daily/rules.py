"""The rules of the question of the day: what is asked, what it pays, and when its card changes."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from bot.core.errors import UserError
from bot.core.limits import MAX_DAILIES, MAX_DAILY_NAME
from bot.daily.weekdays import EVERY_DAY
from bot.questions.areas import ALL
from bot.questions.model import Bank, Item, Topic

POINTS = 100
"""Points for a right answer, however late before the close."""
OPEN_EVERY = 3  # days from one open question to the next if kinds are mixed
MIN_HOURS, MAX_HOURS, DEFAULT_HOURS = 1, 48, 23
ON_THE_WAY = timedelta(seconds=5)
"""Answers given in time may arrive this long after the close."""
SHORTEST_GAP = timedelta(minutes=1)
"""The shortest time between two edits of the number of answers on an open card."""
KINDS = ("choice", "open", "mixed")
DEFAULT_NAME = "Question of the day"
REMOVED = "It was removed after this question."
"""The problem of the last daily of a removed schedule. It is stored when a new schedule takes the
number, and hides that daily, so that the new one has no posts yet."""
NEEDED = {"channel_id": "a channel", "at": "a time", "zone": "a time zone"}
"""The settings that a first set-up needs, with their names for managers."""


def points(right: bool) -> int:
    """Return the points for an answer to a choice or typed question."""
    return POINTS if right else 0


class DailyState(StrEnum):
    """The states of a daily; the table `dailies` describes them."""

    POSTING = "posting"
    SHOWING = "showing"
    THREADING = "threading"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"
    SKIPPED = "skipped"
    MISSED = "missed"

    @property
    def hides_answer(self) -> bool:
        """Whether the daily is in play: members can answer it now or soon."""
        return self not in {DailyState.CLOSED, DailyState.SKIPPED, DailyState.MISSED}


ANSWERABLE = (DailyState.POSTING, DailyState.SHOWING, DailyState.THREADING, DailyState.OPEN)
POSTED = (
    DailyState.SHOWING,
    DailyState.THREADING,
    DailyState.OPEN,
    DailyState.CLOSING,
    DailyState.CLOSED,
)


class Schedule(Struct, frozen=True):
    """A row of `daily_schedules`, with the server's time zone. A new one has the usual settings."""

    guild_id: int
    channel_id: int
    at: str
    zone: str
    settled_until: datetime
    next_at: datetime | None = None
    asks: str = ALL
    kind: str = "choice"
    answer_hours: int = DEFAULT_HOURS
    role_id: int | None = None
    thread: bool = False
    paused: bool = False
    weekdays: str = EVERY_DAY
    number: int = 1
    name: str = DEFAULT_NAME
    id: int = 0


class Daily(Struct, frozen=True):
    """A row of `dailies`."""

    id: int
    guild_id: int
    local_date: date
    state: DailyState
    item_id: str | None
    choice_order: str
    channel_id: int | None
    message_id: int | None
    role_id: int | None
    thread_id: int | None
    scheduled_at: datetime
    tried_at: datetime | None
    opened_at: datetime | None
    closes_at: datetime | None
    due_at: datetime | None
    problem: str | None
    topic_id: str | None
    counted: int = 0
    number: int = 1
    name: str = DEFAULT_NAME

    @property
    def posted(self) -> bool:
        return self.state in POSTED

    @property
    def revealed(self) -> bool:
        """Whether the answer is public, or about to be."""
        return self.state in {DailyState.CLOSING, DailyState.CLOSED}


def asked_by(daily: Daily, bank: Bank) -> Item | Topic | None:
    """Return what a daily asks: an item, or a topic's open question; None if the bank lost it."""
    return bank.items.get(daily.item_id or "") or bank.topics.get(daily.topic_id or "")


def read_name(typed: str) -> str:
    """Return the name that a manager typed for a daily, on one line; refuses an unusable one."""
    name = " ".join("".join(c if c.isprintable() else " " for c in typed).split())
    if not name:
        raise UserError(
            "A question of the day needs a name. Type a short one, for example Warm-up."
        )
    if len(name) > MAX_DAILY_NAME:
        raise UserError(
            f"That name is too long. Give the question of the day a name of at most {MAX_DAILY_NAME} characters."
        )
    return name


def is_same_name(one: str, other: str) -> bool:
    """Return whether two names are equal but for upper and lower case."""
    return one.casefold() == other.casefold()


def free_number(numbers: Collection[int]) -> int:
    """Return the lowest number that no daily of a server has; refuses if there are too many.

    A daily that is removed and set up again gets the same number. So it isn't posted twice on a date.
    """
    for number in range(1, MAX_DAILIES + 1):
        if number not in numbers:
            return number
    raise UserError(
        f"A server can have {MAX_DAILIES} questions of the day. Remove one with </daily remove> first, "
        "or change one of them."
    )


Asked = TypeVar("Asked", Item, Topic)


def asks_openly(kind: str, day: date) -> bool:
    """Return whether a date has an open question: all for kind open, every third for mixed."""
    return kind == "open" or (kind == "mixed" and day.toordinal() % OPEN_EVERY == 0)


def pick(pool: Sequence[Asked], used: Mapping[str, date], rng: random.Random) -> Asked:
    """Pick an item or topic that was never the server's daily, else one that was it longest ago.

    `used` has the last date of each as the daily, by id. The pool must not be empty.
    """
    oldest = min(used.get(asked.id, date.min) for asked in pool)
    return rng.choice([asked for asked in pool if used.get(asked.id, date.min) == oldest])


def next_count(opened_at: datetime, closes_at: datetime, now: datetime) -> datetime:
    """Return when to show an answer that came now in the open card's count, at latest `closes_at`.

    Answers until then are shown together. The gap grows with the card's age, because most members
    answer early and each edit is a request to Discord.
    """
    at = now + max(SHORTEST_GAP, (now - opened_at) / 4)
    return at if at <= closes_at - SHORTEST_GAP else closes_at


_ZONES = {
    "bg": "Europe/Sofia", "cs": "Europe/Prague", "da": "Europe/Copenhagen", "de": "Europe/Berlin",
    "el": "Europe/Athens", "en-GB": "Europe/London", "en-US": "America/New_York", "es-419": "America/Mexico_City",
    "es-ES": "Europe/Madrid", "fi": "Europe/Helsinki", "fr": "Europe/Paris", "hi": "Asia/Kolkata",
    "hr": "Europe/Zagreb", "hu": "Europe/Budapest", "id": "Asia/Jakarta", "it": "Europe/Rome", "ja": "Asia/Tokyo",
    "ko": "Asia/Seoul", "lt": "Europe/Vilnius", "nl": "Europe/Amsterdam", "no": "Europe/Oslo", "pl": "Europe/Warsaw",
    "pt-BR": "America/Sao_Paulo", "ro": "Europe/Bucharest", "ru": "Europe/Moscow", "sv-SE": "Europe/Stockholm",
    "th": "Asia/Bangkok", "tr": "Europe/Istanbul", "uk": "Europe/Kyiv", "vi": "Asia/Ho_Chi_Minh",
    "zh-CN": "Asia/Shanghai", "zh-TW": "Asia/Taipei",
}  # fmt: skip


def suggest_zone(locale: str) -> str:
    """Guess a member's time zone from the language of their Discord."""
    return _ZONES.get(locale, "UTC")
