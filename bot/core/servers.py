"""What is known about servers."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, String, Table, select

from bot.core.personal import register_server_rows
from bot.core.tables import metadata, upsert

DEFAULT_ZONE = "UTC"

guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("zone", String(64), nullable=False),  # IANA name; decides where a day of the boards begins
)
register_server_rows(guilds.c.guild_id)


def zone(conn: Connection, guild_id: int) -> str:
    """IANA name of the server's time zone."""
    return conn.execute(select(guilds.c.zone).where(guilds.c.guild_id == guild_id)).scalar() or DEFAULT_ZONE


def set_zone(conn: Connection, guild_id: int, zone: str) -> None:
    upsert(conn, guilds, guild_id=guild_id, zone=zone)
