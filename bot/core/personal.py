"""What is stored about members and servers: where it stands, how it is given out, how it is erased.

A store registers each of its tables that holds an id, a name or words of a member, or belongs to a server. Who exports
or erases asks here and knows no feature. `tests/core/test_personal.py` goes through all tables there are, and finds
a column that nobody has registered.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, Table, bindparam, delete, select

Row = dict[str, Any]
Export = Callable[[Connection, int], list[Row]]
"""Gives all rows about a member, in plain keys."""
Erase = Callable[[Connection, int, int], int]
"""Erases about so many rows of a member or server; how many it was, 0 once there is nothing left."""


@dataclass(frozen=True, eq=False)
class Personal:
    """What some columns hold about members; `name` is its key in an export.

    `derived`: it is made from what others hold, and is erased before that. A member who answers again meanwhile would
    else find that their answer has been counted.
    """

    name: str
    columns: Collection[Column[Any]]
    export: Export
    erase: Erase
    derived: bool = False


@dataclass(frozen=True, eq=False)
class OfServers:
    """Tables whose rows belong to servers, and go with them."""

    tables: Collection[Table]
    erase: Erase


_of_members: list[Personal] = []
_of_servers: list[OfServers] = []


def register(personal: Personal) -> None:
    """Let others know of what a store holds about members."""
    _of_members.append(personal)


def register_rows(
    name: str,
    member: Column[int],
    shown: Mapping[str, ColumnElement[Any]],
    words: Collection[Column[Any]] = (),
    *,
    derived: bool = False,
) -> None:
    """The same for a table whose rows are a member's own, and are deleted; `shown` names what an export shows."""
    table: Table = member.table

    def export(conn: Connection, user_id: int) -> list[Row]:
        query = select(*(column.label(key) for key, column in shown.items())).where(
            member == user_id
        )
        return exported(conn, query.order_by(*table.primary_key))

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        return erase_rows(conn, table, limit, member == user_id)

    register(Personal(name, (member, *words), export, erase, derived))


def register_of_servers(tables: Collection[Table], erase: Erase) -> None:
    """Let others know of tables that belong to servers."""
    _of_servers.append(OfServers(tables, erase))


def register_server_rows(*guild_ids: Column[Any]) -> None:
    """The same for tables to whose rows nothing else refers, each by its column of servers."""
    for guild_id in guild_ids:
        table: Table = guild_id.table

        def erase(
            conn: Connection,
            server: int,
            limit: int,
            table: Table = table,
            guild_id: Column[Any] = guild_id,
        ) -> int:
            return erase_rows(conn, table, limit, guild_id == server)

        register_of_servers([table], erase)


def of_members() -> Sequence[Personal]:
    """All that is held about members, in the order in which it is erased."""
    return sorted(_of_members, key=lambda personal: not personal.derived)


def of_servers() -> Sequence[OfServers]:
    """All that is held of servers."""
    return tuple(_of_servers)


def exported(conn: Connection, query: Select[Any]) -> list[Row]:
    """The rows of a query in values that JSON has; Discord's ids as text, since they are too long for its numbers."""
    return [
        {key: _plain(key, value) for key, value in row._mapping.items()}
        for row in conn.execute(query)
    ]


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, StrEnum) or (key.endswith("_id") and value is not None):
        return str(value)
    return value


def erase_rows(conn: Connection, table: Table, limit: int, *where: ColumnElement[bool]) -> int:
    """Delete as many rows as `limit` of those that fit; how many it was."""
    key = list(table.primary_key)
    found = conn.execute(select(*key).where(*where).limit(limit)).all()
    if (
        found
    ):  # each by its whole key: of a statement for all of them PostgreSQL may go through the table
        one = delete(table).where(*(column == bindparam(f"of_{column.name}") for column in key))
        conn.execute(
            one, [{f"of_{column.name}": row[n] for n, column in enumerate(key)} for row in found]
        )
    return len(found)


def make_nobody() -> int:
    """What stands in place of a member's id where an answer stays for others: below 0, where Discord has no ids."""
    return -1 - secrets.randbelow(1 << 62)
