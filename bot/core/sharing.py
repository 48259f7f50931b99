"""How processes share a database: who takes which due work, who is alone, who was first."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, false, func, literal_column, or_, select, text, true

from bot.core.schema import dailies, meta, rounds
from bot.core.shards import SHARD_BITS, TAKE_OVER, Shards
from bot.core.snowflakes import created_at, earliest_id
from bot.core.upsert import insert

PROGRAM = "quizformer"
"""How connections of the bot's processes are named in PostgreSQL, before a number that each process draws."""
_FIRST = "first:"


def ours(
    shards: Shards,
    now: datetime,
    *,
    guild_id: ColumnElement[int],
    due_at: ColumnElement[datetime],
    claimed: ColumnElement[bool] | None = None,
) -> ColumnElement[bool]:
    """Due rows that a process with these shards takes: of its servers, or given up by their own process.

    Those are rows that wait too long, and `claimed` ones, which are due again only because nobody finished them.
    """
    if shards.all:
        return true()
    return or_(_on(shards, guild_id), due_at <= now - TAKE_OVER, false() if claimed is None else claimed)


def nearest(
    conn: Connection,
    shards: Shards,
    *,
    guild_id: ColumnElement[int],
    due_at: ColumnElement[datetime],
    where: ColumnElement[bool] | None = None,
    claimed: ColumnElement[bool] | None = None,
) -> datetime | None:
    """When the next row is one of `ours`."""
    query = select(due_at).where(due_at.is_not(None), true() if where is None else where).order_by(due_at).limit(1)
    first: datetime | None = conn.execute(query).scalar()
    if first is None or shards.all:
        return first
    own = or_(_on(shards, guild_id), false() if claimed is None else claimed)
    mine: datetime | None = conn.execute(query.where(own)).scalar()
    return min(mine or first + TAKE_OVER, first + TAKE_OVER)


def _on(shards: Shards, guild_id: ColumnElement[int]) -> ColumnElement[bool]:
    return (guild_id.bitwise_rshift(literal_column(str(SHARD_BITS))).self_group() % shards.count).in_(shards.ids)


def alone(conn: Connection) -> bool:
    """Whether no other process of the bot uses the database; none can claim work before the transaction ends.

    PostgreSQL knows by its connections, which end with their process. SQLite is for one process.
    """
    if conn.dialect.name != "postgresql":
        return True
    conn.execute(text(f"LOCK TABLE {rounds.name}, {dailies.name} IN SHARE ROW EXCLUSIVE MODE"))
    others = (
        select(func.count())
        .select_from(text("pg_stat_activity"))
        .where(
            text("datname = current_database()"),
            text(f"application_name LIKE '{PROGRAM} %'"),
            text("application_name <> current_setting('application_name')"),
        )
    )
    return conn.execute(others).scalar_one() == 0


def first(conn: Connection, interaction_id: int) -> bool:
    """Whether no process has taken up this interaction before, which the caller then has; kept for an hour or more."""
    hour_ago = earliest_id(created_at(interaction_id) - timedelta(hours=1))
    conn.execute(delete(meta).where(meta.c.key.between(f"{_FIRST}0", f"{_FIRST}{hour_ago:020}")))
    statement = insert(conn, meta).values(key=f"{_FIRST}{interaction_id:020}", value="")
    return conn.execute(statement.on_conflict_do_nothing()).rowcount == 1
