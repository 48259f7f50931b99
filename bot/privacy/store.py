"""What is to be erased: members who wish it, at once; servers that have removed the bot, after a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table, delete, select, update

from bot.core.jobs import Queue
from bot.core.personal import ServerData
from bot.core.tables import Instant, OneOf, RowId, fetch, insert, metadata


class Erasing(StrEnum):
    """Where an erasure stands: its time has not come, or some of it may be done."""

    WAITING = "waiting"
    RUNNING = "running"


# One row a member or server whose data are to be erased; the row goes with the last of them.
erasures = sa.Table(
    "erasures",
    metadata,
    sa.Column("id", RowId, primary_key=True),
    sa.Column("user_id", sa.BigInteger, unique=True),
    sa.Column("guild_id", sa.BigInteger, unique=True),
    sa.Column("state", OneOf(Erasing, 7), nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column(
        "failures", sa.Integer, nullable=False, server_default="0"
    ),  # in a row, of what is due
    sa.Index("ix_erasures_due_at", "due_at"),
)
QUEUE = Queue(
    erasures,
    due_at=erasures.c.due_at,
    state=erasures.c.state,
    guild_id=erasures.c.guild_id,
    claimed=erasures.c.state == Erasing.RUNNING,
)
change = QUEUE.change


@dataclass(frozen=True, slots=True)
class Erasure:
    """A row of `erasures`, of a member or of a server."""

    id: int
    user_id: int | None
    guild_id: int | None
    state: Erasing
    due_at: datetime


def get(conn: Connection, erasure_id: int) -> Erasure | None:
    return fetch(conn, select(erasures).where(erasures.c.id == erasure_id), Erasure)


def begin(conn: Connection, user_id: int, until: datetime) -> Erasure:
    """Take a member's erasure in hand; who wishes it twice has one."""
    values = {"state": Erasing.RUNNING, "due_at": until}
    fresh = insert(conn, erasures).values(user_id=user_id, **values)
    row = conn.execute(
        fresh.on_conflict_do_update(index_elements=["user_id"], set_=values).returning(
            erasures.c.id
        )
    )
    return Erasure(row.scalar_one(), user_id, None, Erasing.RUNNING, until)


def note_departure(conn: Connection, guild_id: int, due: datetime) -> None:
    """A server has removed the bot; the first such note counts."""
    fresh = insert(conn, erasures).values(guild_id=guild_id, state=Erasing.WAITING, due_at=due)
    conn.execute(fresh.on_conflict_do_nothing(index_elements=["guild_id"]))


def note_return(conn: Connection, guild_id: int) -> bool:
    """A server has the bot again: it keeps its data, if their time has not come."""
    waiting = erasures.c.guild_id == guild_id, erasures.c.state == Erasing.WAITING
    return conn.execute(delete(erasures).where(*waiting)).rowcount > 0


def hold(conn: Connection, erasure_id: int, until: datetime) -> bool:
    """Keep an erasure in hand; False if another process has ended it."""
    held = update(erasures).where(erasures.c.id == erasure_id, erasures.c.state == Erasing.RUNNING)
    return conn.execute(held.values(due_at=until, failures=0)).rowcount == 1


def end(conn: Connection, erasure_id: int) -> None:
    conn.execute(delete(erasures).where(erasures.c.id == erasure_id))


def departed(conn: Connection) -> set[int]:
    """Servers whose data wait to be erased."""
    waiting = erasures.c.guild_id.is_not(None), erasures.c.state == Erasing.WAITING
    return set(conn.execute(select(erasures.c.guild_id).where(*waiting)).scalars())


def known_servers(conn: Connection, held: Sequence[ServerData]) -> set[int]:
    """Every server of which anything is stored, by a look for each into the tables that have servers in order."""
    return {
        guild_id
        for table in _in_order(held)
        for guild_id in conn.execute(_servers_of(table)).scalars()
    }


def _in_order(held: Sequence[ServerData]) -> Iterator[Table]:
    """Tables of servers that have a key or an index which begins with the server."""
    for table in (table for data in held for table in data.tables if "guild_id" in table.c):
        keys = [
            list(table.primary_key),
            *(list(index.columns) for index in table.indexes if not _partial(index)),
        ]
        if any(key[0] is table.c.guild_id for key in keys):
            yield table


def _partial(index: sa.Index) -> bool:
    return index.dialect_options["sqlite"]["where"] is not None


def _servers_of(table: Table) -> sa.Select[Any]:
    """From one server to the next, past all rows of each."""
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
