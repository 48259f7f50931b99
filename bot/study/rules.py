"""What a member reads of their progress in a topic: item by item, without what the items ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.boards.rules import Progress
from bot.memory.rules import MemoryCard, days_away, is_learned
from bot.questions.model import Topic


@dataclass(frozen=True, slots=True)
class ItemProgress:
    """One item: its number in the topic, from 1, and its difficulty in words.

    `days`: in how many of the member's days it comes back, 0 for today; None for one that they have not met.
    """

    number: int
    level: str
    days: int | None = None
    learned: bool = False


@dataclass(frozen=True, slots=True)
class StudyPage:
    """All that there is to read about a topic.

    `asks_openly`: its open question is asked where the member reads this; else there is none to show. `list_page`: the
    page of the list of topics on which it stands, from 0.
    """

    topic: Topic
    section: str
    asks_openly: bool
    progress: Progress
    items: tuple[ItemProgress, ...]
    list_page: int


@dataclass(frozen=True, slots=True)
class InPlay:
    """A topic that can't be read now, as its open question is asked on a server of the member.

    `until` is when that closes, None if it is not known or any moment now.
    """

    topic: Topic
    until: datetime | None


def items_of(
    topic: Topic, cards: Mapping[str, MemoryCard], zone: str, now: datetime
) -> tuple[ItemProgress, ...]:
    """How a member is doing in each item of a topic, in the bank's order; `cards` are theirs by item id."""
    found = []
    for number, item in enumerate(topic.items, start=1):
        card = cards.get(item.id)
        days = None if card is None else days_away(card, zone, now)
        found.append(ItemProgress(number, item.level, days, card is not None and is_learned(card)))
    return tuple(found)


def in_play(topic: Topic, until: datetime | None, now: datetime) -> InPlay:
    """Why a topic can't be read; a time that has passed says nothing, since the close is on its way."""
    return InPlay(topic, until if until is not None and until > now else None)
