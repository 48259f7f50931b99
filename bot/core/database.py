"""One way to read and one way to write, for SQLite and PostgreSQL.

Storage functions are plain functions that take a SQLAlchemy `Connection` first. `Database` runs them where blocking is
allowed: SQLite's in threads of their own, PostgreSQL's through SQLAlchemy's greenlets over asyncpg. One call is one
transaction, and nothing else can run between its statements on that connection.

Writes that are in flight at the same time share one commit: the first becomes the leader, and while it commits, those
that arrive queue up and make the next batch. Each runs in a savepoint, so that one's failure undoes only itself. A
batch is one hop to the database's thread, however many statements it has.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError

from bot.core import migrate
from bot.core.sharing import PROGRAM

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[[Connection], Any]

BUSY_MS = 2500
"""How long SQLite waits for another process's lock: less than the 3 s that Discord gives a reply."""
MIGRATION_BUSY_MS = 60_000
"""The same while migrating: nobody waits for a reply yet, and another process may be migrating just now."""
MAX_BATCH = 500
_CONNECT_SECONDS = 10.0
_TRIES = 3
_DEADLOCKS = {"40001", "40P01"}
"""PostgreSQL's codes for a transaction that it undid because two stood in each other's way."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


class DatabaseBroken(Exception):
    """The database file is damaged. Nothing more can be stored, and only a person can mend it."""


@dataclass(slots=True)
class _Job:
    work: Work
    done: asyncio.Future[Any]
    single: bool = False
    """One statement: it fails as a whole, and needs no savepoint."""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: BaseException | None = None


class _Backend(Protocol):
    """Runs a function with a connection: `write` in a transaction that is committed, `read` in one that is not."""

    async def migrate(self) -> bool: ...
    async def read(self, work: Callable[[Connection], T]) -> T: ...
    async def write(self, work: Callable[[Connection], T]) -> T: ...
    async def close(self) -> None: ...


class Database:
    """Opened with `open_database`; see the module's text for what it promises."""

    def __init__(self, backend: _Backend) -> None:
        self._backend = backend
        self._waiting: list[_Job] = []
        self._leader: asyncio.Task[None] | None = None
        self._closed = False
        self.shared = isinstance(backend, _Postgres)
        """Whether other processes may use the database too."""
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets a DatabaseBroken once the file turns out to be damaged; whoever runs the program should then end it."""

    async def migrate(self) -> bool:
        """Bring the database to the program's schema; True if anything was to be done."""
        return await self._backend.migrate()

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a storage function that only reads; it sees one consistent state."""
        try:
            return await self._backend.read(lambda conn: work(conn, *args, **kwargs))
        except DatabaseError as error:
            self._look_for_damage(error)
            raise

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a storage function and commit; what it returned is durable when this returns.

        If the caller is cancelled meanwhile, the write still happens. One that PostgreSQL undoes because it stands
        in another process's way, and the other in its, runs again.
        """
        job = _Job(lambda conn: work(conn, *args, **kwargs), asyncio.get_running_loop().create_future())
        return await self._enqueue(job)  # type: ignore[no-any-return]

    async def write_one(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, for a storage function that executes a single statement, which can't fail on its own account.

        Were it to fail all the same, the writes that share its commit would fail with it: they would not be
        acknowledged. For the path that members feel, as a savepoint costs more than the statement.
        """
        job = _Job(lambda conn: work(conn, *args, **kwargs), asyncio.get_running_loop().create_future(), single=True)
        return await self._enqueue(job)  # type: ignore[no-any-return]

    async def _enqueue(self, job: _Job) -> Any:
        if self._closed:
            raise RuntimeError("the database is closed")
        self._waiting.append(job)
        if self._leader is None:
            self._leader = asyncio.create_task(self._lead())
        return await job.done

    def _look_for_damage(self, error: BaseException) -> None:
        cause = getattr(error, "orig", None)
        damaged = isinstance(cause, sqlite3.DatabaseError) and cause.sqlite_errorcode & 0xFF in _DAMAGED
        if damaged and not self.broken.done():
            self.broken.set_exception(DatabaseBroken(str(cause)))
            self.broken.exception()  # somebody may never look, for example in a test

    async def close(self) -> None:
        """Wait for the writes in flight, then close."""
        if self._leader is not None:
            await asyncio.wait([self._leader])
        self._closed = True
        await self._backend.close()

    async def _lead(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                try:
                    outcomes = await self._backend.write(lambda conn, batch=batch: _run_batch(conn, batch))  # type: ignore[misc]
                except BaseException as error:  # the commit failed: nothing of the batch is stored
                    self._look_for_damage(error)
                    outcomes = [_Outcome(error=error)] * len(batch)
                for job, outcome in zip(batch, outcomes, strict=True):
                    if _deadlocked(outcome.error) and job.tries < _TRIES:
                        job.tries += 1
                        self._waiting.append(job)
                    elif job.done.cancelled():
                        if outcome.error is not None:
                            log.error("a write failed after its caller had gone", exc_info=outcome.error)
                    elif outcome.error is not None:
                        job.done.set_exception(outcome.error)
                    else:
                        job.done.set_result(outcome.value)
        finally:
            self._leader = None


def _deadlocked(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _DEADLOCKS


def _run_batch(conn: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
    if len(jobs) == 1:  # needs no savepoint: if it fails, the transaction does
        return [_Outcome(jobs[0].work(conn))]
    outcomes = []
    for job in jobs:
        if job.single:
            outcomes.append(_Outcome(job.work(conn)))
            continue
        savepoint = conn.begin_nested()
        try:
            outcomes.append(_Outcome(job.work(conn)))
            savepoint.commit()
        except Exception as error:
            savepoint.rollback()
            # a future takes no StopIteration
            outcomes.append(_Outcome(error=RuntimeError(repr(error)) if isinstance(error, StopIteration) else error))
    return outcomes


class _Sqlite:
    """SQLite by the standard library's driver: one thread writes, a few read (WAL lets them)."""

    def __init__(self, url: URL) -> None:
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        self._url = url
        self._engine = _sqlite_engine(url, BUSY_MS)
        self._writing: Connection | None = None
        self._writer = ThreadPoolExecutor(1, "db-write")
        self._readers = ThreadPoolExecutor(3, "db-read")

    async def migrate(self) -> bool:
        def run() -> bool:
            engine = _sqlite_engine(self._url, MIGRATION_BUSY_MS)
            try:
                with engine.execution_options(writes=True).begin() as conn:
                    return migrate.upgrade(conn)
            finally:
                engine.dispose()

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    async def read(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._engine.connect() as conn:
                return work(conn)

        return await asyncio.get_running_loop().run_in_executor(self._readers, run)

    async def write(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            if self._writing is None:  # one connection for good: to fetch one from the pool costs as much as an INSERT
                self._writing = self._engine.connect().execution_options(writes=True)
            try:
                with self._writing.begin():
                    return work(self._writing)
            except BaseException:  # whatever state it is in, the next write has a new one
                self._writing.close()
                self._writing = None
                raise

        return await asyncio.get_running_loop().run_in_executor(self._writer, run)

    async def close(self) -> None:
        for executor in (self._writer, self._readers):
            executor.shutdown(wait=True)
        if self._writing is not None:
            self._writing.close()
        self._engine.dispose()


def _sqlite_engine(url: URL, busy_ms: int) -> Engine:
    engine = create_engine(url, pool_size=4, max_overflow=0, connect_args={"timeout": busy_ms / 1000})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's events below say when a transaction begins
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(conn: Connection) -> None:
    conn.exec_driver_sql("BEGIN IMMEDIATE" if conn.get_execution_options().get("writes") else "BEGIN")


class _Postgres:
    def __init__(self, url: URL) -> None:
        name = f"{PROGRAM} {secrets.token_hex(8)}"
        options = {"timeout": _CONNECT_SECONDS, "server_settings": {"application_name": name}}
        from sqlalchemy.ext.asyncio import create_async_engine  # SQLite does without, and starts sooner

        self._engine = create_async_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True, connect_args=options)

    async def migrate(self) -> bool:
        return await self.write(migrate.upgrade)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except (OSError, TimeoutError) as error:  # a failure of the database, not of the network to Discord
                raise OperationalError("connect", None, error) from error
            yield connection

    async def read(self, work: Callable[[Connection], T]) -> T:
        async with self._connected() as conn:
            await conn.execution_options(isolation_level="REPEATABLE READ")  # one consistent state for all its queries
            return await conn.run_sync(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        async with self._connected() as conn, conn.begin():
            return await conn.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


@asynccontextmanager
async def open_database(url: URL) -> AsyncIterator[Database]:
    """Connect and migrate; raises MigrationError, or what the driver raises, if that can't be done."""
    database = Database(_Sqlite(url) if url.get_backend_name() == "sqlite" else _Postgres(url))
    try:
        if await database.migrate():
            log.debug("database schema is now %s", migrate.HEAD)
        yield database
    finally:
        await database.close()
