"""PostgreSQL through asyncpg and SQLAlchemy's async engine."""

from __future__ import annotations

import asyncio
import math
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

import asyncpg
from sqlalchemy import URL, Connection, NestedTransaction
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, Pool
from sqlalchemy.util import await_only, greenlet_spawn

from bot.core import backend, migrate
from bot.core.processes import PROGRAM

T = TypeVar("T")

_IDLE_MS = 60_000
"""PostgreSQL ends a transaction that is idle for so long, because its process may be gone."""
_SPARE_SECONDS = 1.0
"""A connection that was not needed for so long is closed, so that another process can have it.

That is less than BUSY_MS, the longest wait of the other process.
"""
_FULL_SECONDS = 5.0
"""After the server has refused a connection, this process makes do with what it has for so long."""
_RETRY_SECONDS = 0.1
"""The wait between two attempts of a process that has no connection at all."""
_CONNECTION_LIMIT = """
    SELECT min(n) FROM (
        SELECT rolconnlimit AS n FROM pg_roles WHERE rolname = session_user
        UNION ALL SELECT datconnlimit FROM pg_database WHERE datname = current_database()
    ) AS limits WHERE n >= 0
"""
"""The limit of connections of this role or database, whichever is lower; -1 means none."""


class Postgres:
    """A PostgreSQL database, reached through a pool of connections."""

    shared = True

    def __init__(self, engine: AsyncEngine, connections: int) -> None:
        self._engine = engine
        # One connection is reserved for short reads and writes.
        self.long_reads = max(1, min(backend.LONG_READS, connections - 1))

    async def read(self, work: Callable[[Connection], T]) -> T:
        async with _connected(self._engine) as conn:
            # All queries see one state, and writes fail:
            # https://www.postgresql.org/docs/current/sql-set-transaction.html
            await conn.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            return await conn.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        def run(conn: Connection) -> T:
            _confirm_schema(conn)
            return work(conn)

        async with _connected(self._engine) as conn:
            result = await conn.run_sync(run)
            await conn.commit()
            return result

    def savepoint(self, conn: Connection) -> NestedTransaction:
        return conn.begin_nested()

    async def checkpoint(self) -> None:
        """Do nothing: the server does its own upkeep."""

    async def check_room(self) -> None:
        """Do nothing: only the server knows its disk, and a full one fails writes."""

    def request_truncation(self) -> bool:
        return False

    def stop_reads(self) -> None:
        """Do nothing: a read that is still running ends with its connection."""

    async def close(self) -> None:
        await self._engine.dispose()


async def open_postgres(
    url: URL, *, connections: int, visiting: bool, patient: bool, may_migrate: bool
) -> Postgres:
    """Migrate the database and return it; `patient` disables the statement timeout."""
    name = f"{PROGRAM} {secrets.token_hex(8)}"

    def look_at(conn: Connection) -> tuple[bool, int | None]:
        is_current = migrate.is_current(conn, visiting=visiting, allowed=may_migrate)
        return is_current, conn.exec_driver_sql(_CONNECTION_LIMIT).scalar()

    is_current, allowed = await _run_once(url, name, look_at)
    if not is_current:
        # PGPASSWORD, SSL_CERT_FILE, USER and others are read besides the address
        environment = dict(os.environ)
        await migrate.in_own_process(partial(_upgrade, url, name, migrate.needed(), environment))
    connections = min(connections, allowed or connections)
    limit = None if patient else backend.STATEMENT_SECONDS
    connect = _connector(url, name, busy_ms=backend.BUSY_MS, statement_seconds=limit)
    engine = _make_engine(connect, connections, wait_seconds=backend.BUSY_MS / 1000)
    return Postgres(engine, connections)


def _upgrade(url: URL, name: str, columns: migrate.Columns, environment: Mapping[str, str]) -> None:
    """Migrate a database, in a process that ends with it."""
    os.environ.update(environment)
    asyncio.run(_run_once(url, name, partial(migrate.upgrade, columns=columns)))


async def _run_once(url: URL, name: str, work: Callable[[Connection], T]) -> T:
    """Run a transaction on a connection of its own, however long it takes."""
    # Migrating a large table may take longer than a statement usually may.
    connect = _connector(url, name, busy_ms=backend.MIGRATION_BUSY_MS, statement_seconds=None)
    engine = _make_engine(connect, 1, wait_seconds=backend.STATEMENT_SECONDS)
    try:
        async with _connected(engine) as conn, conn.begin():
            return await conn.run_sync(work)
    finally:
        await engine.dispose()


def _connector(
    url: URL, name: str, *, busy_ms: int, statement_seconds: float | None
) -> Callable[[], Any]:
    """Return a function that connects; asyncpg reads the options behind the address's `?`.

    `connect_timeout` and `sslrootcert=system` are libpq's, and asyncpg doesn't know them:
    https://www.postgresql.org/docs/current/libpq-connect.html
    """
    query = dict(url.query)
    timeout = int(str(query.pop("connect_timeout", 0))) or backend.STATEMENT_SECONDS
    connect = partial(
        asyncpg.connect,
        f"postgresql://?{urlencode(query, doseq=True)}",
        host=None if url.host is None else unquote(url.host),
        port=url.port,
        user=url.username,
        password=url.password,
        database=url.database,
        # The system's certificates, and the host's name must be in the server's.
        ssl=True if query.get("sslrootcert") == "system" else None,
        timeout=timeout,
        command_timeout=statement_seconds,
        server_settings={
            "application_name": name,
            "lock_timeout": str(busy_ms),
            "idle_in_transaction_session_timeout": str(_IDLE_MS),
        },
    )

    async def run() -> Any:
        try:
            return await connect()
        except asyncpg.InternalClientError as error:  # no host is what the address asks for
            raise OSError(str(error)) from error

    return run


def _make_engine(
    connect: Callable[[], Any], connections: int, *, wait_seconds: float
) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        poolclass=_Pool,
        pool_pre_ping=True,
        pool_size=connections,
        pool_timeout=wait_seconds,
    )


def _now() -> float:
    return asyncio.get_running_loop().time()


class _Pool(Pool):
    """Lends up to `pool_size` connections, in the order of requests.

    If the server has none left, those that are open are shared. SQLAlchemy's own pool would raise
    the server's refusal instead, and never closes a connection that is no longer needed.
    """

    def __init__(
        self, creator: Callable[[], Any], pool_size: int, timeout: float, **options: Any
    ) -> None:
        super().__init__(creator, **options)
        self._size = pool_size
        self._timeout = timeout
        self._limit = pool_size
        self._full_until = -math.inf
        self._open = 0
        """Connections that are open or being opened."""
        self._idle: list[tuple[float, ConnectionPoolEntry]] = []
        """With the time of its return, the last one last; there are none while anybody waits."""
        self._closing: asyncio.Task[None] | None = None
        self._waiting: deque[asyncio.Future[ConnectionPoolEntry | None]] = deque()

    def _do_get(self) -> ConnectionPoolEntry:
        until = _now() + self._timeout
        while True:
            while self._idle:
                entry = self._idle.pop()[1]
                if not entry.driver_connection.is_closed():  # type: ignore[union-attr] # asyncpg's
                    return entry
                self._count_closed()  # by the server, which may have no other one now
            if _now() > self._full_until:
                self._limit = self._size
            if self._open < self._limit:
                opened = self._open_one(until)
            else:
                opened = await_only(self._wait(until))
            if opened is not None:
                return opened

    def _open_one(self, until: float) -> ConnectionPoolEntry | None:
        """Open a connection; None if the server has none left, but this process has others."""
        self._open += 1
        entry = None
        try:
            while entry is None:
                try:
                    entry = self._create_connection()
                except self._dialect.loaded_dbapi.Error as error:  # type: ignore[union-attr] # an engine's pool has a dialect
                    if not backend.is_full(error) or _now() > until:
                        raise
                    self._limit = max(1, self._open - 1)
                    self._full_until = _now() + _FULL_SECONDS
                    if self._open > 1:
                        break
                    await_only(asyncio.sleep(_RETRY_SECONDS))
        finally:
            if entry is None:
                self._count_closed()
        return entry

    async def _wait(self, until: float) -> ConnectionPoolEntry | None:
        """Wait for a connection that is returned; None if there may be room for a new one."""
        turn: asyncio.Future[ConnectionPoolEntry | None] = asyncio.Future()
        self._waiting.append(turn)
        try:
            await asyncio.wait([turn], timeout=max(0, until - _now()))
        except asyncio.CancelledError:
            if not turn.cancel():
                self._put(turn.result())
            raise
        if turn.cancel():
            raise PoolTimeout(
                f"no connection was free for {self._timeout:g} seconds: this process has {self._open} "
                f"of {self._size}"
            )
        return turn.result()

    def _put(self, entry: ConnectionPoolEntry | None) -> None:
        """Hand a connection to who waits longest, or keep it."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(entry)
                return
        if entry is not None:
            self._idle.append((_now(), entry))

    def _count_closed(self) -> None:
        self._open -= 1
        if self._open < self._limit:
            self._put(None)

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if record.dbapi_connection is None:  # it was lost
            self._count_closed()
            return
        self._put(record)
        if self._closing is None and len(self._idle) > 1:
            self._closing = asyncio.create_task(self._close_spare())

    async def _close_spare(self) -> None:
        """Close the connections that were not needed for a while, but one."""
        try:
            while len(self._idle) > 1:
                seconds = self._idle[0][0] + _SPARE_SECONDS - _now()
                if seconds > 0:
                    await asyncio.sleep(seconds)
                else:
                    await greenlet_spawn(self._close_oldest)
        finally:
            self._closing = None

    def _close_oldest(self) -> None:
        _, entry = self._idle.pop(0)
        try:
            entry.close()
        finally:
            self._count_closed()

    def dispose(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
        while self._idle:
            self._close_oldest()

    def recreate(self) -> Pool:
        return self


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Connect, and raise network errors as database errors: others mean Discord's network."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (OSError, TimeoutError, PoolTimeout) as error:
            raise OperationalError("connect", None, error) from error
        except ValueError as error:  # an option of the address has a wrong value
            raise InterfaceError("connect", None, error) from error
        try:
            yield connection
        except TimeoutError as error:
            # asyncpg raises this for a statement; the connection can't be used after that.
            await connection.invalidate()
            raise backend.TooSlow("wait", None, error, connection_invalidated=True) from error


def _confirm_schema(conn: Connection) -> None:
    """Raise DatabaseBroken if another program has migrated the database.

    A migration waits for open transactions and blocks new ones, so the schema stays as it is until
    this transaction ends.
    """
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found != migrate.HEAD:
        raise backend.DatabaseBroken(
            f"the database has been brought to schema {found}, and this program works with {migrate.HEAD}: "
            "update Quizformer and start it again"
        )
