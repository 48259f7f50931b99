"""Erasures: of members, who asked for it, and of servers that removed the bot, after a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table, delete, select, update

from bot.core.jobs import LEASE, Queue, leased, queue_columns
from bot.core.personal import PASSING
from bot.core.tables import OneOf, RowId, fetch, insert, metadata
from bot.privacy.model import Erasing, Erasure

# One row for each member or server whose data must be erased; deleted at the end of the erasure.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("user_id", sa.BigInteger, unique=True),
    sa.Column("guild_id", sa.BigInteger, unique=True),
    sa.Column("state", OneOf(Erasing, 7), nullable=False),
    *queue_columns(),
    # a process that was taken over must not end the next one's erasure
    sqlite_autoincrement=True,
    info=PASSING,
)
QUEUE = Queue(erasures, state=erasures.c.state)
change = QUEUE.change


def get(conn: Connection, erasure_id: int) -> Erasure | None:
    return fetch(conn, select(erasures).where(erasures.c.id == erasure_id), Erasure)


def begin(conn: Connection, user_id: int, now: datetime) -> Erasure:
    """Begin a member's erasure, or take over the one that exists."""
    values = {"state": Erasing.RUNNING, **leased(now)}
    fresh = insert(conn, erasures).values(user_id=user_id, **values)
    row = conn.execute(
        fresh.on_conflict_do_update(index_elements=["user_id"], set_=values).returning(
            erasures.c.id
        )
    )
    return Erasure(row.scalar_one(), user_id, None, Erasing.RUNNING, now + LEASE)


def note_departure(conn: Connection, guild_id: int, due: datetime) -> None:
    """Schedule the erasure of a server that has removed the bot, if it isn't scheduled yet."""
    fresh = insert(conn, erasures).values(guild_id=guild_id, state=Erasing.WAITING, due_at=due)
    conn.execute(fresh.on_conflict_do_nothing(index_elements=["guild_id"]))


def note_return(conn: Connection, guild_id: int) -> bool:
    """Cancel the erasure of a server that has the bot again; False if none was waiting."""
    waiting = delete(erasures).where(
        erasures.c.guild_id == guild_id, erasures.c.state == Erasing.WAITING
    )
    return conn.execute(waiting).rowcount > 0


def extend_lease(conn: Connection, erasure_id: int, now: datetime) -> bool:
    """Extend the lease of a running erasure; False if another process has ended it."""
    held = update(erasures).where(erasures.c.id == erasure_id, erasures.c.state == Erasing.RUNNING)
    return conn.execute(held.values(**leased(now), failures=0)).rowcount == 1


def end(conn: Connection, erasure_id: int) -> None:
    conn.execute(delete(erasures).where(erasures.c.id == erasure_id))


def departed(conn: Connection) -> set[int]:
    """Return the servers whose erasure is scheduled."""
    waiting = select(erasures.c.guild_id).where(
        erasures.c.guild_id.is_not(None), erasures.c.state == Erasing.WAITING
    )
    return set(conn.execute(waiting).scalars())


def known_servers(conn: Connection, names: Sequence[str]) -> set[int]:
    """Return every server about which these tables have anything.

    Each indexed table is searched once for each of its servers.
    """
    return {
        guild_id
        for table in _indexed_tables(names)
        for guild_id in conn.execute(_servers_of(table)).scalars()
    }


def _indexed_tables(names: Sequence[str]) -> Iterator[Table]:
    """Yield the tables that have a key or an index that begins with the server."""
    for table in (metadata.tables[name] for name in names):
        keys = [list(table.primary_key)]
        for index in table.indexes:
            if index.dialect_options["sqlite"]["where"] is None:  # not a partial index
                keys.append(list(index.columns))
        if any(key[0] is table.c.guild_id for key in keys):
            yield table


def _servers_of(table: Table) -> sa.Select[Any]:
    """Select a table's distinct servers by stepping through its index, which a DISTINCT wouldn't:
    https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    column = table.c.guild_id
    walk = select(sa.func.min(column).label("guild_id")).cte("servers", recursive=True)
    following = (
        select(sa.func.min(column))
        .where(column > walk.c.guild_id)
        .correlate(walk)
        .scalar_subquery()
    )
    walk = walk.union_all(select(following).where(walk.c.guild_id.is_not(None)))
    return select(walk.c.guild_id).where(walk.c.guild_id.is_not(None))
