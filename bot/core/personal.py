"""How a store says what it holds about members and servers, to export it and to erase it.

Each store has such a value, `HELD`; `bot.app` lists them all. `tests/core/test_personal.py` goes
through all tables, and finds a column about members that is in none of them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from msgspec import Struct
from sqlalchemy import Column, ColumnElement, Connection, Select, Table, bindparam, delete, select

Row = dict[str, Any]
Export = Callable[[Connection, int], list[Row]]
"""Returns all rows about a member, under plain names."""
Erase = Callable[[Connection, int, int], int]
"""Erases about `limit` rows of a member or server; returns how many, 0 if nothing was left."""


class Personal(Struct, frozen=True, eq=False):
    """Data about members in some columns; `name` is their key in an export.

    `derived` data are computed from other data and are erased before them. Otherwise, a member who
    answers again during the erasure would find an answer that is not counted.
    """

    name: str
    columns: Collection[Column[Any]]
    export: Export
    erase: Erase
    derived: bool = False


class ServerData(Struct, frozen=True, eq=False):
    """Tables whose rows belong to servers, and are erased with them."""

    tables: Collection[Table]
    erase: Erase


class Held(Struct, frozen=True, eq=False):
    """The data about members and servers in one or more stores."""

    members: Sequence[Personal] = ()
    servers: Sequence[ServerData] = ()


def all_held(parts: Sequence[Held]) -> Held:
    """Join the data of several stores, in the order of erasure."""
    members = [personal for part in parts for personal in part.members]
    return Held(
        members=sorted(members, key=lambda personal: not personal.derived),
        servers=[data for part in parts for data in part.servers],
    )


def personal_rows(
    name: str,
    member: Column[int],
    shown: Mapping[str, ColumnElement[Any]],
    words: Collection[Column[Any]] = (),
    *,
    derived: bool = False,
) -> Personal:
    """Describe a table whose rows are a member's own, and are deleted.

    `shown` maps the names in an export to columns; `words` are columns with a member's own words.
    """
    table: Table = member.table

    def export(conn: Connection, user_id: int) -> list[Row]:
        columns = (column.label(key) for key, column in shown.items())
        query = select(*columns).where(member == user_id)
        return exported(conn, query.order_by(*table.primary_key))

    def erase(conn: Connection, user_id: int, limit: int) -> int:
        return erase_rows(conn, table, limit, member == user_id)

    return Personal(name, (member, *words), export, erase, derived)


def server_rows(guild_id: Column[Any]) -> ServerData:
    """Describe a table of servers, by its column of servers; no foreign key may refer to its rows."""
    table: Table = guild_id.table

    def erase(conn: Connection, server_id: int, limit: int) -> int:
        return erase_rows(conn, table, limit, guild_id == server_id)

    return ServerData([table], erase)


def exported(conn: Connection, query: Select[Any]) -> list[Row]:
    """Return the rows of a query in values that JSON has.

    Discord's ids become text, because they are too long for JavaScript's numbers.
    """
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
    """Delete up to `limit` of the rows that match; returns how many."""
    key = list(table.primary_key)
    found = conn.execute(select(*key).where(*where).limit(limit)).all()
    if found:  # each by its whole key: PostgreSQL may scan the table for one statement for all
        one = delete(table).where(*(column == bindparam(f"of_{column.name}") for column in key))
        keys = [{f"of_{column.name}": row[n] for n, column in enumerate(key)} for row in found]
        conn.execute(one, keys)
    return len(found)


def anonymous_id() -> int:
    """Return a placeholder for the member id of an anonymized row.

    It is negative, where Discord has no ids.
    """
    return -1 - secrets.randbelow(1 << 62)
