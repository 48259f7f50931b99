"""One queue for all that comes due, and one timer that works it off.

Deadlines are columns: a `Queue` is a table whose rows have a time at which they are due, a count of failures and mostly
a state. A `Worker` moves due rows on, a step at a time, and counts in the row whatever a step raises: the row waits
longer each time, and is given up with a reason. The `Scheduler` asks its workers in one read what is due and when the
nearest deadline is, starts each piece of work as a task of its own (so that a slow or failing server delays no other)
and sets one timer. It is woken when somebody stores a nearer one. Nothing here can end it for good: an error is logged
and it looks again soon.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    Update,
    bindparam,
    false,
    literal_column,
    or_,
    select,
    true,
    update,
)

from bot.core.errors import DeliveryUnknown
from bot.core.shards import ALL, SHARD_BITS, TAKE_OVER, Shards

if TYPE_CHECKING:
    from bot.core.context import Context

log = logging.getLogger(__name__)
Row = TypeVar("Row")

LEASE = timedelta(seconds=30)
"""How long a claim is honoured before another process may take the work over."""
PATIENCE = timedelta(minutes=15)
"""How long a row is tried that fails each time."""
MAX_CONCURRENT_JOBS = 100
"""Upper bound on concurrent jobs of one source; higher would let them time out while they wait for the rate limiter.

All sources together have half as many more, so that ten thousand schedules that come due don't hold up the posts.
"""
CLOSE_SECONDS = 2.5
"""How long the end of the program waits for work under way: half of the time in which the program ends."""
_FIRST_WAIT = timedelta(seconds=2)
_LONGEST_SLEEP = timedelta(seconds=30)
"""The wall clock may jump and the machine may sleep: look again at least this often."""
_AFTER_ERROR = timedelta(seconds=2)
_SHORTEST_SLEEP = timedelta(milliseconds=50)


def wait_after(failures: int) -> timedelta:
    """How long a row rests after this many failures in a row."""
    return min(_FIRST_WAIT * int(2 ** min(failures - 1, 10)), LEASE)


def waited(failures: int) -> timedelta:
    """How long a row that failed this many times in a row has been tried."""
    return sum((wait_after(n) for n in range(1, failures)), timedelta())


_NONE, _ALL = false(), true()


@dataclass(frozen=True, eq=False)
class Queue:
    """A table whose rows come due.

    `due_at` is null while there is nothing to do. `claimed`: rows on which a process is working, which are due again
    only because nobody finished them; `where`: rows that can be due at all, as a partial index has them. Rows without
    `guild_id` are any process's. The sentence about a failure is kept in `problem`, if there is such a column.
    """

    table: Table
    _: KW_ONLY
    due_at: Column[datetime]
    state: Column[str] | None = None
    guild_id: Column[int] | None = None
    claimed: ColumnElement[bool] = _NONE
    where: ColumnElement[bool] = _ALL
    problem: Column[str] | None = None

    @property
    def _key(self) -> Column[int]:
        return next(iter(self.table.primary_key.columns))

    # Statements are built once: to build one takes longer than to run it, and these run with every step.

    @cached_property
    def _due(self) -> Select[Any]:
        waiting = select(self._key).where(self.where, self.due_at <= bindparam("now"))
        return waiting.order_by(self.due_at).limit(bindparam("limit"))

    @cached_property
    def _next(self) -> Select[Any]:
        return (
            select(self.due_at)
            .where(self.where, self.due_at.is_not(None))
            .order_by(self.due_at)
            .limit(1)
        )

    @cached_property
    def _claim(self) -> Update:
        free = select(self._key).where(
            self._this, self.due_at <= bindparam("now"), self._as_expected
        )
        return update(self.table).where(self._key.in_(free.with_for_update(skip_locked=True)))

    @cached_property
    def _change(self) -> Update:
        return update(self.table).where(self._this, self._as_expected)

    @cached_property
    def _state_of(self) -> Select[Any]:
        assert self.state is not None
        return select(self.state).where(self._this)

    @property
    def _this(self) -> ColumnElement[bool]:
        return self._key == bindparam("this")

    @property
    def _as_expected(self) -> ColumnElement[bool]:
        assert self.state is not None
        return self.state == bindparam("expected")

    def due(self, conn: Connection, now: datetime, limit: int, shards: Shards = ALL) -> list[int]:
        """Keys of the rows that a process with these shards takes, longest waiting first.

        Those are rows of its servers, and what other processes have given up: claims that ran out, and rows that have
        waited too long.
        """
        query = self._due
        if not shards.all and self.guild_id is not None:
            query = query.where(
                or_(_on(shards, self.guild_id), self.due_at <= now - TAKE_OVER, self.claimed)
            )
        return list(conn.execute(query, {"now": now, "limit": limit}).scalars())

    def next_due(self, conn: Connection, shards: Shards = ALL) -> datetime | None:
        """When the next row is due for a process with these shards."""
        first: datetime | None = conn.execute(self._next).scalar()
        if first is None or shards.all or self.guild_id is None:
            return first
        own: datetime | None = conn.execute(
            self._next.where(or_(_on(shards, self.guild_id), self.claimed))
        ).scalar()
        return min(own or first + TAKE_OVER, first + TAKE_OVER)

    def claim(
        self, conn: Connection, key: int, /, *, now: datetime, expect: str, **values: object
    ) -> bool:
        """Take a due row in state `expect` in hand for the length of a lease; False if it is not due any more.

        Of two processes that try, the second finds the deadline moved on, or the row locked, and does not wait for it.
        """
        changed = {self.due_at.name: now + LEASE, **values}
        return (
            conn.execute(
                self._claim, {"this": key, "now": now, "expected": expect, **changed}
            ).rowcount
            == 1
        )

    def change(self, conn: Connection, key: int, /, *, expect: str, **values: Any) -> bool:
        """Change a row that is still in state `expect`; False if it is not. A new state begins without failures."""
        if self.state is not None and self.state.name in values:
            values = {"failures": 0, **values}
        return conn.execute(self._change, {"this": key, "expected": expect, **values}).rowcount == 1

    def state_of(self, conn: Connection, key: int) -> str | None:
        """The state of a row, None for one that is gone or has none."""
        if self.state is None:
            return None
        return conn.execute(self._state_of, {"this": key}).scalar()

    def count_failure(
        self, conn: Connection, key: int, /, *, began: str | None, now: datetime, problem: str
    ) -> tuple[str | None, int] | None:
        """Let a row rest whose step failed; returns the state it is left in and its failures in a row.

        None if there is nothing left to try again: the step, which began in state `began`, has moved the row on before
        it failed.
        """
        state = literal_column("NULL") if self.state is None else self.state
        query = select(state.label("state"), self.table.c.failures, (~self.claimed).label("free"))
        row = conn.execute(
            query.where(self._key == key, self.due_at <= now + LEASE).with_for_update()
        ).first()
        if row is None or (row.free and row.state != began):
            return None
        failures = row.failures + 1
        values: dict[str, Any] = {
            self.due_at.name: now + wait_after(failures),
            "failures": failures,
        }
        if self.problem is not None:
            values[self.problem.name] = problem
        conn.execute(update(self.table).where(self._key == key).values(**values))
        return row.state, failures

    def wake_claimed(self, conn: Connection, now: datetime) -> int:
        """Make work that a process claimed and did not finish due at once; only for when no other process runs."""
        if self.claimed is _NONE:
            return 0
        woken = update(self.table).where(self.where, self.claimed, self.due_at > now)
        return conn.execute(woken.values({self.due_at.name: now})).rowcount


def _on(shards: Shards, guild_id: ColumnElement[int]) -> ColumnElement[bool]:
    return (
        guild_id.bitwise_rshift(literal_column(str(SHARD_BITS))).self_group() % shards.count
    ).in_(shards.ids)


async def end_tasks(tasks: Collection[asyncio.Task[None]]) -> None:
    """Wait for tasks when the program ends; those that take longer than `CLOSE_SECONDS` are cancelled."""
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=CLOSE_SECONDS)
        for task in late:
            task.cancel()


class Source(Protocol):
    """What the scheduler serves. `work` moves one row's deadline on, and may be repeated after a crash."""

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]: ...
    def next_due(self, conn: Connection, /) -> datetime | None: ...
    async def work(self, key: int) -> None: ...


class Worker(Generic[Row]):
    """Moves the rows of a queue on. A feature says how a row is loaded, what its step is, and what giving up means.

    `step` takes a row one step further from whatever state it is in, so the same code carries work out, resumes it
    after a crash and takes it over from a dead process. It claims the row before it does what others can see.
    """

    queue: Queue

    def __init__(self, context: Context) -> None:
        self._context = context
        self._database = context.database
        self._now = context.now

    def load(self, conn: Connection, key: int, /) -> Row | None:
        raise NotImplementedError

    async def step(self, row: Row) -> None:
        raise NotImplementedError

    async def give_up(self, key: int, reason: str) -> None:
        """A row has failed for as long as `patience` has: end what it is, so that it blocks nothing."""
        raise NotImplementedError

    async def wake(self, guild_id: int) -> None:
        """A server has taken the bot back, or changed what it may do there: try at once what waits for that."""

    def patience(self, _state: str | None) -> timedelta:
        """How long a row in a state is tried."""
        return PATIENCE

    def due(self, conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        return self.queue.due(conn, now, limit, self._context.shards)

    def next_due(self, conn: Connection, /) -> datetime | None:
        return self.queue.next_due(conn, self._context.shards)

    async def work(self, key: int) -> None:
        """Take a row one step further; whatever goes wrong is counted in it."""
        began = await self._database.read(self.queue.state_of, key)
        try:
            row = await self._database.read(self.load, key)
            if row is not None:
                await self.step(row)
        except Exception as error:
            await self._fail(key, began, error)

    async def _fail(self, key: int, began: str | None, error: Exception) -> None:
        expected = isinstance(error, DeliveryUnknown)
        reason = (
            str(error)
            if expected
            else "Something unexpected went wrong. Whoever runs me can find it in my log."
        )
        name = f"{self.queue.table.name} {key}"
        failure = await self._database.write(
            self.queue.count_failure, key, began=began, now=self._now(), problem=reason
        )
        if failure is None:
            log.warning("%s: %s: after the work was done: %r", name, began, error)
            return
        state, failures = failure
        unexpected = error if failures == 1 and not expected else None
        if waited(failures) < self.patience(state):
            wait = wait_after(failures).total_seconds()
            log.warning(
                "%s: %s failed: %r; again in %.0f s", name, began, error, wait, exc_info=unexpected
            )
            return
        log.error("%s: %s failed %s times, and is given up: %r", name, began, failures, error)
        await self.give_up(key, reason)


@dataclass(frozen=True, slots=True)
class _Found:
    """What a source has: the keys of the rows that are due, and the nearest deadline."""

    due: Sequence[int]
    next_due: datetime | None


Read = Callable[[Callable[[Connection], Any]], Awaitable[Any]]


class Scheduler:
    """`read` is the database's, `now` gives the current UTC instant.

    Call `start` once, `nudge` when a deadline was stored, `close` to end.
    """

    def __init__(
        self, read: Read, now: Callable[[], datetime], at_once: int = MAX_CONCURRENT_JOBS
    ) -> None:
        self._read = read
        self._now = now
        self._at_once = at_once
        self._of_all_sources = at_once + at_once // 2
        self._sources: list[Source] = []
        self._timer: asyncio.TimerHandle | None = None
        self._wakes_at: datetime | None = None
        self._tick: asyncio.Task[None] | None = None
        self._again = False
        self._running: dict[tuple[int, int], asyncio.Task[None]] = {}
        self._closed = True

    def add(self, source: Source) -> None:
        self._sources.append(source)

    def start(self) -> None:
        """Begin to work; call it when messages can be sent."""
        self._closed = False
        self.nudge(self._now())

    def nudge(self, at: datetime) -> None:
        """Say that something is due at `at`; wakes the scheduler earlier if need be."""
        if self._closed:
            return
        if self._tick is not None and not self._tick.done():
            self._again = True
        elif self._wakes_at is None or at < self._wakes_at:
            self._arm(at)

    async def close(self) -> None:
        """Take no new work, and wait for what is under way as `end_tasks` does."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        await end_tasks([*self._running.values(), *([self._tick] if self._tick else [])])

    def _arm(self, at: datetime) -> None:
        if self._timer is not None:
            self._timer.cancel()
        now = self._now()
        delay = min(max(at - now, timedelta(0)), _LONGEST_SLEEP)
        self._wakes_at = now + delay
        self._timer = asyncio.get_running_loop().call_later(delay.total_seconds(), self._wake)

    def _wake(self) -> None:
        self._timer, self._wakes_at = None, None
        if not self._closed and (self._tick is None or self._tick.done()):
            self._tick = asyncio.create_task(self._look())

    async def _look(self) -> None:
        self._again = False
        now = self._now()
        nearest = now + _LONGEST_SLEEP
        for index, found in enumerate(await self._find(now)):
            if (
                len(self._running) >= self._of_all_sources
            ):  # the next piece that is done looks again
                break
            self._begin(index, found.due)
            nearest = min(nearest, found.next_due or nearest)
        if not self._closed:
            self._arm(self._now() if self._again else max(nearest, self._now() + _SHORTEST_SLEEP))

    async def _find(self, now: datetime) -> list[_Found]:
        """Return what each source has, from one read; if that fails, from one each, as one may be at fault alone."""

        def find(conn: Connection) -> list[_Found]:
            return [self._find_in(conn, source, now) for source in self._sources]

        try:
            found: list[_Found] = await self._read(find)
        except Exception as error:
            log.warning("could not look for due work in one read: %r", error)
            found = [await self._find_alone(source, now) for source in self._sources]
        return found

    async def _find_alone(self, source: Source, now: datetime) -> _Found:
        try:
            found: _Found = await self._read(lambda conn: self._find_in(conn, source, now))
        except Exception:
            log.exception("could not look for due work of %s; trying again", type(source).__name__)
            found = _Found((), now + _AFTER_ERROR)
        return found

    def _find_in(self, conn: Connection, source: Source, now: datetime) -> _Found:
        return _Found(source.due(conn, now, self._at_once), source.next_due(conn))

    def _begin(self, index: int, keys: Sequence[int]) -> None:
        """Start the work on rows of a source, as far as there is room for it."""
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
        except Exception:
            log.exception("work on %s %s failed; it is tried again", type(source).__name__, key)
            if not self._closed:  # let it rest: what fails at once must not become a busy loop
                asyncio.get_running_loop().call_later(
                    _AFTER_ERROR.total_seconds(), self._done, index, key
                )
                return
        self._done(index, key)

    def _done(self, index: int, key: int) -> None:
        self._running.pop((index, key), None)
        self.nudge(self._now())
