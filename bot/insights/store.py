"""Counts of members' reports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, select

from bot.questions.store import reports

_MOST_REPORTS = 1000


def reports_by_subject(conn: Connection, guild_id: int, since: datetime) -> dict[str, int]:
    """Count the members of a server who have reported each item, or a topic's open question."""
    newest = (
        select(reports.c.item_id, reports.c.user_id, reports.c.at)
        .where(reports.c.guild_id == guild_id)
        .order_by(reports.c.id.desc())
        .limit(_MOST_REPORTS)
        .subquery()
    )
    members = func.count(newest.c.user_id.distinct()).label("reports")
    query = select(newest.c.item_id, members).where(newest.c.at >= since).group_by(newest.c.item_id)
    return {row.item_id: row.reports for row in conn.execute(query)}
