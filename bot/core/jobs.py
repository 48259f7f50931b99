"""Queues of due rows, workers that process them, and the scheduler that starts the workers.

Deadlines are columns: a `Queue` is a table whose rows have a due time, a count of failures, and mostly
a state and a lease. A `Worker` moves due rows on, one step at a time. If a step raises, the failure is counted in
the row, which is retried with backoff and finally given up with a reason.

The `Scheduler` asks all workers in one read what is due and when the next deadline is. It starts each
job as a separate task, so that a slow or failing server delays no other, and sets one timer. `nudge`
wakes it earlier. Errors never stop it: they are logged, and it reads again soon.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection, Sequence
from copy import copy
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from msgspec import Struct
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Table,
    Update,
    bindparam,
    false,
    literal_column,
    or_,
    select,
    update,
)

from bot.core import counters
from bot.core.errors import DeliveryUnknown
from bot.core.snowflakes import ALL, SHARD_BITS, TAKE_OVER, Shards
from bot.core.tables import Instant

if TYPE_CHECKING:
    from bot.core.context import Context

log = logging.getLogger(__name__)
Row = TypeVar("Row")

LEASE = timedelta(seconds=30)
"""A process has a row for this long; then another one may take the work over."""
PATIENCE = timedelta(minutes=15)
"""A row that fails each time is given up after this long."""
MAX_CONCURRENT_JOBS = 100
"""Most concurrent jobs of one source. With more, jobs would time out waiting for the rate limiter.

All sources together may have half as many more, so that ten thousand due schedules don't hold up the
posts.
"""
CLOSE_SECONDS = 2.5
"""The end of the program waits this long for running jobs: half of its own time limit."""
_FIRST_BACKOFF = timedelta(seconds=2)
_LONGEST_SLEEP = timedelta(seconds=30)
"""The estimate of Discord's clock may jump, so the scheduler reads at least this often."""
_AFTER_ERROR = timedelta(seconds=2)
_SHORTEST_SLEEP = timedelta(milliseconds=50)


def backoff(failures: int) -> timedelta:
    """Return the pause before the next attempt after this many consecutive failures."""
    return min(_FIRST_BACKOFF * int(2 ** min(failures - 1, 10)), LEASE)


def total_backoff(failures: int) -> timedelta:
    """Return how long a row with this many consecutive failures has been retried."""
    return sum((backoff(n) for n in range(1, failures)), timedelta())


def queue_columns() -> tuple[Column[Any], ...]:
    """Return the columns of a table whose rows come due."""
    return (
        Column("due_at", Instant),  # when the next step is due; null after the last one
        Column("lease_until", Instant),  # so long the step under way has; null between steps
        # consecutive failures of the next step
        Column("failures", Integer, nullable=False, server_default="0"),
    )


def was_refused(table: Table) -> ColumnElement[bool]:
    """Return the condition that a post was not tried, or was refused at the last attempt."""
    c = table.c
    answered = c.problem.is_not(None) & c.lease_until.is_(None) & (c.failures == 0)
    return c.tried_at.is_(None) | answered


MOVED_ON = {"lease_until": None, "failures": 0}
"""Values of a row after a successful step."""


def leased(now: datetime) -> dict[str, Any]:
    """Return the values of a row that a process works on from now. It is due again at the end."""
    return {"due_at": now + LEASE, "lease_until": now + LEASE}


class Queue:
    """A table whose rows come due; mostly it has the `queue_columns`.

    `due_at` is null while there is nothing to do. A table without a `state` has no leases: a step
    moves its `due_at` on before it does anything that others can see. Without a column `guild_id`,
    any process may take any row. `problem` is the column for the sentence about a failure.
    """

    def __init__(
        self,
        table: Table,
        *,
        state: Column[str] | None = None,
        due_at: Column[datetime] | None = None,
        problem: Column[str] | None = None,
    ) -> None:
        self.table = table
        self.state = state
        self._due_at: Column[datetime] = table.c.due_at if due_at is None else due_at
        self._problem = problem
        self._guild_id: Column[int] | None = table.c.get("guild_id")
        key: Column[int] = next(iter(table.primary_key))
        self._key = key
        self._is_leased = false() if state is None else table.c.lease_until.is_not(None)
        Index(None, self._due_at, sqlite_where=self._due_at.is_not(None))

        # Statements are built once, because building one takes longer than running it.
        waiting = select(key).where(self._due_at <= bindparam("now"))
        self._due = waiting.order_by(self._due_at).limit(bindparam("limit"))
        self._next = (
            select(self._due_at).where(self._due_at.is_not(None)).order_by(self._due_at).limit(1)
        )
        expected = [key == bindparam("key_")]
        if state is not None:
            expected.append(state == bindparam("expected"))
        free = select(key).where(*expected, self._due_at <= bindparam("now"))
        self._claim = update(table).where(key.in_(free.with_for_update(skip_locked=True)))
        self._tried_at: Column[datetime] | None = table.c.get("tried_at")
        if self._tried_at is not None:
            untouched = free.where(self._tried_at.is_not_distinct_from(bindparam("loaded")))
            self._claim_try = update(table).where(
                key.in_(untouched.with_for_update(skip_locked=True))
            )
        self._change = update(table).where(*expected)
        self._claimed: set[int] = set()

    def of_process(self) -> Queue:
        """Return this queue as the worker of one process has it, which knows its own claims."""
        own = copy(self)
        own._claimed = set()
        return own

    def forget_claim(self, key: int) -> None:
        """Note that no step of this process works on a row."""
        self._claimed.discard(key)

    def due(self, conn: Connection, now: datetime, limit: int, shards: Shards = ALL) -> list[int]:
        """Return keys of due rows for a process with these shards, longest waiting first.

        These are due rows of its own servers, and from other processes expired leases and rows that
        have waited for `TAKE_OVER`.
        """
        query = self._due
        if not shards.all and self._guild_id is not None:
            query = query.where(
                or_(_on(shards, self._guild_id), self._due_at <= now - TAKE_OVER, self._is_leased)
            )
        return list(conn.execute(query, {"now": now, "limit": limit}).scalars())

    def next_due(self, conn: Connection, shards: Shards = ALL) -> datetime | None:
        """Return when the next row is due for a process with these shards."""
        first: datetime | None = conn.execute(self._next).scalar()
        if first is None or shards.all or self._guild_id is None:
            return first
        own: datetime | None = conn.execute(
            self._next.where(or_(_on(shards, self._guild_id), self._is_leased))
        ).scalar()
        return min(own or first + TAKE_OVER, first + TAKE_OVER)

    def claim(
        self, conn: Connection, key: int, /, *, now: datetime, expect: str, **values: object
    ) -> bool:
        """Lease a due row in state `expect`; False if that fails.

        If two processes try, the second finds the row leased or locked, and doesn't wait.
        """
        given = {"key_": key, "now": now, "expected": expect, **leased(now), **values}
        return self._claim_by(conn, self._claim, given)

    def claim_try(
        self, conn: Connection, key: int, /, *, now: datetime, expect: str, loaded: datetime | None
    ) -> bool:
        """Claim a row as `claim` does, and store when its post was first tried.

        `loaded` is the time of an earlier try that the row had when it was loaded. If it has
        another one by now, another process has tried since, and the claim fails: the next step
        loads the row again and looks for that message.
        """
        given = {"key_": key, "now": now, "expected": expect, "loaded": loaded, **leased(now)}
        return self._claim_by(conn, self._claim_try, {**given, "tried_at": loaded or now})

    def _claim_by(self, conn: Connection, statement: Update, values: dict[str, Any]) -> bool:
        claimed = conn.execute(statement, values).rowcount == 1
        if claimed:
            self._claimed.add(values["key_"])
        return claimed

    def change(self, conn: Connection, key: int, /, *, expect: str, **values: Any) -> bool:
        """Change a row if it is still in state `expect`; False if not.

        A new state or due time ends a lease, and a new state resets failures.
        """
        assert self.state is not None
        if self.state.name in values:
            values = {**MOVED_ON, **values}
        elif "due_at" in values:
            values = {"lease_until": None, **values}
        return conn.execute(self._change, {"key_": key, "expected": expect, **values}).rowcount == 1

    def count_failure(
        self, conn: Connection, key: int, /, *, began: datetime, now: datetime, problem: str
    ) -> tuple[str | None, int] | None:
        """Record that a step which `began` then has failed, and reschedule its row with backoff.

        Returns the row's state and its consecutive failures. Returns None if there is nothing to
        retry, because the step had moved the row on before it failed, or lost it to another process.
        """
        state = literal_column("NULL") if self.state is None else self.state
        query = select(state.label("state"), self.table.c.failures)
        pending = self._due_at <= now
        if key in self._claimed and now < began + LEASE:
            # The step claimed the row, so until then no other process can have a lease.
            pending = or_(pending, self.table.c.lease_until >= began + LEASE)
        row = conn.execute(query.where(self._key == key, pending).with_for_update()).first()
        if row is None:
            return None
        failures = row.failures + 1
        values: dict[Any, Any] = {self._due_at: now + backoff(failures), "failures": failures}
        if self.state is not None:
            values["lease_until"] = None
        if self._problem is not None:
            values[self._problem] = problem
        conn.execute(update(self.table).where(self._key == key).values(values))
        return row.state, failures

    def end_leases(self, conn: Connection, now: datetime) -> int:
        """Make leased rows due at once, and return their number; only if no other process runs."""
        if self.state is None:
            return 0
        woken = update(self.table).where(self._is_leased, self._due_at > now)
        return conn.execute(woken.values(due_at=now, lease_until=None)).rowcount


def _on(shards: Shards, guild_id: ColumnElement[int]) -> ColumnElement[bool]:
    return (
        guild_id.bitwise_rshift(literal_column(str(SHARD_BITS))).self_group() % shards.count
    ).in_(shards.ids)


async def end_tasks(tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait `CLOSE_SECONDS` for tasks when the program ends, then cancel the rest."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()


class JobSource(Protocol):
    """A source of jobs. `work` processes one row, and may be repeated after a crash.

    `due` is asked only once the time has come that `next_due` returned.
    """

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]: ...
    def next_due(self, conn: Connection, /) -> datetime | None: ...
    async def work(self, key: int) -> None: ...


class Worker(Generic[Row]):
    """Processes the due rows of a queue. Each feature implements `load`, `step` and `give_up`.

    `step` takes a row one step further from any state, so the same code does the work, resumes it
    after a crash and takes it over from a dead process. It must claim the row before it does
    anything that others can see.
    """

    queue: Queue

    def __init__(self, context: Context) -> None:
        self._context = context
        self.queue = self.queue.of_process()
        self._database = context.database
        self._banks = context.banks
        self._sender = context.sender
        self._now = context.now

    def load(self, conn: Connection, key: int, /) -> Row | None:
        raise NotImplementedError

    async def step(self, row: Row) -> None:
        raise NotImplementedError

    async def give_up(self, key: int, reason: str) -> None:
        """End a row that has failed for as long as `patience`, so that it blocks nothing."""
        raise NotImplementedError

    async def wake(self, guild_id: int) -> None:
        """Note that a server added the bot again or changed its permissions."""

    def patience(self, _state: str | None) -> timedelta:
        """Return how long a failing row in a state is retried."""
        return PATIENCE

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        return self.queue.due(conn, now, limit, self._context.shards)

    def next_due(self, conn: Connection, /) -> datetime | None:
        return self.queue.next_due(conn, self._context.shards)

    async def work(self, key: int) -> None:
        """Take a row one step further; if that raises, count the failure in the row."""
        began = self._now()
        try:
            row = await self._database.read(self.load, key)
            if row is not None:
                await self.step(row)
        except Exception as error:
            await self._fail(key, began, error)
        finally:
            self.queue.forget_claim(key)

    async def _fail(self, key: int, began: datetime, error: Exception) -> None:
        expected = isinstance(error, DeliveryUnknown)
        reason = (
            str(error)
            if expected
            else "Something unexpected went wrong. Whoever runs me can find it in my log."
        )
        name = f"{self.queue.table.name} {key}"

        def count(conn: Connection) -> tuple[str | None, int] | None:
            # The time is that of the transaction, because the lease may end before it.
            return self.queue.count_failure(conn, key, began=began, now=self._now(), problem=reason)

        failure = await self._database.write(count)
        if failure is None:
            log.warning("%s: after the work was done, or taken over: %r", name, error)
            return
        state, failures = failure
        unexpected = error if failures == 1 and not expected else None
        if total_backoff(failures) < self.patience(state):
            wait = backoff(failures).total_seconds()
            log.warning(
                "%s: %s failed: %r; again in %.0f s", name, state, error, wait, exc_info=unexpected
            )
            return
        await self.give_up(key, reason)
        # as words, because errors of a database that is away are left out of the log
        words = repr(error)
        log.error("%s: %s failed %s times, and is given up: %s", name, state, failures, words)
        counters.given_up.add()


class _Found(Struct, frozen=True):
    """The keys of a source's due rows, and its next deadline."""

    due: Sequence[int]
    next_due: datetime | None


Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


class Scheduler:
    """Starts jobs when they are due. `read` is the database's, `now` returns the current UTC instant.

    Call `start` once, `nudge` when a deadline was stored, and `close` at the end.
    """

    def __init__(
        self, read: Read, now: Callable[[], datetime], at_once: int = MAX_CONCURRENT_JOBS
    ) -> None:
        self._read = read
        self._now = now
        self._at_once = at_once
        self._of_all_sources = at_once + at_once // 2
        self._sources: list[JobSource] = []
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at = math.inf
        """When the timer ends, by the loop's clock, because `now` may jump in between."""
        self._tick: asyncio.Task[None] | None = None
        self._again = False
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._closed = True

    def add(self, source: JobSource) -> None:
        self._sources.append(source)

    def start(self) -> None:
        """Start to work; call this when messages can be sent."""
        self._closed = False
        self.nudge(self._now())

    def nudge(self, at: datetime) -> None:
        """Tell the scheduler about a new deadline; this wakes it earlier if needed."""
        if self._closed:
            return
        if self._tick is not None and not self._tick.done():
            self._again = True
        elif self._wake_time(at) < self._wakes_at:
            self._arm(at)

    async def close(self) -> None:
        """Start no new jobs, and wait for running ones as `end_tasks` does."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await end_tasks([*self._running.values(), *([self._tick] if self._tick else [])])

    def _arm(self, at: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = self._wake_time(at)
        self._timer = asyncio.get_running_loop().call_at(self._wakes_at, self._wake)

    def _wake_time(self, at: datetime) -> float:
        delay = min(max(at - self._now(), timedelta(0)), _LONGEST_SLEEP)
        return asyncio.get_running_loop().time() + delay.total_seconds()

    def _wake(self) -> None:
        self._timer, self._wakes_at = None, math.inf
        if not self._closed and (self._tick is None or self._tick.done()):
            self._tick = asyncio.create_task(self._start_due_jobs())

    async def _start_due_jobs(self) -> None:
        self._again = False
        now = self._now()
        nearest = now + _LONGEST_SLEEP
        for index, found in enumerate(await self._read_sources(now)):
            if len(self._running) >= self._of_all_sources:
                break  # the next job that ends reads again
            self._begin(index, found.due)
            nearest = min(nearest, found.next_due or nearest)
        if not self._closed:
            self._arm(self._now() if self._again else max(nearest, self._now() + _SHORTEST_SLEEP))

    async def _read_sources(self, now: datetime) -> list[_Found]:
        """Read all sources at once; if that fails, one by one, because only one may be broken."""

        def find(conn: Connection) -> list[_Found]:
            return [self._due_in(conn, source, now) for source in self._sources]

        try:
            found: list[_Found] = await self._read(find)
        except Exception as error:
            log.warning("could not look for due work in one read: %r", error)
            found = [await self._read_source(source, now) for source in self._sources]
        return found

    async def _read_source(self, source: JobSource, now: datetime) -> _Found:
        try:
            found: _Found = await self._read(lambda conn: self._due_in(conn, source, now))
        except Exception:
            log.exception("could not look for due work of %s; trying again", type(source).__name__)
            found = _Found((), now + _AFTER_ERROR)
        return found

    def _due_in(self, conn: Connection, source: JobSource, now: datetime) -> _Found:
        next_due = source.next_due(conn)
        waits = next_due is not None and next_due <= now
        return _Found(source.due(conn, now, self._at_once) if waits else (), next_due)

    def overdue(self, conn: Connection) -> timedelta:
        """Return how long the work that has waited longest has been due; nothing if none is."""
        now = self._now()
        next_due = (source.next_due(conn) for source in self._sources)
        return now - min((at for at in next_due if at is not None and at < now), default=now)

    def _begin(self, index: int, keys: Sequence[int]) -> None:
        """Start jobs for rows of a source, up to the limits of concurrent jobs."""
        own = sum(number == index for number, _ in self._running)
        for key in keys:
            free = (
                own < self._at_once
                and len(self._running) < self._of_all_sources
                and not self._closed
            )
            if free and (index, key) not in self._running:
                self._running[index, key] = asyncio.create_task(self._work(index, key))
                own += 1

    async def _work(self, index: int, key: int) -> None:
        source = self._sources[index]
        try:
            await source.work(key)
        except (Exception, asyncio.CancelledError) as error:
            # Before the end, a cancellation is that of something which the job has waited for.
            if self._closed and isinstance(error, asyncio.CancelledError):
                raise
            log.exception("work on %s %s failed; it is tried again", type(source).__name__, key)
            if not self._closed:  # pause, so that a job that fails at once is no busy loop
                asyncio.get_running_loop().call_later(
                    _AFTER_ERROR.total_seconds(), self._done, index, key
                )
                return
        self._done(index, key)

    def _done(self, index: int, key: int) -> None:
        self._running.pop((index, key), None)
        self.nudge(self._now())
