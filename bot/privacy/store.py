"""Erasures: of members, who asked for it, and of servers that removed the bot, after a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy import Connection, Table, delete, select, update

from bot.core.jobs import Queue
from bot.core.personal import PASSING
from bot.core.tables import Instant, OneOf, RowId, fetch, insert, metadata


class Erasing(StrEnum):
    """The state of an erasure: its time has not come, or it has begun."""

    WAITING = "waiting"
    RUNNING = "running"


# One row for each member or server whose data must be erased; deleted at the end of the erasure.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("user_id", sa.BigInteger, unique=True),
    sa.Column("guild_id", sa.BigInteger, unique=True),
    sa.Column("state", OneOf(Erasing, 7), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),  # in a row
    sa.Index("ix_erasures_due_at", "due_at"),
    info=PASSING,
)
QUEUE = Queue(
    table=erasures,
    due_at=erasures.c.due_at,
    state=erasures.c.state,
    guild_id=erasures.c.guild_id,
    claimed=erasures.c.state == Erasing.RUNNING,
)
change = QUEUE.change


class Erasure(Struct, frozen=True):
    """A row of `erasures`; either `user_id` or `guild_id` is set."""

    id: int
    user_id: int | None
    guild_id: int | None
    state: Erasing
    due_at: datetime


def get(conn: Connection, erasure_id: int) -> Erasure | None:
    return fetch(conn, select(erasures).where(erasures.c.id == erasure_id), Erasure)


def begin(conn: Connection, user_id: int, until: datetime) -> Erasure:
    """Begin a member's erasure, or take over the one that exists; its lease ends at `until`."""
    values = {"state": Erasing.RUNNING, "due_at": until}
    fresh = insert(conn, erasures).values(user_id=user_id, **values)
    row = conn.execute(
        fresh.on_conflict_do_update(index_elements=["user_id"], set_=values).returning(
            erasures.c.id
        )
    )
    return Erasure(row.scalar_one(), user_id, None, Erasing.RUNNING, until)


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


def extend_lease(conn: Connection, erasure_id: int, until: datetime) -> bool:
    """Extend the lease of a running erasure; False if another process has ended it."""
    held = update(erasures).where(erasures.c.id == erasure_id, erasures.c.state == Erasing.RUNNING)
    return conn.execute(held.values(due_at=until, failures=0)).rowcount == 1


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
