"""The number of members who reported each question, and the measured difficulties of items."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection, delete, func, select

from bot.core.tables import metadata, upsert_all, values_of
from bot.memory.store import cards
from bot.questions.model import Measured
from bot.questions.store import reports

# How difficult items are, measured from the first answers of a sample of members.
item_difficulties = sa.Table(
    "item_difficulties",
    metadata,
    sa.Column("item_id", sa.String(48), primary_key=True),
    sa.Column("difficulty", sa.Float, nullable=False),  # on the Rasch scale
    sa.Column("answers", sa.Integer, nullable=False),
)

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


def difficulties(conn: Connection) -> dict[str, Measured]:
    """Return the measured difficulties of all items."""
    rows = conn.execute(select(item_difficulties))
    return {row.item_id: Measured(row.difficulty, row.answers) for row in rows}


def save_difficulties(conn: Connection, measured: Mapping[str, Measured]) -> None:
    """Store the measured difficulties of some items."""
    rows = [{"item_id": item_id, **values_of(found)} for item_id, found in sorted(measured.items())]
    upsert_all(conn, item_difficulties, rows)


def forget_difficulties(conn: Connection, item_ids: Collection[str]) -> None:
    """Delete the measured difficulties of some items."""
    conn.execute(delete(item_difficulties).where(item_difficulties.c.item_id.in_(item_ids)))


def range_of_members(conn: Connection) -> tuple[int, int] | None:
    """Return the smallest and the largest id of members with cards; None if there are none."""
    c = cards.c.user_id
    smallest, largest = (conn.execute(select(f(c))).scalar() for f in (func.min, func.max))
    return None if smallest is None or largest is None else (smallest, largest)


def members_from(conn: Connection, first: int, limit: int) -> list[int]:
    """Return the ids of members with cards from an id on, in order.

    Each is looked up in the index, because reading all cards takes long.
    """
    found = select(func.min(cards.c.user_id).label("user_id")).where(cards.c.user_id >= first)
    walk = found.cte("walk", recursive=True)
    following = (
        select(func.min(cards.c.user_id))
        .where(cards.c.user_id > walk.c.user_id)
        .correlate(walk)
        .scalar_subquery()
    )
    walk = walk.union_all(select(following).where(walk.c.user_id.is_not(None)))
    query = select(walk.c.user_id).where(walk.c.user_id.is_not(None)).limit(limit)
    return list(conn.execute(query).scalars())


def first_answers(conn: Connection, user_ids: Collection[int]) -> list[tuple[int, str, bool]]:
    """Return (member, item id, whether the first answer was right) of all cards of members."""
    c = cards.c
    query = select(c.user_id, c.item_id, c.first_right).where(c.user_id.in_(user_ids))
    return [(r.user_id, r.item_id, r.first_right) for r in conn.execute(query)]
