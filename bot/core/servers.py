"""What is known about servers, and the program's own notes."""

from __future__ import annotations

from sqlalchemy import Connection, select

from bot.core.schema import guilds, meta
from bot.core.upsert import insert

DEFAULT_ZONE = "UTC"


def zone(conn: Connection, guild_id: int) -> str:
    """IANA name of the server's time zone."""
    return conn.execute(select(guilds.c.zone).where(guilds.c.guild_id == guild_id)).scalar() or DEFAULT_ZONE


def set_zone(conn: Connection, guild_id: int, zone: str) -> None:
    statement = insert(conn, guilds).values(guild_id=guild_id, zone=zone)
    conn.execute(statement.on_conflict_do_update(index_elements=["guild_id"], set_={"zone": zone}))


def note(conn: Connection, key: str, /) -> str | None:
    """A note of the program to itself, for example the hash of the commands that Discord has."""
    return conn.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def set_note(conn: Connection, key: str, value: str) -> None:
    statement = insert(conn, meta).values(key=key, value=value)
    conn.execute(statement.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
