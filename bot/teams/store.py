"""Which roles are teams, and the names of present and former teams."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, select, update

from bot.core.tables import Instant, metadata, prepared, upsert

MAX_NAME = 100
"""The longest name of a role."""

# A removed team, or one whose role is deleted, keeps its row because old boards name it.
teams = sa.Table(
    "teams",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("role_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(MAX_NAME), nullable=False),
    sa.Column("removed_at", Instant),  # null while it is a team
)


def ids(conn: Connection, guild_id: int) -> list[int]:
    """Return the roles that are teams of a server, the oldest role first."""
    return list(_ids(conn, guild_id).scalars())


@prepared
def _ids(guild_id: int) -> Select[Any]:
    query = select(teams.c.role_id).where(
        teams.c.guild_id == guild_id, teams.c.removed_at.is_(None)
    )
    return query.order_by(teams.c.role_id)


def names_of(conn: Connection, guild_id: int, role_ids: Collection[int]) -> dict[int, str]:
    """Return the names of present and former teams."""
    query = select(teams.c.role_id, teams.c.name)
    rows = conn.execute(query.where(teams.c.guild_id == guild_id, teams.c.role_id.in_(role_ids)))
    return {row.role_id: row.name for row in rows}


def add(conn: Connection, guild_id: int, role_id: int, name: str) -> None:
    """Make a role a team, even if it was one before."""
    upsert(conn, teams, guild_id=guild_id, role_id=role_id, name=name[:MAX_NAME], removed_at=None)


def remove(conn: Connection, guild_id: int, role_ids: Collection[int], at: datetime) -> int:
    """Stop these roles from being teams; return how many of them were."""
    statement = update(teams).where(
        teams.c.guild_id == guild_id,
        teams.c.role_id.in_(role_ids),
        teams.c.removed_at.is_(None),
    )
    return conn.execute(statement.values(removed_at=at)).rowcount


def rename(conn: Connection, guild_id: int, role_id: int, name: str) -> None:
    """Store the new name of a role, if it is or was a team."""
    statement = update(teams).where(teams.c.guild_id == guild_id, teams.c.role_id == role_id)
    conn.execute(statement.values(name=name[:MAX_NAME]))
