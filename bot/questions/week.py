"""The topic of the week: games and dailies ask a server its questions first."""

from __future__ import annotations

from datetime import datetime, time

from bot.core import servers
from bot.core.calendar import Rule, instant, local_date
from bot.core.database import Connection
from bot.questions import store
from bot.questions.model import Bank, Topic, TopicOfWeek


def topic_of_week(conn: Connection, bank: Bank, guild_id: int, now: datetime) -> Topic | None:
    """Return a server's topic of the week, if its bank asks questions on it."""
    today = local_date(servers.zone(conn, guild_id), now)
    topic = bank.asked_topics.get(servers.topic_of_week(conn, guild_id, today) or "")
    return topic if topic and topic.items else None


def week_of(conn: Connection, bank: Bank, guild_id: int, now: datetime) -> TopicOfWeek | None:
    """Return a server's topic of the week with what of it is still to be asked, or None."""
    topic = topic_of_week(conn, bank, guild_id, now)
    if topic is None:
        return None
    server = servers.server(conn, guild_id)
    since = instant(Rule(time.min, server.zone), server.week_began).timestamp() * 1000
    asked = store.asked_in(conn, guild_id)
    unasked = frozenset(item.id for item in topic.items if asked.get(item.id, 0) < since)
    return TopicOfWeek(topic, server.week_began, unasked)
