"""Export and erasure of all data about members and servers. The tables declare them:

- A column `user_id` says whose a row is. The row is exported whole, and deleted with its member.
- A column `guild_id` says which server's a row is. The row is deleted with its server.
- A column with `info=SOMEBODY` names a member in a row that is not theirs. The row is exported to
  that member without the ids of others, and their id becomes `NOBODY`.
- A foreign key says that a row belongs to another one: it is exported and deleted with that.
- A column with `info=JSON`, or of type `Encoded`, is exported as what it encodes, and one with
  `info=SECRET` is not exported.
- A table with `info=DERIVED` is computed from others, and is erased before them. Otherwise, a member
  who answers again during the erasure would find an answer that is not counted.
- A table with `info=PASSING` is left alone, because its rows are deleted soon anyway.

An exception is a `Held` of its own, listed in `bot.app`. `tests/core/test_personal.py`
goes through all tables, and finds a column about members that declares nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from msgspec import Struct, to_builtins
from sqlalchemy import Column, Connection, Table, bindparam, delete, select, update

from bot.core.tables import Encoded, stream_rows

SOMEBODY = {"somebody": True}
JSON = {"json": True}
SECRET = {"secret": True}
DERIVED = {"derived": True}
PASSING = {"passing": True}
NOBODY = 0
"""The id in place of an erased member's. Discord has no such id."""

Row = dict[str, Any]
Export = Callable[[Connection, int], Iterable[Row]]
"""Yields all rows about a member, with few of them in memory at a time."""
Erase = Callable[[Connection, int, int], int]
"""Erases about `limit` rows of a member or server; returns how many, 0 if nothing was left."""

_CONTEXT = {"item_id", "topic_id", "guild_id", "local_date"}
"""Columns that a row is exported with if the row that it belongs to has them."""


class Held(Struct, frozen=True, eq=False):
    """How to export and erase what is stored, by the names of tables or columns, in that order."""

    exports: Mapping[str, Export] = {}
    members: Mapping[str, Erase] = {}
    servers: Mapping[str, Erase] = {}


def erased_with(erase: Callable[[Connection, Sequence[int]], int]) -> dict[str, Any]:
    """Return the `info` of a table whose rows are erased with something else; `erase` gets their ids."""
    return {"erased_with": erase}


def held_in(tables: Sequence[Table], different: Iterable[Held]) -> Held:
    """Return how to export and erase what these tables hold, and what is different in some."""
    exports: dict[str, Export] = {}
    members: dict[str, Erase] = {}
    servers: dict[str, Erase] = {}
    for table in sorted(tables, key=lambda table: "derived" not in table.info):
        if "passing" in table.info:
            continue
        parents = list(_parents(table))
        for owner in (part.c.user_id for part in [table, *parents] if "user_id" in part.c):
            exports[table.name] = _exporting(table, owner)
            break
        for column in table.c:
            if "somebody" in column.info:
                exports[str(column)] = _exporting(table, column)
                members[str(column)] = _replacing(column)
        if "user_id" in table.c:
            members[table.name] = _deleting(table.c.user_id)
        if "guild_id" in table.c and not any("guild_id" in parent.c for parent in parents):
            servers[table.name] = _deleting(table.c.guild_id)
    for part in different:
        exports |= part.exports
        members |= part.members
        servers |= part.servers
    return Held(exports, members, servers)


def export_rows(conn: Connection, table: Table, user_id: int) -> Iterable[Row]:
    """Yield a member's rows of a table in values that JSON has."""
    return _exporting(table, table.c.user_id)(conn, user_id)


def anonymous_id() -> int:
    """Return a placeholder for the member id of an anonymized row that needs one of its own.

    It is negative, where Discord has no ids.
    """
    return -1 - secrets.randbelow(1 << 62)


def _parents(table: Table) -> Iterator[Table]:
    """Yield the tables that a table's rows refer to, directly or not, the nearest first."""
    for key in table.foreign_keys:
        yield key.column.table
        yield from _parents(key.column.table)


def _children(table: Table) -> list[Column[Any]]:
    """Return the columns of other tables that refer to a table."""
    tables = table.metadata.sorted_tables
    return [
        key.parent for child in tables for key in child.foreign_keys if key.column.table is table
    ]


def _exporting(table: Table, owner: Column[Any]) -> Export:
    source: Any = table
    shown: dict[str, Column[Any]] = {}
    for column in table.c:
        if column.name != "user_id" and not column.info.keys() & {"somebody", "secret"}:
            shown[column.name] = column
    for parent in _parents(table):
        source = source.join(parent)
        shown |= {c.name: c for c in parent.c if c.name in _CONTEXT and c.name not in shown}
    columns = [column.label(name) for name, column in shown.items()]
    query = select(*columns).select_from(source).order_by(*table.primary_key)

    def export(conn: Connection, user_id: int) -> Iterator[Row]:
        for row in stream_rows(conn, query.where(owner == user_id)):
            yield {
                name.replace("guild_id", "server_id"): _plain(shown[name], value)
                for name, value in row._mapping.items()
            }

    return export


def _plain(column: Column[Any], value: Any) -> Any:
    """Return a value as JSON has it. Ids become text: they are too long for JavaScript's numbers."""
    if value is None:
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(column.type, Encoded):
        return to_builtins(value)
    if "json" in column.info:
        return json.loads(value)
    return str(value) if column.name.endswith("_id") or isinstance(value, StrEnum) else value


def _replacing(column: Column[Any]) -> Erase:
    key: Column[Any] = column.table.c.id

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        found = conn.execute(select(key).where(column == user_id).limit(limit)).scalars().all()
        change = update(column.table).where(key.in_(found)).values({column.name: NOBODY})
        return conn.execute(change).rowcount

    return erase


def _deleting(owner: Column[Any]) -> Erase:
    table: Table = owner.table
    alone = not _children(table) and "erased_with" not in table.info

    def erase(conn: Connection, whose: int, limit: int) -> int:
        few = limit if alone else max(1, limit // 50)
        keys = select(*table.primary_key).where(owner == whose).limit(few)
        return _delete(conn, table, conn.execute(keys).all())

    return erase


def _delete(conn: Connection, table: Table, keys: Sequence[Any]) -> int:
    """Delete rows, by their primary keys, and all that belongs to them; returns how many."""
    if not keys:
        return 0
    ids = [row[0] for row in keys]
    erased = len(keys)
    for column in _children(table):
        child: Table = column.table
        belonging = select(*child.primary_key).where(column.in_(ids))
        erased += _delete(conn, child, conn.execute(belonging).all())
    if "erased_with" in table.info:
        erased += table.info["erased_with"](conn, ids)
    key = list(table.primary_key)
    # each by its whole key: PostgreSQL may scan the table for one statement for all
    one = delete(table).where(*(column == bindparam(f"of_{column.name}") for column in key))
    conn.execute(one, [{f"of_{c.name}": row[n] for n, c in enumerate(key)} for row in keys])
    return erased
