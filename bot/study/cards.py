"""The values that the list of topics and the page of one show."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from bot.memory.model import MemoryCard, Progress
from bot.memory.rules import days_away, is_learned
from bot.questions.model import Bank, Topic


class TopicList(Struct, frozen=True):
    """The topics that are asked where a member is, with their progress in each, by topic id.

    `set_aside` counts the questions of any server that they don't want to be asked again.
    """

    bank: Bank
    progress: Mapping[str, Progress]
    set_aside: int


class ItemProgress(Struct, frozen=True):
    """A member's progress in the `number`-th item of a topic, which has a `level` of difficulty.

    `days` is the number of days until it is due, 0 for today; None if it is new to the member.
    """

    number: int
    level: str
    days: int | None = None
    learned: bool = False


class StudyPage(Struct, frozen=True):
    """The page of a topic.

    `asks_openly`: it has an open question that is asked where the member is. `list_page`: the
    number of the page that lists the topic, from 0.
    """

    topic: Topic
    section: str
    asks_openly: bool
    progress: Progress
    items: tuple[ItemProgress, ...]
    list_page: int


class InPlay(Struct, frozen=True):
    """A topic whose open question is being asked on a member's server, so it can't be read now.

    `until` is when that closes; None if it is unknown or imminent.
    """

    topic: Topic
    until: datetime | None


def item_progress(
    topic: Topic, cards: Mapping[str, MemoryCard], zone: str, now: datetime
) -> tuple[ItemProgress, ...]:
    """Return a member's progress in each item of a topic; `cards` are theirs, by item id."""
    found = []
    for number, item in enumerate(topic.items, start=1):
        card = cards.get(item.id)
        days = None if card is None else days_away(card, zone, now)
        found.append(ItemProgress(number, item.level, days, card is not None and is_learned(card)))
    return tuple(found)


def in_play(topic: Topic, until: datetime | None, now: datetime) -> InPlay:
    """Return why a topic can't be read, without a closing time that has passed."""
    return InPlay(topic, until if until is not None and until > now else None)
