"""A database that holds something in every table."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, get_origin

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    select,
)

from bot.app import all_tables
from bot.core.tables import Encoded, Instant, OneOf

AT = datetime(2027, 1, 4, 12, tzinfo=UTC)


def fill(conn: Connection, rows: int) -> None:
    """Put rows into every table there is, with the values that are hard to carry over."""
    for table in all_tables():
        conn.execute(
            table.insert(),
            [{c.name: value(table, c, n) for c in table.columns} for n in range(1, rows + 1)],
        )


def value(table: Table, column: Column[Any], n: int) -> object:
    if column.nullable and n % 3 == 0:
        return None
    match column.type:
        case Instant():
            return AT + timedelta(milliseconds=n)
        case Boolean():
            return n % 2 == 0
        case Date():
            return date(2027, 1, 1) + timedelta(n)
        case Float():
            return n / 7
        case LargeBinary():
            return bytes([0, n, 255])
        case OneOf():
            return next(iter(column.type.kind))
        case Encoded():
            return () if get_origin(column.type.kind) in {tuple, list} else None
        case String():
            return ("ä%_é'\\ Z"[n % 8 :] + str(n))[: column.type.length or 100]
        case Integer() if column.foreign_keys or column.primary_key:
            return n if column.foreign_keys or column.autoincrement is not False else (1 << 62) + n
    return (
        (1 << 62) + n
        if not isinstance(column.type, Integer) or type(column.type).__name__ == "BigInteger"
        else n
    )


def everything(conn: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        t.name: sorted((tuple(row) for row in conn.execute(select(t))), key=repr)
        for t in all_tables()
    }
