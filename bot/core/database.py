"""One way to read and one way to write, for SQLite and PostgreSQL.

Storage functions are plain functions that take a SQLAlchemy `Connection` first. `Database` runs them where blocking is
allowed: SQLite's in the threads of aiosqlite's connections, PostgreSQL's through SQLAlchemy's greenlets over asyncpg.
One call is one transaction, and nothing else can run between its statements on that connection.

Writes that are in flight at the same time share one commit: the first becomes the leader, and while it commits, those
that arrive queue up and make the next batch. Each runs in a savepoint, so that one's failure undoes only itself; if
the batch fails as a whole, each runs again alone. A batch is one hop to the database's thread, however many statements
it has. Members' answers, which are a statement each (`write_one`), go before what the bot does on its own account, and
of that only a few milliseconds' worth at a time: an answer never waits for the points of twenty rounds.

Reads that may take long (`read_long`) never have all readers: one is left for what members' clicks need.

What takes long to load is not loaded in the transaction that needs it: that one raises `NotLoaded`,
and is run again once it is there.
"""

from __future__ import annotations

import asyncio
import logging
import math
import secrets
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

import aiosqlite
from sqlalchemy import URL, Connection, StaticPool, create_engine
from sqlalchemy.exc import (
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.core import migrate
from bot.core.processes import PROGRAM, hold_file

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

__all__ = ["Connection"]  # which services name, and take from here: SQLAlchemy is for stores

StorageError = SQLAlchemyError
"""Whatever the database says no to."""

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")

BUSY_MS = 2500
"""How long another process's lock, or a free connection, is waited for: less than Discord's 3 s for a reply."""
MIGRATION_BUSY_MS = 60_000
"""The same while migrating: nobody waits for a reply yet, and another process may be migrating just now."""
MAX_BATCH = 500
_CHECKPOINT_ROWS = 20
"""Rows changed after which the write-ahead log, then of some 200 KB, is taken into the file if nobody waits."""
_LONG_ENOUGH = 0.005
"""Seconds after which a batch takes up no more of the writes that may be long."""
STATEMENT_SECONDS = 10.0
"""How long a server may take to let us in, and for a statement; then the connection is given up.

SQLite has no such limit of its own: there it holds for a whole read, which then fails.
"""
LONG_READS = 2
"""How many long reads run at a time; SQLite has one reader more than that, for short ones."""
CLOSE_SECONDS = 0.5
"""How long a close waits for the reads under way before it stops them."""
_STEPS = 1_000_000
"""SQLite's steps, of some 20 ms together, after which a read looks at the clock."""
_IDLE_MS = 60_000
"""How long PostgreSQL keeps the locks of a process that says nothing more, as its machine is gone."""
_TRIES = 3
_DEADLOCKS = {"40001", "40P01"}
"""PostgreSQL's codes for a transaction that it undid because two stood in each other's way."""
_AWAY = {"08", "53", "55", "57", "58"}
"""PostgreSQL's classes of errors that may pass: no connection, no room, locked, stopped by an operator."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def is_away(error: BaseException) -> bool:
    """Whether an error is the database's being locked, full or out of reach, which may pass."""
    return isinstance(error, OperationalError | InterfaceError) or _code(error)[:2] in _AWAY


class DatabaseClosed(RuntimeError):
    """The program is ending; what asks for the database now has come too late."""


class DatabaseBroken(Exception):
    """This program can store nothing more, and only a person can change that; the message is one line."""


class NotLoaded(Exception):
    """Raise this in a transaction that needs a value which takes long to load.

    The transaction is undone. `rows` is called in a read of its own, and what that returns is called in
    a thread, to make the value and cache it. Then the transaction is run again.
    """

    def __init__(self, rows: Callable[[Connection], Callable[[], object]]) -> None:
        super().__init__("what a transaction needs changed each time that it was loaded")
        self.rows = rows


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], Any]
    done: asyncio.Future[Any]
    single: bool = False
    """One statement, without a savepoint."""
    tries: int = 1


@dataclass(frozen=True, slots=True)
class _Outcome:
    value: Any = None
    error: BaseException | None = None


class Database:
    """Opened with `open_database`; see the module's text for what it promises."""

    def __init__(self, backend: _Sqlite | _Postgres) -> None:
        self._backend = backend
        self._first: deque[_Job] = deque()
        self._rest: deque[_Job] = deque()
        self._leader: asyncio.Task[None] | None = None
        self._reads: set[asyncio.Future[None]] = set()
        """One for each read under way, done when that has ended."""
        self._long = asyncio.Semaphore(LONG_READS)
        self._one_load = asyncio.Lock()
        """Loads would share one core's time, and the second of two may find everything loaded."""
        self._loads: set[asyncio.Future[None]] = set()
        """One for each write that waits until what it needs is loaded."""
        self._closed = False
        self.shared = isinstance(backend, _Postgres)
        """Whether other processes may use the database too."""
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Gets a DatabaseBroken once there is one; whoever runs the program should then end it."""

    async def read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a storage function that only reads; it sees one consistent state. A write in it raises."""
        return await self._once_loaded(partial(self._read, work, *args, **kwargs))

    async def _read(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        self._check_open()

        def run(conn: Connection) -> T:
            self._check_open()  # it may have waited for a connection meanwhile
            return work(conn, *args, **kwargs)

        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reads.add(ended)
        try:
            return await self._backend.read(run)
        except DatabaseError as error:
            self._look_for_the_end(error)
            if self._closed:  # the close has stopped it
                raise DatabaseClosed("the database was closed during a read") from error
            raise
        finally:
            self._reads.discard(ended)
            ended.set_result(None)

    async def read_long(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `read`, for one that may take long: few run at a time, so that short reads don't wait for them."""

        async def run() -> T:
            async with self._long:
                return await self._read(work, *args, **kwargs)

        return await self._once_loaded(run)

    async def _once_loaded(self, run: Callable[[], Awaitable[T]]) -> T:
        """Run a read, and again each time that what it needs was loaded."""
        for _ in range(_TRIES - 1):
            try:
                return await run()
            except NotLoaded as needs:
                await self._load(needs)
        return await run()

    async def _load(self, needs: NotLoaded) -> None:
        async with self._one_load:
            await asyncio.to_thread(await self._read(needs.rows))

    async def write(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Run a storage function and commit; what it returned is durable when this returns.

        If the caller is cancelled meanwhile, the write still happens. One that PostgreSQL undoes because it stands
        in another process's way, and the other in its, runs again.
        """
        return await self._enqueue(lambda conn: work(conn, *args, **kwargs))

    async def write_one(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `write`, for a storage function that executes a single statement and hardly ever fails.

        It has no savepoint, which would cost more than the statement. Should it fail, its batch fails with it and each
        of the batch runs again alone. For the path that members feel.
        """
        return await self._enqueue(lambda conn: work(conn, *args, **kwargs), single=True)

    async def overwrite_erased(self) -> None:
        """Cut off SQLite's write-ahead log, in which what was erased still stands, once nobody reads from it."""
        if isinstance(self._backend, _Sqlite):
            self._backend.holds_erased = True
            await self.write(
                lambda _: None
            )  # after which nothing else may wait, and the log is looked at

    async def _enqueue(self, work: Callable[[Connection], T], *, single: bool = False) -> T:
        self._check_open()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue(_Job(work, done, single))
        return await done

    def _check_open(self) -> None:
        if self._closed:
            raise DatabaseClosed("the database is closed")

    def _look_for_the_end(self, error: BaseException) -> None:
        cause = getattr(error, "orig", None)
        if isinstance(cause, sqlite3.DatabaseError) and _sqlite_code(cause) in _DAMAGED:
            error = DatabaseBroken(
                f"the database is damaged ({cause}): restore a backup, see docs/reliability.md"
            )
        if isinstance(error, DatabaseBroken) and not self.broken.done():
            self.broken.set_exception(error)
            self.broken.exception()  # somebody may never look, for example in a test

    async def close(self) -> None:
        """Take no more reads and writes, wait for those under way, then close.

        Reads that have not begun are refused. One that takes longer than `CLOSE_SECONDS` is stopped on SQLite, and left
        to itself on PostgreSQL.
        """
        self._closed = True
        if self._leader is not None:
            await asyncio.wait([self._leader])
        await self._wait_for_reads()
        self._backend.stop_reads()
        await self._wait_for_reads()
        await self._backend.close()

    async def _wait_for_reads(self) -> None:
        if under_way := {*self._reads, *self._loads}:
            await asyncio.wait(under_way, timeout=CLOSE_SECONDS)

    def _queue(self, job: _Job) -> None:
        (self._first if job.single else self._rest).append(job)
        if self._leader is None:
            self._leader = asyncio.create_task(self._lead())

    def _queue_once_loaded(self, job: _Job, needs: NotLoaded) -> None:
        async def load() -> None:
            try:
                await self._load(needs)
                self._check_open()
            except Exception as error:
                _finish(job, _Outcome(error=error))
            else:
                self._queue(job)

        task = asyncio.create_task(load())
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    def _next_batch(self) -> list[_Job]:
        """What may share the next commit: single statements first, and there is a place for one of the others."""
        batch = [self._first.popleft() for _ in range(min(MAX_BATCH - 1, len(self._first)))]
        return batch + [
            self._rest.popleft() for _ in range(min(MAX_BATCH - len(batch), len(self._rest)))
        ]

    async def _lead(self) -> None:
        try:
            while batch := self._next_batch():
                outcomes = await self._store(batch)
                self._rest.extendleft(reversed(batch[len(outcomes) :]))
                for job, outcome in zip(batch, outcomes, strict=False):
                    again = job.tries < _TRIES
                    job.tries += 1
                    if again and _deadlocked(outcome.error):
                        self._queue(job)
                    elif again and isinstance(outcome.error, NotLoaded):
                        self._queue_once_loaded(job, outcome.error)
                    else:
                        _finish(job, outcome)
                if not self._first and not self._rest:
                    await self._backend.tidy()
        finally:
            self._leader = None

    async def _store(self, batch: Sequence[_Job]) -> list[_Outcome]:
        """Run writes in one transaction; if that can't be stored because of one of them, each in its own.

        Returns the outcomes of the first of them, where they take long.
        """
        begun = done = False

        def run(conn: Connection) -> list[_Outcome]:
            nonlocal begun, done
            begun = True
            outcomes = _run_batch(conn, batch)
            done = True
            return outcomes

        try:
            return await self._backend.write(run)
        except BaseException as error:
            self._look_for_the_end(error)
            undone = not (
                done and self.shared
            )  # a COMMIT that was on its way to a server may have got there
            lost = (
                not begun
                or getattr(error, "connection_invalidated", False)
                or not isinstance(error, Exception)
            )
            if len(batch) == 1 or lost or not undone or _deadlocked(error):
                return [_Outcome(error=error)] * len(batch)
        return [outcome for job in batch for outcome in await self._store([job])]


def _finish(job: _Job, outcome: _Outcome) -> None:
    """Give a write's caller what became of it."""
    if job.done.cancelled():
        if outcome.error is not None:
            log.error("a write failed after its caller had gone", exc_info=outcome.error)
    elif outcome.error is not None:
        job.done.set_exception(outcome.error)
    else:
        job.done.set_result(outcome.value)


def _deadlocked(error: BaseException | None) -> bool:
    return _code(error) in _DEADLOCKS


def _code(error: BaseException | None) -> str:
    """PostgreSQL's code for an error, empty for any other."""
    return getattr(error.orig, "sqlstate", None) or "" if isinstance(error, DBAPIError) else ""


def _sqlite_code(error: sqlite3.Error) -> int:
    """SQLite's code for an error; 0 for one that Python's module raises on its own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _run_batch(conn: Connection, jobs: Sequence[_Job]) -> list[_Outcome]:
    if len(jobs) == 1:  # needs no savepoint: if it fails, the transaction does
        return [_Outcome(jobs[0].work(conn))]
    outcomes: list[_Outcome] = []
    begun: float | None = None
    for job in jobs:
        if job.single:
            outcomes.append(_Outcome(job.work(conn)))
            continue
        now = time.monotonic()
        begun = begun or now
        if now - begun > _LONG_ENOUGH:
            break
        savepoint = conn.begin_nested()
        try:
            outcomes.append(_Outcome(job.work(conn)))
            savepoint.commit()
        except Exception as error:
            if conn.invalidated:  # the server is gone, and the whole batch with it
                raise
            savepoint.rollback()
            # a future takes no StopIteration
            outcomes.append(
                _Outcome(
                    error=RuntimeError(repr(error)) if isinstance(error, StopIteration) else error
                )
            )
    return outcomes


class _Lane(aiosqlite.Connection):
    """One SQLite connection in a thread of its own, seen through SQLAlchemy.

    aiosqlite's `_execute` takes any function into the connection's thread, so that a transaction is one hop, however
    many statements it has. SQLAlchemy's own dialect for aiosqlite makes several of each statement.
    """

    def __init__(self, url: URL, *, writes: bool, busy_ms: int = BUSY_MS) -> None:
        engine = create_engine(
            url.set(drivername="sqlite"), creator=lambda: self._conn, poolclass=StaticPool
        )
        names, options = engine.dialect.create_connect_args(
            url
        )  # with what the address says behind its `?`
        mine = {
            "timeout": busy_ms / 1000,
            "isolation_level": None,
        }  # transactions begin and end here
        super().__init__(
            partial(_connect_sqlite, *names, **{**options, **mine}), iter_chunk_size=64
        )
        self._thread.daemon = True  # if it is never closed, the interpreter must end all the same
        self._engine = engine
        self._writes = writes
        self._begin, self._end = ("BEGIN IMMEDIATE", "COMMIT") if writes else ("BEGIN", "ROLLBACK")
        self._view: Connection | None = None
        self._until = math.inf

    async def open(self) -> None:
        try:
            await self
        except sqlite3.Error as error:
            self._thread.join()  # it has been told to end, and must while there still is a loop to tell
            raise OperationalError("connect", None, error) from error
        if not self._writes:
            await self.execute(
                "PRAGMA query_only = ON"
            )  # https://sqlite.org/pragma.html#pragma_query_only
            # a true value ends what runs as "interrupted": https://sqlite.org/c3ref/progress_handler.html
            await self.set_progress_handler(lambda: time.monotonic() > self._until, _STEPS)

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Run a function in a transaction and in the caller's context, as `asyncio.to_thread` would.

        If the caller is cancelled meanwhile, it runs to its end all the same.
        """
        context = copy_context()  # a simulated Discord keeps its clock there
        return await self._execute(context.run, self._transaction, [work])  # type: ignore[no-any-return, no-untyped-call]

    def stop_reading(self) -> None:
        """Let the read under way fail."""
        self._until = -math.inf

    async def checkpoint(self) -> None:
        """Take what the write-ahead log holds into the file, as far as nobody reads it."""
        await self.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    async def empty_log(self) -> bool:
        """Take all of the write-ahead log into the file and cut it off; False if somebody reads from it just now."""
        return await self._execute(self._truncate_log)  # type: ignore[no-any-return, no-untyped-call]

    def _truncate_log(self) -> bool:
        (busy_ms,) = self._conn.execute("PRAGMA busy_timeout").fetchone()
        self._conn.execute(
            "PRAGMA busy_timeout = 0"
        )  # or writes would wait with it for those who read
        try:
            # its first column is 1 if it could not: https://sqlite.org/pragma.html#pragma_wal_checkpoint
            (busy, *_) = self._conn.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            self._conn.execute(f"PRAGMA busy_timeout = {busy_ms}")
        return not busy

    async def close(self) -> None:
        """Close once everything has run that was asked for before."""
        if self._connection is not None:
            await self._execute(self._drop_view)  # type: ignore[no-untyped-call]
        await super().close()

    def _transaction(self, given: list[Callable[[Connection], T]]) -> T:
        work = (
            given.pop()
        )  # or aiosqlite's thread would hold a batch until it is given the next one
        self._until = time.monotonic() + STATEMENT_SECONDS
        if (
            self._view is None
        ):  # kept, and in what SQLAlchemy takes for one transaction: to begin its own is slow
            self._view = self._engine.connect()
            self._view.begin()
        try:
            self._run_sql(self._begin)
            result = work(self._view)
            self._run_sql(self._end)
            return result
        except BaseException:  # whatever state it is in, the next transaction has a new one
            self._drop_view()
            raise

    def _run_sql(self, statement: str) -> None:
        try:
            self._conn.execute(statement)
        except sqlite3.Error as error:
            raise DBAPIError.instance(statement, None, error, sqlite3.Error) from error

    def _drop_view(self) -> None:
        """Roll back what is open, and forget the view."""
        view, self._view = self._view, None
        if view is not None:
            view.close()


class _Sqlite:
    """One connection writes, the others read (WAL lets them)."""

    def __init__(self, url: URL) -> None:
        if url.database and not url.database.startswith("file:"):
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        self._url = url
        self._held: IO[bytes] | None = None
        self._writer = _Lane(url, writes=True)
        self._readers = [_Lane(url, writes=False) for _ in range(LONG_READS + 1)]
        self._copied = 0
        self.holds_erased = False
        """Whether the write-ahead log may hold what was erased, and is to be cut off."""
        self._free: asyncio.Queue[_Lane] = asyncio.Queue()
        for lane in self._readers:
            self._free.put_nowait(lane)

    async def migrate(self, *, visiting: bool = False) -> bool:
        """Must come first: before it nothing is open, and reads and writes fail."""

        def prepare(conn: Connection) -> bool:
            if not visiting:
                self._held = hold_file(conn.exec_driver_sql("PRAGMA database_list").one().file)
            return migrate.upgrade(conn, visiting=visiting)

        lane = _Lane(self._url, writes=True, busy_ms=MIGRATION_BUSY_MS)
        await lane.open()
        try:
            await lane.execute(
                "PRAGMA foreign_keys = OFF"
            )  # or no table with rows that others refer to can be rebuilt
            done = await lane.run(prepare)
        finally:
            await lane.close()
        for lane in (self._writer, *self._readers):
            await lane.open()
        return done

    async def read(self, work: Callable[[Connection], T]) -> T:
        lane = await self._free.get()
        try:
            return await lane.run(work)
        finally:
            self._free.put_nowait(
                lane
            )  # if we were cancelled, its thread ends the query before the next one

    def stop_reads(self) -> None:
        for lane in self._readers:
            lane.stop_reading()

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self._writer.run(work)

    async def tidy(self) -> None:
        """Take the write-ahead log into the file while nobody waits for a commit, a small piece at a time.

        Else SQLite does it within every so manieth commit, for whose answers it takes ten milliseconds more. Only the
        connection that writes does it: before 3.51.3 SQLite can lose a commit where another one does it meanwhile.
        """
        if not self.holds_erased and self._writer.total_changes - self._copied < _CHECKPOINT_ROWS:
            return
        self._copied = self._writer.total_changes
        try:
            if self.holds_erased:
                self.holds_erased = not await self._writer.empty_log()
            else:
                await self._writer.checkpoint()
        except sqlite3.Error as error:
            log.warning(
                "could not take the write-ahead log into the database, trying again later: %s",
                error,
            )

    async def close(self) -> None:
        for lane in (self._writer, *self._readers):
            await lane.close()
        if self._held is not None:
            self._held.close()


_PRAGMAS = ("synchronous = FULL", "foreign_keys = ON", "secure_delete = ON")
"""With secure_delete what members have erased is overwritten in the file, and not only given free."""


def _connect_sqlite(*names: Any, **options: Any) -> sqlite3.Connection:
    connection: sqlite3.Connection = sqlite3.connect(*names, **options)
    try:
        mode = _switch_to_wal(connection)
        if mode != "wal":  # SQLite says so, and goes on without
            raise sqlite3.OperationalError(
                f"SQLite can't keep a write-ahead log here (its journal is {mode!r}), as on most network disks: "
                "put the file on a local disk, or use PostgreSQL"
            )
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
    except BaseException:
        connection.close()
        raise
    return connection


def _switch_to_wal(connection: sqlite3.Connection) -> str:
    """Ask for the write-ahead log; the mode that there is. SQLite's own patience does not hold for this: ours does."""
    until = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


class _Postgres:
    def __init__(self, url: URL, *, patient: bool = False) -> None:
        self._url = url
        self._name = f"{PROGRAM} {secrets.token_hex(8)}"
        self._engine = self._make_engine(BUSY_MS, None if patient else STATEMENT_SECONDS)

    def _make_engine(self, busy_ms: int, seconds: float | None) -> AsyncEngine:
        from sqlalchemy.ext.asyncio import (
            create_async_engine,
        )  # SQLite does without, and starts sooner

        settings = {
            "application_name": self._name,
            "lock_timeout": str(busy_ms),
            "idle_in_transaction_session_timeout": str(_IDLE_MS),
        }
        options = {
            "timeout": STATEMENT_SECONDS,
            "command_timeout": seconds,
            "server_settings": settings,
        }
        pool: dict[str, Any] = {"pool_size": 4, "max_overflow": 4, "pool_timeout": busy_ms / 1000}
        return create_async_engine(self._url, pool_pre_ping=True, connect_args=options, **pool)

    async def migrate(self, *, visiting: bool = False) -> bool:
        """A full table may take its time; nobody waits for a reply yet."""
        engine = self._make_engine(MIGRATION_BUSY_MS, None)
        try:
            async with _connected(engine) as conn, conn.begin():
                return await conn.run_sync(partial(migrate.upgrade, visiting=visiting))
        finally:
            await engine.dispose()

    async def read(self, work: Callable[[Connection], T]) -> T:
        async with _connected(self._engine) as conn:
            # one consistent state for all its queries, and no writes:
            # https://www.postgresql.org/docs/current/sql-set-transaction.html
            await conn.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
            return await conn.run_sync(work)

    def stop_reads(self) -> None:
        """A read that is left when the program ends goes with its connection."""

    async def tidy(self) -> None:
        """There is nothing to do between commits."""

    async def write(self, work: Callable[[Connection], T]) -> T:
        def run(conn: Connection) -> T:
            _confirm_schema(conn)
            return work(conn)

        async with _connected(self._engine) as conn:
            result = await conn.run_sync(run)
            await conn.commit()
            return result

    async def close(self) -> None:
        await self._engine.dispose()


@asynccontextmanager
async def _connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection; what it and its network raise is the database's failure, not that of the network to Discord."""
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(engine.connect())
        except (OSError, TimeoutError, PoolTimeout) as error:
            raise OperationalError("connect", None, error) from error
        try:
            yield connection
        except (
            TimeoutError
        ) as error:  # asyncpg's own, for a statement: nothing more is asked of this connection
            await connection.invalidate()
            raise OperationalError("wait", None, error, connection_invalidated=True) from error


def _confirm_schema(conn: Connection) -> None:
    """Keep the schema as it is until the transaction ends; raises DatabaseBroken if another program has changed it.

    Who migrates waits for transactions that have looked, and keeps others from looking.
    """
    found = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    if found != migrate.HEAD:
        raise DatabaseBroken(
            f"the database has been brought to schema {found}, and this program works with {migrate.HEAD}: "
            "update Quizformer and start it again"
        )


@asynccontextmanager
async def open_database(
    url: URL, *, visiting: bool = False, patient: bool = False
) -> AsyncIterator[Database]:
    """Connect and migrate; raises MigrationError, DatabaseInUse, or what the driver raises, if that can't be done.

    A SQLite file is this process's alone meanwhile. Visitors come beside the bot that works with the database, and
    leave its schema as it is. Who is patient lets a statement take its time, as an operator does who waits for it.
    """
    backend: _Sqlite | _Postgres
    if url.get_backend_name() == "sqlite":
        backend = _Sqlite(url)
    else:
        backend = _Postgres(url, patient=patient)
    database = Database(backend)
    try:
        if await backend.migrate(visiting=visiting):
            log.debug("database schema is now %s", migrate.HEAD)
        yield database
    finally:
        await database.close()


class _Service(Protocol):
    _database: Database


S = TypeVar("S", bound=_Service)


def reading(
    work: Callable[Concatenate[S, Connection, P], T],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """A service's method that is one transaction: callers await it without the connection that it gets."""

    @wraps(work)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        return self._database.read(lambda conn: work(self, conn, *args, **kwargs))

    return method


def reading_long(
    work: Callable[Concatenate[S, Connection, P], T],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Like `reading`, for what may take long."""

    @wraps(work)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        return self._database.read_long(lambda conn: work(self, conn, *args, **kwargs))

    return method


def writing(
    work: Callable[Concatenate[S, Connection, P], T],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
    """Like `reading`, committed."""

    @wraps(work)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        return self._database.write(lambda conn: work(self, conn, *args, **kwargs))

    return method
