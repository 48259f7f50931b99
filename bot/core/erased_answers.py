"""Hashes of members whose answer was erased while the question was open, so that none answers twice.

A hash is kept until the reveal, close or end. Each has its own random key, so that two hashes never
show that they belong to one member.
"""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Delete, Select, delete, select

from bot.core.tables import metadata, prepared

_KEY_BYTES = 16

erased_answers = sa.Table(
    "erased_answers",
    metadata,
    sa.Column("source", sa.String(10), primary_key=True),  # "round", "daily" or "challenge"
    # the question's id for a round, otherwise the id of the daily or challenge
    sa.Column("source_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String(64), primary_key=True),  # HMAC-SHA256 of the member's id, in hex
    sa.Column("key", sa.String(2 * _KEY_BYTES), nullable=False),  # of that HMAC, in hex
    sa.Column("guild_id", sa.BigInteger, nullable=False),
    sa.Index("ix_erased_answers_guild_id", "guild_id"),
)


def add_hash(conn: Connection, source: str, source_id: int, *, guild_id: int, user_id: int) -> None:
    """Store a hash of a member whose answer is erased in this transaction."""
    key = secrets.token_hex(_KEY_BYTES)
    row = {"source": source, "source_id": source_id, "guild_id": guild_id, "key": key}
    conn.execute(erased_answers.insert(), {**row, "digest": _digest(key, user_id)})


def has_hash_of(conn: Connection, source: str, source_id: int, user_id: int) -> bool:
    """Return whether an answer of this member was erased while it was open."""
    found = _hashes(conn, source, source_id)
    return any(hmac.compare_digest(row.digest, _digest(row.key, user_id)) for row in found)


def has_hashes(conn: Connection, source: str, source_id: int) -> bool:
    """Return whether any answer was erased while it was open."""
    return _hashes(conn, source, source_id).first() is not None


def delete_hashes(conn: Connection, source: str, source_id: int) -> None:
    """Delete the hashes, and their keys, of a question, daily or challenge that takes no more answers."""
    _delete(conn, source, source_id)


@prepared
def _hashes(source: str, source_id: int) -> Select[Any]:
    c = erased_answers.c
    return select(c.key, c.digest).where(c.source == source, c.source_id == source_id)


@prepared
def _delete(source: str, source_id: int) -> Delete:
    c = erased_answers.c
    return delete(erased_answers).where(c.source == source, c.source_id == source_id)


def _digest(key: str, user_id: int) -> str:
    return hmac.new(bytes.fromhex(key), str(user_id).encode(), "sha256").hexdigest()
