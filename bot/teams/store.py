"""Which roles are teams, and what they are or were called."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Select, select, update

from bot.core.personal import Held, server_rows
from bot.core.tables import Instant, metadata, prepared, upsert

MAX_NAME = 100
"""Discord's own limit for a role."""

# A team that is removed, or whose role is deleted, keeps its row: boards of the past name it.
teams = sa.Table(
    "teams",
    metadata,
    sa.Column("guild_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("role_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(MAX_NAME), nullable=False),
    sa.Column("removed_at", Instant),  # null while its members win points for it
)

HELD = Held(servers=[server_rows(teams.c.guild_id)])


def ids(conn: Connection, guild_id: int) -> list[int]:
    """The roles that are teams of a server, those that were roles first before the others."""
    return list(_ids(conn, guild_id).scalars())


@prepared
def _ids(guild_id: int) -> Select[Any]:
    query = select(teams.c.role_id).where(
        teams.c.guild_id == guild_id, teams.c.removed_at.is_(None)
    )
    return query.order_by(teams.c.role_id)


def names_of(conn: Connection, guild_id: int, role_ids: Collection[int]) -> dict[int, str]:
    """What teams are called, also those of the past."""
    query = select(teams.c.role_id, teams.c.name)
    rows = conn.execute(query.where(teams.c.guild_id == guild_id, teams.c.role_id.in_(role_ids)))
    return {row.role_id: row.name for row in rows}


def add(conn: Connection, guild_id: int, role_id: int, name: str) -> None:
    """Make a role a team, also one that was a team before."""
    upsert(conn, teams, guild_id=guild_id, role_id=role_id, name=name[:MAX_NAME], removed_at=None)


def remove(conn: Connection, guild_id: int, role_ids: Collection[int], at: datetime) -> int:
    """Make these roles teams no more; returns how many were."""
    where = (
        teams.c.guild_id == guild_id,
        teams.c.role_id.in_(role_ids),
        teams.c.removed_at.is_(None),
    )
    return conn.execute(update(teams).where(*where).values(removed_at=at)).rowcount


def rename(conn: Connection, guild_id: int, role_id: int, name: str) -> None:
    """Keep what a role is called now, if it is or was a team."""
    where = teams.c.guild_id == guild_id, teams.c.role_id == role_id
    conn.execute(update(teams).where(*where).values(name=name[:MAX_NAME]))
