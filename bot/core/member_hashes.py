"""Facts about members without their ids, which outlive an erasure of their data.

Ids are stored as HMAC-SHA256 with one key of this installation, each together with what it is
about. So two hashes never show that they belong to one member. Whoever has the database, which
holds the key, can test whether a member that they know is meant, but can't list the members; a key
of its own for each hash would not change that, because it would be stored here, too.

There are two tables because their rows go at different times: counts with their day, and facts
never; hashes of erased answers when the question, challenge or round takes no more answers, or with
its server. Members whose answer was erased while it was open must not answer again. A hash of a
round says until its end that they played in it, because a round pays only when two play. One of a
form says until the reveal that they opened it, because whoever plays alone isn't waited for. One of a
challenge says until its end that they started it, because each member has one open.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Date,
    Delete,
    Index,
    Integer,
    Select,
    String,
    Table,
    delete,
    select,
)

from bot.core.notes import note_once, read_note
from bot.core.tables import insert, metadata, prepared

_KEY = "member hash key"
ALL = 0
"""In place of a member's id: what all members do together. Discord has no such id."""

member_hashes = Table(
    "member_hashes",
    metadata,
    Column("digest", String(64), primary_key=True),  # in hex
    Column("day", Date),  # in UTC; older rows are deleted. Null: kept for good
    Column("count", Integer, nullable=False, server_default="1"),
    Index("ix_member_hashes_day", "day"),
)

erased_answers = Table(
    "erased_answers",
    metadata,
    # "round", "daily" or "challenge"; "played" and "form" for rounds, "started" for challenges
    Column("source", String(10), primary_key=True),
    # the question's id for "round" and "form", the round's for "played", else that of the daily or challenge
    Column("source_id", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", String(64), primary_key=True),  # in hex
    Column("guild_id", BigInteger, nullable=False),
    Index("ix_erased_answers_guild_id", "guild_id"),
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


def count_of(conn: Connection, what: str, user_id: int, day: date) -> int:
    """Return how much `count_up` has counted of it on a day."""
    found = select(member_hashes.c.count).where(
        member_hashes.c.digest == _digest(conn, what, user_id, day)
    )
    return conn.execute(found).scalar() or 0


def fact_about(conn: Connection, what: str, *user_ids: int) -> str:
    """Return the hash of a fact about these members, to remember; their order doesn't matter."""
    return _new_digest(conn, what, *sorted(user_ids))


def remember(conn: Connection, digest: str) -> None:
    """Store a fact for good."""
    conn.execute(insert(conn, member_hashes).values(digest=digest).on_conflict_do_nothing())


def remembers(conn: Connection, digest: str) -> bool:
    """Whether a fact is stored."""
    known = select(member_hashes.c.digest).where(member_hashes.c.digest == digest)
    return conn.execute(known).first() is not None


def add_hash(conn: Connection, source: str, source_id: int, *, guild_id: int, user_id: int) -> None:
    """Store a hash of a member, for example because their answer is erased in this transaction."""
    digest = _new_digest(conn, source, source_id, user_id)
    row = {"source": source, "source_id": source_id, "guild_id": guild_id, "digest": digest}
    # an erasure in portions comes back to the same round or challenge
    conn.execute(insert(conn, erased_answers).values(**row).on_conflict_do_nothing())


def has_hash_of(conn: Connection, source: str, source_id: int, user_id: int) -> bool:
    """Return whether an answer of this member was erased while it was open."""
    found = _hashes_of(conn, source, source_id)
    return bool(found) and _digest(conn, source, source_id, user_id) in found


def has_hash_of_others(conn: Connection, source: str, source_id: int, user_id: int) -> bool:
    """Return whether an answer of somebody else was erased."""
    found = _hashes_of(conn, source, source_id)
    return bool(found) and found != {_digest(conn, source, source_id, user_id)}


def has_hashes(conn: Connection, source: str, source_id: int) -> bool:
    """Return whether any answer was erased while it was open."""
    return bool(_hashes_of(conn, source, source_id))


def delete_hashes(conn: Connection, source: str, source_id: int) -> None:
    """Delete the hashes, and their keys, of what takes no more answers."""
    _delete(conn, source, source_id)


def _hashes_of(conn: Connection, source: str, source_id: int) -> set[str]:
    return set(_hashes(conn, source, source_id).scalars())


@prepared
def _hashes(source: str, source_id: int) -> Select[Any]:
    c = erased_answers.c
    return select(c.digest).where(c.source == source, c.source_id == source_id)


@prepared
def _delete(source: str, source_id: int) -> Delete:
    c = erased_answers.c
    return delete(erased_answers).where(c.source == source, c.source_id == source_id)


def _new_digest(conn: Connection, *parts: object) -> str:
    """Return a hash, making the key for the first one."""
    return _keyed(note_once(conn, _KEY, secrets.token_hex(32)), parts)


def _digest(conn: Connection, *parts: object) -> str:
    """Return a hash to look for; one that is never stored if there is no key yet."""
    key = read_note(conn, _KEY)
    return "" if key is None else _keyed(key, parts)


def _keyed(key: str, parts: Sequence[object]) -> str:
    return hmac.new(bytes.fromhex(key), ":".join(map(str, parts)).encode(), "sha256").hexdigest()
