"""One way to read and one way to write, for SQLite and PostgreSQL.

Storage functions are plain functions whose first parameter is a SQLAlchemy `Connection`. `Database`
runs them where they may block: in the connection's thread on SQLite, in a greenlet on PostgreSQL.
One call is one transaction, and nothing else runs on that connection until it ends.

Writes that are requested during a commit form the next batch and share one commit. Each runs in a
savepoint, so that a failing write undoes only itself. If the batch fails as a whole, each of its
writes runs again alone. Single statements (`write_one`), such as members' answers, come first in a
batch. Other writes get only a few milliseconds of it, so no answer waits for twenty rounds' points.

Long reads (`read_long`) never occupy all readers: one is reserved for members' clicks.

A transaction that needs something slow to load raises `NotLoaded`. It runs again after that has
been loaded.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from bot.core.backend import LONG_READS, DatabaseBroken, is_away, is_deadlock
from bot.core.sqlite import Sqlite, is_damaged, open_sqlite

if TYPE_CHECKING:
    from bot.core.jobs import Scheduler
    from bot.core.postgres import Postgres

# Services import these from here; only stores import SQLAlchemy.
__all__ = ["Connection", "DatabaseBroken", "is_away"]

StorageError = SQLAlchemyError
"""The base class of all errors that a database raises."""

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S", bound="_Service")
D = TypeVar("D", bound="_DueService")

StorageFunction = Callable[Concatenate[Connection, P], T]
ServiceMethod = Callable[Concatenate[S, Connection, P], T]
AsyncMethod = Callable[Concatenate[S, P], Coroutine[Any, Any, T]]

MAX_BATCH = 500
_BATCH_BUDGET = 0.005
"""Stop adding multi-statement writes to a batch after this many seconds."""
CLOSE_SECONDS = 0.5
"""Time limit for running reads when the database closes; then they are stopped."""
_ATTEMPTS = 3


class DatabaseClosed(RuntimeError):
    """The database was used after its close had begun, which ends the program."""


class NotLoaded(Exception):
    """Raise this in a transaction that needs a value which takes long to load.

    The transaction is rolled back. `rows` then runs in a read of its own and returns a function,
    which is called in a thread to make the value and cache it. Then the transaction runs again.
    """

    def __init__(self, rows: Callable[[Connection], Callable[[], object]]) -> None:
        super().__init__("a value that a transaction needs was missing again after each load")
        self.rows = rows


class _Write(Struct):
    work: Callable[[Connection], Any]
    done: asyncio.Future[Any]
    single: bool = False
    """Whether it is a single statement, which gets no savepoint."""
    attempts: int = 1


class _Outcome(Struct, frozen=True):
    value: Any = None
    error: BaseException | None = None


class Database:
    """Reads and writes of one database; `open_database` makes it."""

    def __init__(self, backend: Sqlite | Postgres) -> None:
        self._backend = backend
        self._single_writes: deque[_Write] = deque()
        self._other_writes: deque[_Write] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._reads: set[asyncio.Future[None]] = set()
        """One future for each running read, done when the read has ended."""
        self._long_reads = asyncio.Semaphore(LONG_READS)
        self._one_load = asyncio.Lock()
        """Loads run one after the other, because the second often finds everything loaded."""
        self._loads: set[asyncio.Task[None]] = set()
        """One task for each write that waits for a load."""
        self._closed = False
        self.shared = backend.shared
        """Whether other processes may use the database too."""
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises DatabaseBroken as soon as nothing can be stored any more: end the program then."""

    async def read(self, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a storage function on one consistent state of the database; a write in it raises."""
        return await self._retry_loaded(
            lambda: self._read(lambda conn: work(conn, *args, **kwargs))
        )

    async def read_long(self, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `read`, for functions that may take long: short reads never wait for them."""

        async def run() -> T:
            async with self._long_reads:
                return await self._read(lambda conn: work(conn, *args, **kwargs))

        return await self._retry_loaded(run)

    async def write(self, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a storage function and commit; when this returns, everything is durable.

        If the caller is cancelled, the write still happens. A write that PostgreSQL undoes because
        of a deadlock runs again.
        """
        return await self._enqueue(lambda conn: work(conn, *args, **kwargs))

    async def write_one(self, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like `write`, for a function that executes one statement and hardly ever fails.

        It gets no savepoint, which would cost more than the statement. If it fails, its batch fails
        too, and each write of the batch runs again alone. Use it where members wait.
        """
        return await self._enqueue(lambda conn: work(conn, *args, **kwargs), single=True)

    async def overwrite_erased(self) -> None:
        """Remove erased data from SQLite's write-ahead log, as soon as no read uses the log."""
        if self._backend.request_truncation():
            # After this write the queue is empty, which is when the backend checkpoints.
            await self.write(lambda _: None)

    async def close(self) -> None:
        """Refuse new reads and writes, wait for the running ones, then close.

        Reads that wait for a connection are refused. A read that takes longer than `CLOSE_SECONDS`
        is stopped on SQLite and abandoned on PostgreSQL.
        """
        self._closed = True
        if self._committing is not None:
            await asyncio.wait([self._committing])
        await self._wait_for_reads()
        self._backend.stop_reads()
        await self._wait_for_reads()
        await self._backend.close()

    async def _wait_for_reads(self) -> None:
        if running := {*self._reads, *self._loads}:
            await asyncio.wait(running, timeout=CLOSE_SECONDS)

    def _check_open(self) -> None:
        if self._closed:
            raise DatabaseClosed("the database is closed")

    def _check_broken(self, error: BaseException) -> None:
        """Set `broken` if the error means that nothing can be stored any more."""
        cause = getattr(error, "orig", None)
        if is_damaged(cause):
            error = DatabaseBroken(
                f"the database is damaged ({cause}): restore a backup (python -m bot restore FILE)"
            )
        if isinstance(error, DatabaseBroken) and not self.broken.done():
            self.broken.set_exception(error)
            self.broken.exception()  # asyncio warns about exceptions that nobody retrieves

    async def _read(self, work: Callable[[Connection], T]) -> T:
        self._check_open()

        def run(conn: Connection) -> T:
            self._check_open()  # the close may have begun while this waited for a connection
            return work(conn)

        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reads.add(ended)
        try:
            return await self._backend.read(run)
        except DatabaseError as error:
            self._check_broken(error)
            if self._closed:  # the close stopped this read
                raise DatabaseClosed("the database was closed during a read") from error
            raise
        finally:
            self._reads.discard(ended)
            ended.set_result(None)

    async def _retry_loaded(self, run: Callable[[], Awaitable[T]]) -> T:
        """Run a read, and run it again after each load that it needs."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await run()
            except NotLoaded as missing:
                await self._load(missing)
        return await run()

    async def _load(self, missing: NotLoaded) -> None:
        async with self._one_load:
            await asyncio.to_thread(await self._read(missing.rows))

    async def _enqueue(self, work: Callable[[Connection], T], *, single: bool = False) -> T:
        self._check_open()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue(_Write(work, done, single))
        return await done

    def _queue(self, write: _Write) -> None:
        (self._single_writes if write.single else self._other_writes).append(write)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_batches())

    def _queue_after_load(self, write: _Write, missing: NotLoaded) -> None:
        async def load() -> None:
            try:
                await self._load(missing)
                self._check_open()
            except Exception as error:
                _finish(write, _Outcome(error=error))
            else:
                self._queue(write)

        task = asyncio.create_task(load())
        self._loads.add(task)
        task.add_done_callback(self._loads.discard)

    def _next_batch(self) -> list[_Write]:
        """Take the next batch from the queues.

        One-statement writes go first, but one slot is reserved for longer writes, so that they
        can't starve.
        """
        first = min(MAX_BATCH - 1, len(self._single_writes))
        batch = [self._single_writes.popleft() for _ in range(first)]
        rest = min(MAX_BATCH - first, len(self._other_writes))
        return batch + [self._other_writes.popleft() for _ in range(rest)]

    async def _commit_batches(self) -> None:
        try:
            while batch := self._next_batch():
                outcomes = await self._store(batch)
                self._other_writes.extendleft(reversed(batch[len(outcomes) :]))
                for write, outcome in zip(batch, outcomes, strict=False):
                    retry = outcome.error is not None and write.attempts < _ATTEMPTS
                    write.attempts += 1
                    if retry and is_deadlock(outcome.error):
                        self._queue(write)
                    elif retry and isinstance(outcome.error, NotLoaded):
                        self._queue_after_load(write, outcome.error)
                    else:
                        _finish(write, outcome)
                if not self._single_writes and not self._other_writes:
                    await self._backend.checkpoint()
        finally:
            self._committing = None

    async def _store(self, batch: Sequence[_Write]) -> list[_Outcome]:
        """Run writes in one transaction; if one of them makes it fail, run each in its own.

        Return one outcome for each write that ran: the last ones have none if the batch's budget
        was used up.
        """
        begun = False
        finished = False

        def run(conn: Connection) -> list[_Outcome]:
            nonlocal begun, finished
            begun = True
            outcomes = _run_batch(conn, batch)
            finished = True
            return outcomes

        try:
            return await self._backend.write(run)
        except BaseException as error:
            self._check_broken(error)
            # A COMMIT that was on its way to a server may have arrived there.
            maybe_stored = finished and self.shared
            disconnected = not begun or getattr(error, "connection_invalidated", False)
            may_run_again = not (maybe_stored or disconnected or is_deadlock(error))
            if len(batch) == 1 or not may_run_again or not isinstance(error, Exception):
                return [_Outcome(error=error)] * len(batch)
        return [outcome for write in batch for outcome in await self._store([write])]


def _finish(write: _Write, outcome: _Outcome) -> None:
    """Hand the outcome of a write to its caller."""
    if write.done.cancelled():
        if outcome.error is not None:
            log.error("a write failed after its caller had gone", exc_info=outcome.error)
    elif outcome.error is not None:
        write.done.set_exception(outcome.error)
    else:
        write.done.set_result(outcome.value)


def _run_batch(conn: Connection, batch: Sequence[_Write]) -> list[_Outcome]:
    """Run single statements, which come first, then as many other writes as the budget allows."""
    if len(batch) == 1:  # needs no savepoint, because its failure rolls back the transaction
        return [_Outcome(batch[0].work(conn))]
    outcomes = [_Outcome(write.work(conn)) for write in batch if write.single]
    deadline = time.monotonic() + _BATCH_BUDGET
    for write in batch[len(outcomes) :]:
        savepoint = conn.begin_nested()
        try:
            outcomes.append(_Outcome(write.work(conn)))
            savepoint.commit()
        except Exception as error:
            if conn.invalidated:  # the connection is lost, and the whole batch with it
                raise
            savepoint.rollback()
            if isinstance(error, StopIteration):  # which a future refuses
                error = RuntimeError(repr(error))
            outcomes.append(_Outcome(error=error))
        if time.monotonic() > deadline:
            break
    return outcomes


@asynccontextmanager
async def open_database(
    url: URL, *, visiting: bool = False, patient: bool = False, may_migrate: bool = True
) -> AsyncIterator[Database]:
    """Connect and migrate; close at the end of the block.

    Raises MigrationError, DatabaseInUse or an error of the driver. A SQLite file is locked against
    other bots, but `visiting=True` opens it while the bot is running and leaves its schema alone.
    `patient=True` disables the statement timeout (for CLI commands). With `may_migrate=False`, a
    PostgreSQL database with an old schema is refused; a SQLite file is copied and then migrated.
    """
    backend: Sqlite | Postgres
    if url.get_backend_name() == "sqlite":
        backend = await open_sqlite(url, visiting=visiting)
    else:
        from bot.core.postgres import open_postgres  # SQLite starts sooner without its imports

        backend = await open_postgres(
            url, visiting=visiting, patient=patient, may_migrate=may_migrate
        )
    database = Database(backend)
    try:
        yield database
    finally:
        await database.close()


class _Service(Protocol):
    _database: Database


class _DueService(_Service, Protocol):
    _scheduler: Scheduler
    _now: Callable[[], datetime]


def reading(
    work: ServiceMethod[S, P, T],
) -> AsyncMethod[S, P, T]:
    """Make a service's method one read: callers await it, and it gets the connection as an argument."""
    return _one_transaction(Database.read, work)


def reading_long(
    work: ServiceMethod[S, P, T],
) -> AsyncMethod[S, P, T]:
    """Like `reading`, for methods that may take long."""
    return _one_transaction(Database.read_long, work)


def writing(
    work: ServiceMethod[S, P, T],
) -> AsyncMethod[S, P, T]:
    """Like `reading`, for methods that write: they are committed when the call returns."""
    return _one_transaction(Database.write, work)


def writing_due(
    work: ServiceMethod[D, P, T],
) -> AsyncMethod[D, P, T]:
    """Like `writing`, for methods that store what is due now: the scheduler does it at once."""
    write = writing(work)

    @wraps(work)
    async def method(self: D, /, *args: P.args, **kwargs: P.kwargs) -> T:
        done = await write(self, *args, **kwargs)
        self._scheduler.nudge(self._now())
        return done

    return method


def _one_transaction(
    run: Callable[[Database, Callable[[Connection], T]], Coroutine[Any, Any, T]],
    work: ServiceMethod[S, P, T],
) -> AsyncMethod[S, P, T]:
    @wraps(work)
    def method(self: S, /, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, T]:
        return run(self._database, lambda conn: work(self, conn, *args, **kwargs))

    return method
