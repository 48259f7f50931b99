"""Small facts that the program stores about itself, by key."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Column, Connection, String, Table, Text, delete, select

from bot.core.snowflakes import created_at, earliest_id
from bot.core.tables import insert, metadata, upsert

_CLAIM = "first:"  # prefix of the keys of claimed interactions

meta = Table(
    "meta",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("value", Text, nullable=False),
)


def read_note(conn: Connection, key: str, /) -> str | None:
    """Return the value of a key, for example the hash of the bank that was last checked."""
    return conn.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def set_note(conn: Connection, key: str, value: str) -> None:
    upsert(conn, meta, key=key, value=value)


def note_once(conn: Connection, key: str, value: str) -> str:
    """Store a value unless the key has one, and return what it has."""
    known = read_note(conn, key)
    if known is not None:
        return known
    conn.execute(insert(conn, meta).values(key=key, value=value).on_conflict_do_nothing())
    return read_note(conn, key) or value


def claim_interaction(conn: Connection, interaction_id: int) -> bool:
    """Claim an interaction; return False if a process has claimed it before.

    Claims are kept for at least an hour, longer than an interaction can be repeated.
    """
    hour_ago = earliest_id(created_at(interaction_id) - timedelta(hours=1))
    conn.execute(delete(meta).where(meta.c.key.between(f"{_CLAIM}0", f"{_CLAIM}{hour_ago:020}")))
    statement = insert(conn, meta).values(key=f"{_CLAIM}{interaction_id:020}", value="")
    return conn.execute(statement.on_conflict_do_nothing()).rowcount == 1
