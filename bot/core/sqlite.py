"""SQLite through aiosqlite: one connection writes and three read, each in its own thread.

A transaction is sent to the thread as a whole. SQLAlchemy's dialect for aiosqlite sends every
statement four times (cursor, execute, fetch, close), which makes a click 35 to 85 % slower.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import sqlite3
import tempfile
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import aiosqlite
from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from bot.core import backend, migrate
from bot.core.backup import BackupError, copy_before_upgrade
from bot.core.computing import in_thread
from bot.core.processes import hold_file

log = logging.getLogger(__name__)
T = TypeVar("T")

_PRAGMAS = ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
"""secure_delete overwrites erased data in the file: https://sqlite.org/pragma.html#pragma_secure_delete"""
_CHECKPOINT_ROWS = 20
"""An idle writer checkpoints when so many rows have changed, which is a log of about 200 KB."""
_ROOM = 1 << 20
"""Bytes that must be free for new rows: more than the log and one transaction take."""
_DEADLINE_STEPS = 1_000_000
"""SQLite checks a read's deadline each time it has run so many instructions, about 20 ms."""
VERSION = sqlite3.sqlite_version
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class Sqlite:
    """A SQLite file that this process has opened."""

    shared = False
    """Whether other bots may use the database too."""
    long_reads = backend.LONG_READS

    def __init__(
        self,
        file: Path,
        writer: SqliteConnection,
        readers: list[SqliteConnection],
        resources: AsyncExitStack,
    ) -> None:
        self._file = file
        self._writer = writer
        self._readers = readers
        self._resources = resources
        self._free_readers: asyncio.Queue[SqliteConnection] = asyncio.Queue()
        for reader in readers:
            self._free_readers.put_nowait(reader)
        self._checkpointed = 0
        """The writer's count of changed rows at its last checkpoint."""
        self._truncate = False

    async def read(self, work: Callable[[Connection], T]) -> T:
        reader = await self._free_readers.get()
        try:
            return await reader.run(work)
        finally:
            # After a cancellation, the reader's thread finishes this read before the next one.
            self._free_readers.put_nowait(reader)

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(work)

    def savepoint(self, _conn: Connection) -> _Savepoint:
        """Begin a savepoint in the running write."""
        return _Savepoint(self._writer.execute_in_thread)

    async def checkpoint(self) -> None:
        """Copy the write-ahead log into the file once enough rows have changed.

        Without this, SQLite would do it in every so many commits, which then take 10 ms longer.
        Only the writer does it, because before 3.51.3 SQLite could lose a commit that another
        connection made during a checkpoint: https://sqlite.org/wal.html#walresetbug
        """
        changed = self._writer.driver.total_changes
        if not self._truncate and changed - self._checkpointed < _CHECKPOINT_ROWS:
            return
        self._checkpointed = changed
        try:
            if self._truncate:
                self._truncate = not await self._writer.truncate_log()
            else:
                await self._writer.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.Error as error:
            raise DBAPIError.instance("wal_checkpoint", None, error, sqlite3.Error) from error

    async def check_room(self) -> None:
        """Raise OSError if the disk is full, even if the next write would still fit into the log."""
        if self._file.name:  # it is not in memory
            await in_thread(_take_room, self._file.parent)

    def request_truncation(self) -> bool:
        """Empty the write-ahead log at the next checkpoint; False if the database has no log."""
        self._truncate = True
        return True

    def stop_reads(self) -> None:
        """Make the running reads fail."""
        for reader in self._readers:
            reader.stop_reading()

    async def close(self) -> None:
        await self._resources.aclose()


async def open_sqlite(url: URL, *, visiting: bool) -> Sqlite:
    """Lock the file against other bots and migrate it, then open all connections.

    With `visiting`, take no lock, and refuse an older schema.
    """
    if url.database and not url.database.startswith("file:"):
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as resources:
        file = await _migrate(url, resources, visiting=visiting)

        async def connect(*, writes: bool) -> SqliteConnection:
            connection = SqliteConnection(url, writes=writes, busy_ms=backend.BUSY_MS)
            await connection.open()
            resources.push_async_callback(connection.close)
            return connection

        writer = await connect(writes=True)
        readers = [await connect(writes=False) for _ in range(backend.LONG_READS + 1)]
        return Sqlite(file, writer, readers, resources.pop_all())


async def _migrate(url: URL, resources: AsyncExitStack, *, visiting: bool) -> Path:
    """Lock and migrate a database, and return its file."""

    def lock(conn: Connection) -> tuple[Path, str | None, bool]:
        file = conn.exec_driver_sql("PRAGMA database_list").one().file
        if not visiting:
            resources.enter_context(hold_file(file))
        current = migrate.is_current(conn, visiting=visiting)
        return Path(file), migrate.version(conn), current

    async with _migrating(url) as connection:
        file, old_schema, current = await connection.run(lock)
    if not current:
        if old_schema is not None:
            await in_thread(_copy_before_upgrade, file, old_schema)
        await migrate.in_own_process(partial(_upgrade, url, migrate.needed()))
    return file


@asynccontextmanager
async def _migrating(url: URL) -> AsyncIterator[SqliteConnection]:
    connection = SqliteConnection(url, writes=True, busy_ms=backend.MIGRATION_BUSY_MS)
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


def _take_room(folder: Path) -> None:
    """Write to a file without a name, which is gone when it is closed."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_ROOM))


def _upgrade(url: URL, columns: migrate.Columns) -> None:
    """Migrate a file, in a process that ends with it."""

    async def run() -> None:
        async with _migrating(url) as connection:
            # A table that other tables refer to can only be rebuilt with foreign keys off:
            # https://sqlite.org/lang_altertable.html#otheralter
            await connection.execute("PRAGMA foreign_keys = OFF")
            await connection.run(lambda conn: migrate.upgrade(conn, columns))

    asyncio.run(run())


def _copy_before_upgrade(file: Path, old_schema: str) -> None:
    try:
        copy = copy_before_upgrade(file, migrate.HEAD, datetime.now(UTC))
    except BackupError as error:
        raise migrate.MigrationError(
            f"the database has schema {old_schema} and this version needs {migrate.HEAD}, but the copy that is "
            f"made before an upgrade failed, and nothing was changed: {error}"
        ) from error
    log.info(
        "bringing the database from schema %s to %s; it was copied to %s before. To go back: stop the bot, "
        "install the version you came from, and run there: python -m bot restore --replace %s",
        old_schema,
        migrate.HEAD,
        copy,
        copy,
    )


class _Savepoint:
    """A savepoint that costs a tenth of SQLAlchemy's: https://sqlite.org/lang_savepoint.html"""

    def __init__(self, execute: Callable[[str], None]) -> None:
        self._execute = execute
        execute("SAVEPOINT one_write")

    def commit(self) -> None:
        self._execute("RELEASE one_write")

    def rollback(self) -> None:
        self._execute("ROLLBACK TO one_write")
        self._execute("RELEASE one_write")


class _ThreadConnection(sqlite3.Connection):
    """A connection whose `commit` runs the next queued transaction, from its BEGIN to its end.

    aiosqlite calls `commit` in the connection's thread, so a transaction is one hop to the thread.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.transactions: deque[Callable[[], None]] = deque()

    def commit(self) -> None:
        self.transactions.popleft()()


class _Unclosed:
    """A connection that SQLAlchemy's pool can't close, because it is used again; it rolls back."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def close(self) -> None:
        # SQLAlchemy closes a connection that it thinks is lost, without ending its transaction.
        self._connection.rollback()


_next = threading.local()
"""`connection` is what the engine's next connection in this thread is made of."""
_ENGINE = create_engine(
    "sqlite://",
    creator=lambda: _Unclosed(_next.connection),
    poolclass=NullPool,
    query_cache_size=1000,
)
"""One for all connections, because every engine compiles each statement for itself."""


class SqliteConnection:
    """One connection and its thread. Storage functions get a SQLAlchemy connection made of it."""

    def __init__(self, url: URL, *, writes: bool, busy_ms: int) -> None:
        # These contain the options behind the `?` of the address.
        names, options = _ENGINE.dialect.create_connect_args(url)
        # Without an isolation level, Python's module leaves BEGIN and COMMIT to this class.
        options.update(timeout=busy_ms / 1000, isolation_level=None)
        self._connect_sqlite = partial(_ThreadConnection, *names, **options)
        self.driver = _make_driver(self._connect)
        self._sqlite: _ThreadConnection
        self._thread: threading.Thread
        self._writes = writes
        self._begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        self._end = "COMMIT" if writes else "ROLLBACK"
        self._view: Connection | None = None
        self._deadline = math.inf

    async def open(self) -> None:
        try:
            await self.driver
        except sqlite3.Error as error:
            # aiosqlite has told its thread to end; while it does, it still calls the event loop.
            self._thread.join()
            raise OperationalError("connect", None, error) from error
        if not self._writes:
            # https://sqlite.org/pragma.html#pragma_query_only
            await self.execute("PRAGMA query_only = ON")
            # A true value interrupts the statement: https://sqlite.org/c3ref/progress_handler.html
            await self.driver.set_progress_handler(
                lambda: time.monotonic() > self._deadline, _DEADLINE_STEPS
            )

    def _connect(self) -> sqlite3.Connection:
        self._thread = threading.current_thread()
        self._sqlite = self._connect_sqlite()
        try:
            _prepare(self._sqlite)
        except BaseException:
            self._sqlite.close()
            raise
        return self._sqlite

    async def execute(self, statement: str) -> list[Any]:
        """Execute a statement outside of transactions and return its rows."""
        return list(await self.driver.execute_fetchall(statement))

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction and in the caller's context, like `asyncio.to_thread`.

        If the caller is cancelled, the function still runs to its end.
        """
        context = copy_context()  # a simulated Discord keeps its clock there
        results: list[T] = []
        self._sqlite.transactions.append(
            lambda: results.append(context.run(self._run_transaction, work))
        )
        await self.driver.commit()
        return results[0]

    def stop_reading(self) -> None:
        """Make the running read fail."""
        self._deadline = -math.inf

    async def truncate_log(self) -> bool:
        """Copy the write-ahead log into the file and empty it; False if somebody is reading it."""
        await self.execute("PRAGMA busy_timeout = 0")  # or queued writes would wait for readers
        try:
            # The first column is 1 on failure: https://sqlite.org/pragma.html#pragma_wal_checkpoint
            [(busy, *_)] = await self.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            await self.execute(f"PRAGMA busy_timeout = {backend.BUSY_MS}")
        return not busy

    async def close(self) -> None:
        """Close after everything that was requested before."""
        self._sqlite.transactions.append(self._drop_view)
        await self.driver.commit()
        await self.driver.close()

    def _run_transaction(self, work: Callable[[Connection], T]) -> T:
        self._deadline = time.monotonic() + backend.STATEMENT_SECONDS
        if self._view is None:
            # SQLAlchemy sees one endless transaction, because beginning its own is slow.
            _next.connection = self._sqlite
            self._view = _ENGINE.connect()
            self._view.begin()
        try:
            self.execute_in_thread(self._begin)
            result = work(self._view)
            self.execute_in_thread(self._end)
            return result
        except BaseException:
            # The view may be in any state, so the next transaction makes a new one.
            self._drop_view()
            raise

    def execute_in_thread(self, statement: str) -> None:
        """Execute a statement like SQLAlchemy's `exec_driver_sql`, which takes eight times longer."""
        try:
            self._sqlite.execute(statement)
        except sqlite3.Error as error:
            raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error

    def _drop_view(self) -> None:
        """Roll back the open transaction, and let the next one make a new view."""
        view, self._view = self._view, None
        if view is not None:
            view.close()


def _make_driver(connect: Callable[[], sqlite3.Connection]) -> aiosqlite.Connection:
    """Make aiosqlite's connection in a daemon thread, so that its own thread is one as well.

    Otherwise a connection that is never closed would keep the interpreter from exiting.
    https://docs.python.org/3/library/threading.html#threading.Thread.daemon
    """
    made: list[aiosqlite.Connection] = []
    maker = threading.Thread(
        target=lambda: made.append(aiosqlite.Connection(connect, 64)), daemon=True
    )
    maker.start()
    maker.join()
    return made[0]


def _prepare(connection: sqlite3.Connection) -> None:
    mode = _switch_to_wal(connection)
    if mode != "wal":  # SQLite reports the mode and continues without a write-ahead log
        raise sqlite3.OperationalError(
            f"SQLite can't keep a write-ahead log here (its journal is {mode!r}), as on most network disks: "
            "put the file on a local disk, or use PostgreSQL"
        )
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _switch_to_wal(connection: sqlite3.Connection) -> str:
    """Request the write-ahead log and return the journal mode; retry, because SQLite does not."""
    until = time.monotonic() + backend.BUSY_MS / 1000
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def why_unwritable(file: Path) -> str | None:
    """Return why this process can't write a database file, None if it may."""
    folder = file.parent.absolute()
    # unlike Path.exists, this is False in a folder that this account may not look into
    while not os.path.exists(folder):  # noqa: PTH110
        folder = folder.parent
    if os.path.exists(file) and not os.access(file, os.W_OK):  # noqa: PTH110
        place = file
    elif not os.access(folder, os.W_OK | os.X_OK):
        place = folder
    else:
        return None
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{place} is on a file system that is mounted read-only: mount it writable"
    account = f"the account with uid {os.getuid()}" if hasattr(os, "getuid") else "this account"
    return (
        f"{account} may not write to {place}: make it the owner with chown -R (if this is a container, of the "
        "folder on the host)"
    )


def is_damaged(error: object) -> bool:
    """Whether SQLite found that the file is damaged or no database."""
    # Errors that Python's module raises by itself have no code.
    code = getattr(error, "sqlite_errorcode", 0)
    return isinstance(error, sqlite3.DatabaseError) and code & 0xFF in _DAMAGED
