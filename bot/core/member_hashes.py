"""Facts about members without their ids, which outlive an erasure of their data.

Ids are stored as HMAC-SHA256 with a key of this installation. Whoever has both can test whether a
member that they know is meant, but can't list the members.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import date

from sqlalchemy import Column, Connection, Date, Index, Integer, String, Table, delete, select

from bot.core.notes import note_once, read_note
from bot.core.tables import insert, metadata

_KEY = "member hash key"

member_hashes = Table(
    "member_hashes",
    metadata,
    Column("digest", String(64), primary_key=True),  # in hex
    Column("day", Date),  # in UTC; older rows are deleted. Null: kept for good
    Column("count", Integer, nullable=False, server_default="1"),
    Index("ix_member_hashes_day", "day"),
)


def count_up(conn: Connection, what: str, user_id: int, day: date, limit: int) -> bool:
    """Count one more of what a member may do `limit` times a day; False if they have done so."""
    c = member_hashes.c
    conn.execute(delete(member_hashes).where(c.day < day))
    first = insert(conn, member_hashes).values(
        digest=_new_digest(conn, what, user_id, day), day=day
    )
    counted = first.on_conflict_do_update(
        index_elements=["digest"], set_={"count": c.count + 1}, where=c.count < limit
    )
    return conn.execute(counted).rowcount == 1


def remember(conn: Connection, what: str, *user_ids: int) -> None:
    """Store a fact about these members for good; their order doesn't matter."""
    row = insert(conn, member_hashes).values(digest=_new_digest(conn, what, *sorted(user_ids)))
    conn.execute(row.on_conflict_do_nothing())


def remembers(conn: Connection, what: str, *user_ids: int) -> bool:
    """Whether that fact about these members is stored."""
    key = read_note(conn, _KEY)
    if key is None:
        return False
    known = select(member_hashes.c.digest)
    digest = _digest(key, what, *sorted(user_ids))
    return conn.execute(known.where(member_hashes.c.digest == digest)).first() is not None


def _new_digest(conn: Connection, *parts: object) -> str:
    """Return a hash, making the key for the first one."""
    return _digest(note_once(conn, _KEY, secrets.token_hex(32)), *parts)


def _digest(key: str, *parts: object) -> str:
    return hmac.new(bytes.fromhex(key), ":".join(map(str, parts)).encode(), "sha256").hexdigest()
