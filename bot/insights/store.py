"""The number of members who reported each question."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from bot.questions.store import reports

_NEWEST_REPORTS = 1000
"""Older reports of a server are ignored, to bound the query."""


def reports_by_subject(conn: Connection, guild_id: int, since: datetime) -> dict[str, int]:
    """Count the members who have reported each question since a moment, among the newest reports.

    The keys are ids of items, or of topics for their open questions.
    """
    newest = (
        select(reports.c.item_id, reports.c.user_id, reports.c.at)
        .where(reports.c.guild_id == guild_id)
        .order_by(reports.c.id.desc())
        .limit(_NEWEST_REPORTS)
        .subquery()
    )
    members = func.count(newest.c.user_id.distinct()).label("reporters")
    query = select(newest.c.item_id, members).where(newest.c.at >= since).group_by(newest.c.item_id)
    return {row.item_id: row.reporters for row in conn.execute(query)}
