"""Move everything from one database to another, from SQLite to PostgreSQL for example.

Tables are copied in chunks ordered by primary key, parents first, one transaction per chunk. An
interrupted transfer skips as many rows as the target already has. At the end, row counts and
checksums of all tables are compared, and only then is the transfer marked as finished.

The program's own notes (the table `meta`) are not copied: the program makes new ones, and a target
that holds nothing else counts as empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, RowMapping, Select, Table, func, select, tuple_

from bot.core.database import Database
from bot.core.notes import meta, read_note, set_note
from bot.core.tables import ROWS_IN_MEMORY

CHUNK = 1000
"""Rows held in memory at a time, unless the table's `info` says otherwise."""
_NOTE = "transfer"
"""The note whose value names the source of an unfinished transfer."""
_CHECKSUM_BYTES = 16
_SEQUENCES = sa.table("sqlite_sequence", sa.column("name"), sa.column("seq"))
"""SQLite's own table of the last ids that it has given."""


class TransferError(Exception):
    """The transfer was refused, or the copy differs from its source; the message is one line."""


def unfinished_source(conn: Connection) -> str | None:
    """Return the source of an unfinished transfer into this database, None if there is none."""
    return read_note(conn, _NOTE)


async def transfer(
    source: Database,
    target: Database,
    name: str,
    tables: Sequence[Table],
    report: Callable[[str], None],
) -> None:
    """Copy all rows of `source`, called `name`, and verify them; resume an interrupted transfer.

    `tables` are all tables of the program, parents first; `report` gets one line for each. Nothing
    else may write to the two databases. Raises TransferError if the target has rows of its own, or
    if the two databases differ in the end.
    """
    tables = [table for table in tables if table is not meta]
    if await source.read(unfinished_source) is not None:
        raise TransferError("the source is itself the target of an unfinished transfer")
    started_from = await target.read(unfinished_source)
    if started_from is None:
        if any([await target.read(_fetch, select(table).limit(1)) for table in tables]):
            if await _find_difference(source, target, tables, lambda _: None) is not None:
                raise TransferError("the target has data of its own: name a database that is empty")
            report("the target already holds the same data")
            return
        await target.write(set_note, _NOTE, name)
    elif started_from != name:
        raise TransferError(f"the target holds part of another transfer, from {started_from}")
    for table in tables:
        already_copied = sum([len(rows) async for rows in _chunks(target, table)])
        async for rows in _chunks(source, table):
            if new := rows[already_copied:]:
                await target.write(_insert, table, new)
            already_copied = max(0, already_copied - len(rows))
    table_name = await _find_difference(source, target, tables, report)
    if table_name is not None:
        raise TransferError(
            f"the copy of {table_name} differs from its source: if the bot was running, stop it, and begin again "
            "with an empty target"
        )
    await target.write(_finish, await source.read(_last_ids, tables))


async def _chunks(database: Database, table: Table) -> AsyncIterator[Sequence[RowMapping]]:
    """Yield a table's rows in chunks, in the order of the primary key."""
    columns = list(table.primary_key)
    query = select(table).order_by(*columns).limit(table.info.get(ROWS_IN_MEMORY, CHUNK))
    rows = await database.read(_fetch, query)
    while rows:
        yield rows
        key = [rows[-1][column] for column in columns]
        later = tuple_(*columns) > tuple_(*key, types=[column.type for column in columns])
        rows = await database.read(_fetch, query.where(later))


def _fetch(conn: Connection, query: Select[Any]) -> Sequence[RowMapping]:
    return conn.execute(query).mappings().all()


def _insert(conn: Connection, table: Table, rows: Sequence[RowMapping]) -> None:
    conn.execute(table.insert(), [dict(row) for row in rows])


async def _find_difference(
    source: Database, target: Database, tables: Sequence[Table], report: Callable[[str], None]
) -> str | None:
    """Return the name of the first table that differs, None if the databases hold the same."""
    for table in tables:
        rows, checksum = await _checksum(source, table)
        if (rows, checksum) != await _checksum(target, table):
            return table.name
        report(f"{table.name}: {rows:,} rows, checksum {checksum}")
    return None


async def _checksum(database: Database, table: Table) -> tuple[int, str]:
    """Return the number of a table's rows, and a checksum that does not depend on their order."""
    total = 0
    count = 0
    async for rows in _chunks(database, table):
        count += len(rows)
        for row in rows:
            line = repr([row[column.name] for column in table.columns]).encode()
            total += int.from_bytes(
                hashlib.blake2b(line, digest_size=_CHECKSUM_BYTES).digest(), "big"
            )
    return count, f"{total % (1 << 8 * _CHECKSUM_BYTES):032x}"


def _last_ids(conn: Connection, tables: Sequence[Table]) -> dict[Table, int]:
    """Return the last id that each table has given, also if its row is gone since."""
    given = {}
    for table in tables:
        column = table.autoincrement_column
        if column is None:
            continue
        if conn.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import REGCLASS  # as in `insert_for`

            # The function is the one behind the view pg_sequences.
            sequence = func.pg_get_serial_sequence(table.name, column.name).cast(REGCLASS)
            query = select(func.pg_sequence_last_value(sequence))
        else:  # https://sqlite.org/autoinc.html
            query = select(_SEQUENCES.c.seq).where(_SEQUENCES.c.name == table.name)
        last = conn.execute(query).scalar()
        highest = conn.execute(select(func.max(column))).scalar()
        given[table] = max(last or 0, highest or 0)
    return given


def _finish(conn: Connection, last_ids: Mapping[Table, int]) -> None:
    """Mark the transfer as finished, and let new rows get ids that the source never gave."""
    conn.execute(meta.delete().where(meta.c.key == _NOTE))
    for table, last in last_ids.items():
        column = table.autoincrement_column
        if column is None or last == 0:
            continue
        if conn.dialect.name == "postgresql":
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            conn.execute(select(func.setval(sequence, last)))
        else:
            conn.execute(_SEQUENCES.delete().where(_SEQUENCES.c.name == table.name))
            conn.execute(_SEQUENCES.insert().values(name=table.name, seq=last))
