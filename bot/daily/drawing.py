"""Which question a daily asks next."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from datetime import date

from bot.daily import rules
from bot.daily.rules import Schedule
from bot.questions.areas import ALL, topics_of
from bot.questions.model import Bank, Item, Topic


def asked_topic_ids(bank: Bank, asks: str) -> set[str] | None:
    """Return the ids of the topics that a daily asks; None for all.

    All are asked, too, if what it asks has left the bank.
    """
    topics = set() if asks == ALL else {topic.id for topic in topics_of(bank, asks)}
    return topics or None


def draw(
    schedule: Schedule,
    day: date,
    bank: Bank,
    *,
    used: Mapping[str, date],
    in_dailies: Collection[str],
    in_games: Collection[str],
    rng: random.Random,
) -> Item | Topic | None:
    """Draw the item, or the topic of the open question, that a daily asks on a date.

    `used` has the last date of each as one of the server's dailies. `in_dailies` are those that
    dailies ask now, which are never drawn; None if there is nothing else. The items `in_games`
    are asked by rounds and challenges; they are drawn only if there is nothing else.
    """
    area = asked_topic_ids(bank, schedule.asks)
    topics = [topic for topic in bank.open_topics.values() if topic.id not in in_dailies]
    if topics and (rules.asks_openly(schedule.kind, day) or not bank.asked):
        fitting_topics = [topic for topic in topics if area is None or topic.id in area]
        return rules.pick(fitting_topics or topics, used, rng)
    items = [item for item in bank.asked.values() if item.id not in in_dailies]
    fitting = [item for item in items if area is None or item.topic_id in area]
    # A challenge can keep all items of a topic in play for a week: then ask another topic.
    pool = (
        [item for item in fitting if item.id not in in_games]
        or [item for item in items if item.id not in in_games]
        or fitting
        or items
    )
    return rules.pick(pool, used, rng) if pool else None
