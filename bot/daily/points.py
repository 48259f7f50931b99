"""What an answer to the question of the day counts, whatever kind of question it is."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.core import servers as guilds
from bot.core import time as time_rules
from bot.daily import store
from bot.daily.store import Daily, DailyAnswer
from bot.daily.streaks import Streak
from bot.points import store as scores


def credit(conn: Connection, daily: Daily, answer: DailyAnswer, topic_id: str) -> Streak:
    """Count a stored first answer: points, and the streak that it makes."""
    entry = scores.Entry(
        source="daily",
        source_id=daily.id,
        user_id=answer.user_id,
        guild_id=daily.guild_id,
        topic_id=topic_id,
        points=answer.points,
        correct=answer.correct,
        local_date=time_rules.local_date(guilds.zone(conn, daily.guild_id), answer.answered_at),
        at=answer.answered_at,
    )
    scores.add(conn, [entry])
    streak = store.streak_of(conn, daily.guild_id, answer.user_id, answer.answered_at)
    store.save_streak(conn, daily.id, answer.user_id, streak)
    return streak
