"""What a member's cards and reviews say about their progress, and whether others may see it."""

from __future__ import annotations

from datetime import datetime

from fsrs import Rating
from sqlalchemy import Connection, select

from bot.core.schema import members, reviews
from bot.core.upsert import insert

_LATEST = 1000


def latest_ratings(conn: Connection, user_id: int) -> list[tuple[str, Rating]]:
    """Item id and rating of a member's latest reviews, newest first, a thousand at most."""
    rows = conn.execute(
        select(reviews.c.item_id, reviews.c.rating)
        .where(reviews.c.user_id == user_id)
        .order_by(reviews.c.at.desc(), reviews.c.source_id.desc())
        .limit(_LATEST)
    )
    return [(row.item_id, Rating(row.rating)) for row in rows]


def practised_at(conn: Connection, user_id: int, since: datetime) -> list[datetime]:
    """When a member answered in practice, since a moment, oldest first."""
    rows = conn.execute(
        select(reviews.c.at)
        .where(reviews.c.user_id == user_id, reviews.c.at >= since, reviews.c.source == "practice")
        .order_by(reviews.c.at)
    )
    return list(rows.scalars())


def shows_stats(conn: Connection, user_id: int) -> bool:
    """Whether others may look at all of a member's figures; not unless the member said so."""
    return bool(conn.execute(select(members.c.shows_stats).where(members.c.user_id == user_id)).scalar())


def set_shows_stats(conn: Connection, user_id: int, shows: bool) -> None:
    statement = insert(conn, members).values(user_id=user_id, shows_stats=shows)
    conn.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_={"shows_stats": shows}))
