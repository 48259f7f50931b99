"""Move everything from one database to another, of whichever kinds.

Tables are copied in chunks by primary key, parents first, each chunk in a transaction of its own. Whoever goes on after
an interruption counts the rows that are there and goes on after them. At the end every table is read again on both
sides, counted and summed up, and only then is the note removed that a transfer is under way. The program's notes to
itself stay behind: it makes them anew, and a target on which it was started once is empty all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, func, select, tuple_

from bot.core.database import Database
from bot.core.notes import meta, read_note, set_note

CHUNK = 1000
"""Rows that are held at a time."""
_NOTE = "transfer"
_SUM_BYTES = 16


class TransferError(Exception):
    """Nothing can be moved, or what was moved is not what was there; the message is one line."""


def unfinished(conn: Connection) -> str | None:
    """From where a transfer into this database was begun and not finished; None if none was."""
    return read_note(conn, _NOTE)


async def transfer(
    source: Database,
    target: Database,
    name: str,
    tables: Sequence[Table],
    report: Callable[[str], None],
) -> None:
    """Copy all rows of `source`, which goes by `name`, and verify them; goes on where an earlier try ended.

    `tables` are all of the program's, parents first; `report` gets a line each. Nothing else may write to the two
    meanwhile. Raises TransferError for a target that has rows of its own, or if the two differ in the end.
    """
    tables = [table for table in tables if table is not meta]
    if await source.read(unfinished) is not None:
        raise TransferError("the source is itself the target of an unfinished transfer")
    begun = await target.read(unfinished)
    if begun is None:
        if any([await target.read(_fetch, select(table).limit(1)) for table in tables]):
            if await _compare(source, target, tables, lambda _: None) is not None:
                raise TransferError("the target has data of its own: name a database that is empty")
            report("the target already holds the same data")
            return
        await target.write(set_note, _NOTE, name)
    elif begun != name:
        raise TransferError(f"the target holds part of another transfer, from {begun}")
    for table in tables:
        there = sum([len(rows) async for rows in _chunks(target, table)])
        async for rows in _chunks(source, table):
            if new := rows[there:]:
                await target.write(_store, table, new)
            there = max(0, there - len(rows))
    different = await _compare(source, target, tables, report)
    if different is not None:
        raise TransferError(
            f"the copy of {different} differs from its source: if the bot was running, stop it, and begin again "
            "with an empty target"
        )
    await target.write(_finish, tables)


async def _chunks(database: Database, table: Table) -> AsyncIterator[Sequence[RowMapping]]:
    """The rows of a table in the order of its primary key, as many at a time as no database takes long for."""
    columns = list(table.primary_key)
    query = select(table).order_by(*columns).limit(CHUNK)
    rows = await database.read(_fetch, query)
    while rows:
        yield rows
        key = [rows[-1][column] for column in columns]
        later = tuple_(*columns) > tuple_(*key, types=[column.type for column in columns])
        rows = await database.read(_fetch, query.where(later))


def _fetch(conn: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return conn.execute(query).mappings().all()


def _store(conn: Connection, table: Table, rows: Sequence[RowMapping]) -> None:
    conn.execute(table.insert(), [dict(row) for row in rows])


async def _compare(
    source: Database, target: Database, tables: Sequence[Table], report: Callable[[str], None]
) -> str | None:
    """The name of the first table in which the two differ, None if they hold the same."""
    for table in tables:
        there, here = await _sum(source, table), await _sum(target, table)
        if there != here:
            return table.name
        rows, checksum = here
        report(f"{table.name}: {rows:,} rows, checksum {checksum}")
    return None


async def _sum(database: Database, table: Table) -> tuple[int, str]:
    """How many rows a table holds, and a checksum that does not depend on their order."""
    total = count = 0
    async for rows in _chunks(database, table):
        count += len(rows)
        for row in rows:
            line = repr([row[column.name] for column in table.columns]).encode()
            total += int.from_bytes(hashlib.blake2b(line, digest_size=_SUM_BYTES).digest(), "big")
    return count, f"{total % (1 << 8 * _SUM_BYTES):032x}"


def _finish(conn: Connection, tables: Sequence[Table]) -> None:
    """Forget the note, and let new rows get ids after those that are there."""
    conn.execute(meta.delete().where(meta.c.key == _NOTE))
    if conn.dialect.name != "postgresql":  # SQLite takes the largest id that it finds
        return
    for table in tables:
        column = table.autoincrement_column
        if column is not None:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(
                select(func.setval(sequence, func.coalesce(func.max(column), 0) + 1, False))
            )
