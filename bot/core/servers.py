"""Settings of servers that all features share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from msgspec import Struct
from sqlalchemy import BigInteger, Column, Connection, Select, String, Table, select

from bot.core.errors import UserError
from bot.core.tables import first_row, metadata, upsert

DEFAULT_ZONE = "UTC"

guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    # The IANA name of the time zone, which decides when a day begins.
    Column("zone", String(64), nullable=False, server_default=DEFAULT_ZONE),
    # The role that may start rounds and challenges, besides managers; null: everyone may.
    Column("starter_role_id", BigInteger),
    # The channel where suggested questions are announced; null: none.
    Column("suggestions_channel_id", BigInteger),
)


class Server(Struct, frozen=True):
    """A row of `guilds`, or the defaults of a server without a row."""

    guild_id: int
    zone: str = DEFAULT_ZONE
    starter_role_id: int | None = None
    suggestions_channel_id: int | None = None


def server(conn: Connection, guild_id: int) -> Server:
    """Return a server's settings."""
    return _row(conn, guild_id) or Server(guild_id)


@first_row(Server)
def _row(guild_id: int) -> Select[Any]:
    return select(guilds).where(guilds.c.guild_id == guild_id)


def zone(conn: Connection, guild_id: int) -> str:
    """Return the IANA name of a server's time zone."""
    return server(conn, guild_id).zone


def set_zone(conn: Connection, guild_id: int, zone: str) -> None:
    """Store a server's time zone. Use `Schedules.set_zone`, which also moves daily and recap."""
    upsert(conn, guilds, guild_id=guild_id, zone=zone)


def lock(conn: Connection, guild_id: int) -> None:
    """Lock the server's row (creates it) so that per-server limits can't be raced."""
    upsert(conn, guilds, guild_id=guild_id)


def set_starter_role(conn: Connection, guild_id: int, role_id: int | None) -> None:
    upsert(conn, guilds, guild_id=guild_id, starter_role_id=role_id)


def set_suggestions_channel(conn: Connection, guild_id: int, channel_id: int | None) -> None:
    upsert(conn, guilds, guild_id=guild_id, suggestions_channel_id=channel_id)


def require_starter(
    conn: Connection, guild_id: int, roles: Collection[int], *, manages: bool
) -> None:
    """Refuse a member who may not start rounds and challenges.

    `roles` are the member's; `manages` says whether they manage the server.
    """
    role_id = server(conn, guild_id).starter_role_id
    if role_id is not None and role_id not in roles and not manages:
        raise UserError(
            f"Only members with <@&{role_id}> can start one on this server. "
            "Join one that they start, ask a moderator for the role, or use </practice> on your own."
        )
