"""What is known about servers, and what their managers have set for all features."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Select, String, Table, select

from bot.core.errors import UserError
from bot.core.personal import Held, server_rows
from bot.core.tables import first_row, metadata, upsert

DEFAULT_ZONE = "UTC"

guilds = Table(
    "guilds",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "zone", String(64), nullable=False, server_default=DEFAULT_ZONE
    ),  # IANA name; where days begin
    Column(
        "starter_role_id", BigInteger
    ),  # who may start what all can join, beside managers; null: everyone
    Column(
        "suggestions_channel_id", BigInteger
    ),  # where suggested questions are announced; null: nowhere
)
HELD = Held(servers=[server_rows(guilds.c.guild_id)])


@dataclass(frozen=True, slots=True)
class Server:
    """A row of `guilds`; of a server without one, what holds until something is set."""

    guild_id: int
    zone: str = DEFAULT_ZONE
    starter_role_id: int | None = None
    suggestions_channel_id: int | None = None


def server(conn: Connection, guild_id: int) -> Server:
    """What is set on a server."""
    return _row(conn, guild_id) or Server(guild_id)


@first_row(Server)
def _row(guild_id: int) -> Select[Any]:
    return select(guilds).where(guilds.c.guild_id == guild_id)


def zone(conn: Connection, guild_id: int) -> str:
    """IANA name of the server's time zone."""
    return server(conn, guild_id).zone


def set_zone(conn: Connection, guild_id: int, zone: str) -> None:
    """Store a server's time zone; see `daily.schedules.Schedules.set_zone` for all that follows."""
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
    """Refuse a member who may not start what all can join, by their roles and whether they manage the server."""
    role_id = server(conn, guild_id).starter_role_id
    if role_id is not None and role_id not in roles and not manages:
        raise UserError(
            f"Only members with <@&{role_id}> can start one on this server. "
            "Join one that they start, or ask a moderator for the role."
        )
