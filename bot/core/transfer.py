"""Move everything from one database to another, of whichever kinds.

Tables are copied in chunks by primary key, parents first. Each chunk is one transaction of the target, which also notes
how far the copy has come: whoever goes on after an interruption goes on exactly there. At the end every table is read
again on both sides, counted and summed up, and only then is the note removed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Date, Table, func, select, text, tuple_

from bot.core.database import Database
from bot.core.notes import meta, note, set_note

CHUNK = 1000
"""Rows that are held at a time."""
_NOTE = "transfer"
_SUM_BYTES = 16


class TransferError(Exception):
    """Nothing can be moved, or what was moved is not what was there; the message is one line."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a table holds: the number of its rows, and a checksum that does not depend on their order."""

    rows: int
    checksum: str


def unfinished(conn: Connection) -> str | None:
    """From where a transfer into this database was begun and not finished; None if none was."""
    kept = note(conn, _NOTE)
    return None if kept is None else str(json.loads(kept)["source"])


async def transfer(
    source: Database, target: Database, name: str, tables: Sequence[Table], report: Callable[[str], None]
) -> None:
    """Copy all rows of `source`, which goes by `name`, and verify them; goes on where an earlier try ended.

    `tables` are all of the program's, parents first.

    Raises TransferError for a target that has rows of its own, or if the two differ in the end. `report` gets a line a
    table. Nothing else may write to the two meanwhile.
    """
    if await source.read(unfinished) is not None:
        raise TransferError("the source is itself the target of a transfer that was not finished")
    place = await target.read(_place, tables)
    if place is None:
        if await target.read(_has_rows, tables):
            if await _compare(source, target, tables, lambda _: None) is not None:
                raise TransferError("the target has data of its own: name a database that is empty")
            report("the target holds the same already")
            return
        place = _Place(name, "", ())
        await target.write(_set_place, place)
    elif place.source != name:
        raise TransferError(f"the target holds the beginning of another transfer, from {place.source}")
    await _copy(source, target, tables, place)
    different = await _compare(source, target, tables, report)
    if different is not None:
        raise TransferError(
            f"the copy of {different} differs from its source: if the bot was running, stop it, and begin again "
            "with an empty target"
        )
    await target.write(_finish, tables)


@dataclass(frozen=True, slots=True)
class _Place:
    """How far a transfer has come: the table, and the primary key of the last row that is in the target."""

    source: str
    table: str
    key: tuple[Any, ...]


def _place(conn: Connection, tables: Sequence[Table]) -> _Place | None:
    noted = note(conn, _NOTE)
    if noted is None:
        return None
    kept = json.loads(noted)
    if not kept["table"]:
        return _Place(kept["source"], "", ())
    columns = next(table.primary_key for table in tables if table.name == kept["table"])
    key = [date.fromisoformat(v) if isinstance(c.type, Date) else v for c, v in zip(columns, kept["key"], strict=True)]
    return _Place(kept["source"], kept["table"], tuple(key))


def _set_place(conn: Connection, place: _Place) -> None:
    key = [v.isoformat() if isinstance(v, date) else v for v in place.key]
    set_note(conn, _NOTE, json.dumps({"source": place.source, "table": place.table, "key": key}))


def _has_rows(conn: Connection, tables: Sequence[Table]) -> bool:
    return any(conn.execute(select(text("1")).select_from(table).limit(1)).first() for table in tables)


async def _copy(source: Database, target: Database, tables: Sequence[Table], place: _Place) -> None:
    names = [table.name for table in tables]
    begin = names.index(place.table) if place.table else 0
    for table in tables[begin:]:
        key = place.key if table.name == place.table else ()
        while rows := await source.read(_after, table, key):
            key = _key(table, rows[-1])
            await target.write(_store, table, rows, _Place(place.source, table.name, key))


def _after(conn: Connection, table: Table, key: Sequence[Any]) -> list[dict[str, Any]]:
    """The next rows of a table in the order of its primary key; those after no key are the first."""
    columns = list(table.primary_key)
    query = select(table).order_by(*columns).limit(CHUNK)
    if key:
        query = query.where(tuple_(*columns) > tuple_(*key, types=[column.type for column in columns]))
    if table is meta:
        query = query.where(meta.c.key != _NOTE)
    return [dict(row._mapping) for row in conn.execute(query)]


def _key(table: Table, row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row[column.name] for column in table.primary_key)


def _store(conn: Connection, table: Table, rows: list[dict[str, Any]], place: _Place) -> None:
    conn.execute(table.insert(), rows)
    _set_place(conn, place)


async def _compare(
    source: Database, target: Database, tables: Sequence[Table], report: Callable[[str], None]
) -> str | None:
    """The name of the first table in which the two differ, None if they hold the same."""
    for table in tables:
        there, here = await _sum(source, table), await _sum(target, table)
        if there != here:
            return table.name
        report(f"{table.name}: {here.rows:,} rows, checksum {here.checksum}")
    return None


async def _sum(database: Database, table: Table) -> Sum:
    total = count = 0
    key: tuple[Any, ...] = ()
    while rows := await database.read(_after, table, key):
        count += len(rows)
        for row in rows:
            line = repr([row[column.name] for column in table.columns]).encode()
            total += int.from_bytes(hashlib.blake2b(line, digest_size=_SUM_BYTES).digest(), "big")
        key = _key(table, rows[-1])
    return Sum(count, f"{total % (1 << 8 * _SUM_BYTES):032x}")


def _finish(conn: Connection, tables: Sequence[Table]) -> None:
    """Forget the note, and let new rows get ids after those that are there."""
    conn.execute(meta.delete().where(meta.c.key == _NOTE))
    if conn.dialect.name != "postgresql":  # SQLite takes the largest id that it finds
        return
    for table in tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(select(func.setval(sequence, func.coalesce(func.max(column), 0) + 1, False)))
