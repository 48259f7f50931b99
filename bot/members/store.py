"""What members decided about themselves, for all servers."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection, select

from bot.core import servers
from bot.core.tables import metadata, upsert

members = sa.Table(
    "members",
    metadata,
    sa.Column("user_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("shows_stats", sa.Boolean, nullable=False, server_default=sa.false()),  # others may look at their /stats
    sa.Column("zone", sa.String(64)),  # IANA name; decides where their days begin
)


def shows_stats(conn: Connection, user_id: int) -> bool:
    """Whether others may look at all of a member's figures; not unless the member said so."""
    return bool(conn.execute(select(members.c.shows_stats).where(members.c.user_id == user_id)).scalar())


def set_shows_stats(conn: Connection, user_id: int, shows: bool) -> None:
    upsert(conn, members, user_id=user_id, shows_stats=shows)


def zone_of(conn: Connection, user_id: int, guild_id: int | None) -> str:
    """The zone that a member's days follow: their own if they have set one, else the server's, else UTC."""
    own = conn.execute(select(members.c.zone).where(members.c.user_id == user_id)).scalar()
    return own or (servers.zone(conn, guild_id) if guild_id else servers.DEFAULT_ZONE)


def set_zone(conn: Connection, user_id: int, zone: str) -> None:
    upsert(conn, members, user_id=user_id, zone=zone)
