"""Draws the question of the day."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

from sqlalchemy import Connection

from bot.daily import rules, store
from bot.daily.store import Schedule
from bot.questions import answers
from bot.questions.model import Bank
from bot.rounds import store as round_store
from bot.rounds.rules import shuffled


def drawn(conn: Connection, bank: Bank, schedule: Schedule, day: date, rng: random.Random) -> dict[str, Any]:
    """The columns of a daily that say what it asks: an item with its choices shuffled, or a topic's open question."""
    if rules.asks_openly(schedule.kind, day):
        topics = list(bank.topics.values())
        topic = rules.pick(topics, store.used_topics(conn, schedule.guild_id), rng)
        return {"item_id": None, "topic_id": topic.id, "choice_order": ""}
    fitting = [item for item in bank.items.values() if schedule.topic_id in {None, item.topic_id}]
    pool = fitting or list(bank.items.values())
    hidden = round_store.items_in_play(conn, schedule.guild_id)
    pool = [item for item in pool if item.id not in hidden] or pool
    item = rules.pick(pool, store.used_items(conn, schedule.guild_id), rng)
    return {"item_id": item.id, "topic_id": None, "choice_order": answers.encode_order(shuffled(item, rng))}
