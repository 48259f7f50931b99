"""One way to read and one way to write, for SQLite and PostgreSQL.

Storage functions are plain functions whose first parameter is a SQLAlchemy `Connection`. `Database`
runs them where they may block: in the connection's thread on SQLite, in a greenlet on PostgreSQL.
One call is one transaction, and nothing else runs on that connection until it ends.

Writes that are requested during a commit form the next batch and share one commit. Each runs in a
savepoint, so that a failing write undoes only itself. If the commit fails, all of them fail: no
constraint waits for the commit, so none of them is to blame, and running them again might do twice
what has reached the server.

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
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import URL, Connection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.core import counters
from bot.core.backend import DatabaseBroken, is_away, is_deadlock, is_slow
from bot.core.computing import FairQueue, for_future, in_thread
from bot.core.limits import CONNECTIONS, MAX_WAITING
from bot.core.migrate import check_writable
from bot.core.outages import Outage
from bot.core.sqlite import Sqlite, is_damaged, open_sqlite

if TYPE_CHECKING:
    from bot.core.jobs import Scheduler
    from bot.core.postgres import Postgres

# Services import these from here; only stores import SQLAlchemy.
__all__ = ["Connection", "DatabaseBroken", "is_away", "is_slow"]

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
"""Begin no other write of a batch after this many seconds, so that the first ones needn't wait."""
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


class _Write(Struct, frozen=True):
    work: Callable[[Connection], Any]
    done: asyncio.Future[Any]


class _Outcome(Struct, frozen=True):
    value: Any = None
    error: BaseException | None = None
    after: Sequence[Callable[[], object]] = ()
    """Called once this is committed."""


class Database:
    """Reads and writes of one database; `open_database` makes it."""

    def __init__(self, backend: Sqlite | Postgres) -> None:
        self._backend = backend
        self._writes: deque[_Write] = deque()
        self._committing: asyncio.Task[None] | None = None
        self._reads: set[asyncio.Future[None]] = set()
        """One future for each running read, done when the read has ended."""
        self._long_reads = FairQueue("look-ups", each=MAX_WAITING, at_once=backend.long_reads)
        self._one_load = asyncio.Lock()
        """Loads run one after the other, because the second often finds everything loaded."""
        self._closed = False
        self.shared = backend.shared
        """Whether other processes may use the database too."""
        self.outage = Outage()
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Raises DatabaseBroken as soon as nothing can be stored any more: end the program then."""

    async def read(self, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a storage function on one consistent state of the database; a write in it raises."""
        return await self._retry(lambda: self._read(lambda conn: work(conn, *args, **kwargs)))

    async def read_long(
        self, key: int, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Like `read`, for functions that may take long: short reads never wait for them.

        Long ones wait in a `FairQueue`; `key` is whose they are.
        """

        async def run() -> T:
            async with self._long_reads.turn(key):
                return await self._read(lambda conn: work(conn, *args, **kwargs))

        return await self._retry(run)

    async def write(self, work: StorageFunction[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a storage function and commit; when this returns, everything is durable.

        If the caller is cancelled, the write still happens, unless it waits for a load. A write
        that PostgreSQL undoes because of a deadlock runs again.
        """
        return await self._retry(lambda: self._write(lambda conn: work(conn, *args, **kwargs)))

    async def check(self) -> None:
        """Raise an error if nothing can be stored now, or soon because the disk is full."""
        await self.write(check_writable)
        try:
            await self._backend.check_room()
        except OSError as error:
            self.outage.failed(error)
            raise

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
        if self._reads:
            await asyncio.wait(self._reads, timeout=CLOSE_SECONDS)

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

    async def _retry(self, run: Callable[[], Awaitable[T]]) -> T:
        """Run a transaction again after each load that it needs, and after a deadlock."""
        for _ in range(_ATTEMPTS - 1):
            try:
                return await run()
            except NotLoaded as missing:
                async with self._one_load:
                    await in_thread(await self._read(missing.rows))
            except StorageError as error:
                if not is_deadlock(error):
                    raise
        return await run()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        self._check_open()

        def run(conn: Connection) -> T:
            self._check_open()  # the close may have begun while this waited for a connection
            return for_future(work)(conn)

        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reads.add(ended)
        try:
            result = await self._backend.read(run)
        except DBAPIError as error:
            self._check_broken(error)
            if self._closed:  # the close stopped this read
                raise DatabaseClosed("the database was closed during a read") from error
            if is_away(error):
                self.outage.failed(error)
            raise
        else:
            self.outage.succeeded()
            return result
        finally:
            self._reads.discard(ended)
            ended.set_result(None)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        self._check_open()
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._writes.append(_Write(work, done))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_batches())
        return await done

    async def _commit_batches(self) -> None:
        try:
            while self._writes:
                await self._commit_batch()
                if not self._writes:
                    await self._checkpoint()
        finally:
            self._committing = None

    async def _checkpoint(self) -> None:
        try:
            await self._backend.checkpoint()
        except StorageError as error:  # tried again after the next write
            if is_away(error):
                self._count_failed([error])
            else:
                log.exception("could not copy the write-ahead log into the database")

    async def _commit_batch(self) -> None:
        batch = [self._writes.popleft() for _ in range(min(MAX_BATCH, len(self._writes)))]
        try:
            outcomes = await self._backend.write(partial(self._run_batch, batch=batch))
        except BaseException as error:
            self._check_broken(error)
            outcomes = [_Outcome(error=error)] * len(batch)
        self._writes.extendleft(reversed(batch[len(outcomes) :]))
        self._count_failed([outcome.error for outcome in outcomes if outcome.error is not None])
        for write, outcome in zip(batch, outcomes, strict=False):
            _finish(write, outcome)

    def _count_failed(self, errors: Sequence[BaseException]) -> None:
        away = [
            error
            for error in errors
            if isinstance(error, DatabaseBroken) or is_away(error) or is_slow(error)
        ]
        if not away:
            self.outage.succeeded()
            return
        counters.failed_writes.add(len(away))
        self.outage.failed(away[0], len(away))

    def _run_batch(self, conn: Connection, batch: Sequence[_Write]) -> list[_Outcome]:
        """Run writes, each in a savepoint, until the budget is used up; one outcome for each."""
        if len(batch) == 1:  # needs no savepoint, because its failure rolls back the transaction
            return [_run(batch[0], conn)]
        outcomes: list[_Outcome] = []
        deadline = time.monotonic() + _BATCH_BUDGET
        for write in batch:
            savepoint = self._backend.savepoint(conn)
            try:
                outcomes.append(_run(write, conn))
            except BaseException as error:
                if conn.invalidated:  # the connection is lost, and the whole batch with it
                    raise
                try:
                    savepoint.rollback()
                except StorageError:
                    # The whole transaction is undone: https://sqlite.org/lang_transaction.html
                    raise error from error.__cause__
                outcomes.append(_Outcome(error=error))
            else:
                savepoint.commit()
            if time.monotonic() > deadline:
                break
        return outcomes


_AFTER = "after the commit"


def after_commit(conn: Connection, call: Callable[[], object]) -> None:
    """Call a function in the event loop once the running transaction is committed."""
    conn.info.setdefault(_AFTER, []).append(call)


def _run(write: _Write, conn: Connection) -> _Outcome:
    conn.info.pop(_AFTER, None)  # of a transaction that failed
    value = for_future(write.work)(conn)
    return _Outcome(value, after=conn.info.pop(_AFTER, ()))


def _finish(write: _Write, outcome: _Outcome) -> None:
    """Hand the outcome of a write to its caller."""
    for call in outcome.after:
        call()
    if write.done.cancelled():
        if outcome.error is not None:
            log.error("a write failed after its caller had gone", exc_info=outcome.error)
    elif outcome.error is not None:
        write.done.set_exception(outcome.error)
    else:
        write.done.set_result(outcome.value)


@asynccontextmanager
async def open_database(
    url: URL,
    *,
    connections: int = CONNECTIONS,
    visiting: bool = False,
    patient: bool = False,
    may_migrate: bool = True,
) -> AsyncIterator[Database]:
    """Connect and migrate; close at the end of the block.

    Raises MigrationError, DatabaseInUse or an error of the driver. A SQLite file is locked against
    other bots, but `visiting=True` opens it while the bot is running and leaves its schema alone.
    `patient=True` disables the statement timeout (for CLI commands). With `may_migrate=False`, a
    PostgreSQL database with an old schema is refused; a SQLite file is copied and then migrated.
    `connections` is the most that are opened to PostgreSQL.
    """
    backend: Sqlite | Postgres
    if url.get_backend_name() == "sqlite":
        backend = await open_sqlite(url, visiting=visiting)
    else:
        from bot.core.postgres import open_postgres  # SQLite starts sooner without its imports

        backend = await open_postgres(
            url,
            connections=connections,
            visiting=visiting,
            patient=patient,
            may_migrate=may_migrate,
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
