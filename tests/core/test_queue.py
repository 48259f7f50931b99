"""The queue: rows come due, one process claims them, failures back off, and rows are given up."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, select, update
from sqlalchemy.exc import OperationalError

from bot import logs
from bot.core import counters
from bot.core.context import Context
from bot.core.database import Connection, Database
from bot.core.errors import DeliveryUnknown
from bot.core.jobs import (
    LEASE,
    PATIENCE,
    Queue,
    Scheduler,
    Worker,
    backoff,
    queue_columns,
    total_backoff,
)
from bot.core.snowflakes import TAKE_OVER, Shards
from tests.fakes import START, Clock

METADATA = MetaData()
THINGS = Table(
    "queue_test_things",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("guild_id", BigInteger, nullable=False),
    Column("state", String(10), nullable=False),
    *queue_columns(),
    Column("problem", Text),
)
QUEUE = Queue(THINGS, state=THINGS.c.state, problem=THINGS.c.problem)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Thing:
    id: int
    guild_id: int
    state: str
    due_at: datetime | None
    lease_until: datetime | None
    failures: int
    problem: str | None


@pytest.fixture
async def things(database: Database) -> AsyncIterator[Database]:
    await database.write(METADATA.create_all)
    yield database
    await database.write(METADATA.drop_all)


async def put(database: Database, key: int = 1, **values: Any) -> None:
    row = {"id": key, "guild_id": 1, "state": "new", "due_at": START, **values}
    await database.write(lambda conn: conn.execute(THINGS.insert().values(**row)).rowcount)


def get(conn: Connection, key: int) -> Thing | None:
    row = conn.execute(select(THINGS).where(THINGS.c.id == key)).first()
    return Thing(**row._mapping) if row else None


async def read_thing(database: Database) -> Thing:
    found = await database.read(get, 1)
    assert found is not None
    return found


class Work(Worker[Thing]):
    """Claims a thing, then raises `error` if a test has set one; records what was given up."""

    queue = QUEUE

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.error: Exception | None = None
        self.before_claim = False
        self.failing_ends = 0
        """How often the row's end can't be stored."""
        self.given_up: list[tuple[int, str]] = []

    def load(self, conn: Connection, key: int, /) -> Thing | None:
        return get(conn, key)

    async def step(self, row: Thing) -> None:
        if self.before_claim and self.error is not None:
            raise self.error
        if not await self._database.write(
            self.queue.claim, row.id, expect=row.state, now=self._now(), state="working"
        ):
            return
        if self.error is not None:
            raise self.error
        await self._database.write(
            QUEUE.change, row.id, expect="working", state="done", due_at=None
        )

    async def give_up(self, key: int, reason: str) -> None:
        if self.failing_ends:
            self.failing_ends -= 1
            raise self.error or AssertionError
        self.given_up.append((key, reason))
        await self._database.write(QUEUE.change, key, expect="working", state="done", due_at=None)


def work_on(database: Database, clock: Clock) -> Work:
    nothing: Any = None
    context = Context(
        database=database,
        banks=nothing,
        clock=clock.estimate(),
        rng=nothing,
        scheduler=Scheduler(database.read, clock),
        sender=nothing,
        in_play=nothing,
        pictures=nothing,
    )
    return Work(context)


async def run(work: Work, clock: Clock, **by: float) -> int:
    """Let time pass, work at every deadline, and return the number of attempts."""
    end, attempts, read = clock() + timedelta(**by), 0, work._database.read
    while (at := await read(work.next_due)) is not None and at <= end:
        clock.at = max(clock.at, at)
        for key in await read(work.due, clock(), 100):
            attempts += 1
            await work.work(key)
    clock.at = end
    return attempts


async def test_a_due_row_is_claimed_by_one(things: Database) -> None:
    """One of two claims wins, for the length of a lease; a row that is not due can't be claimed."""
    await put(things)
    await put(things, 2, due_at=START + SECOND)
    claims = [
        await things.write(QUEUE.claim, 1, expect="new", now=START, state="working")
        for _ in range(2)
    ]
    assert claims == [True, False]
    assert not await things.write(
        QUEUE.claim, 1, expect="working", now=START + LEASE - SECOND, state="working"
    )
    assert await things.write(QUEUE.claim, 1, expect="working", now=START + LEASE, state="working")
    assert not await things.write(QUEUE.claim, 2, expect="new", now=START, state="working")


async def test_due_rows_come_longest_waiting_first(things: Database) -> None:
    """Due rows are returned in the order of their deadlines, up to a limit."""
    for key, at in ((1, 3), (2, 1), (3, 2), (4, 99)):
        await put(things, key, due_at=START + at * SECOND)
    await put(things, 5, due_at=None)
    assert await things.read(QUEUE.due, START + 5 * SECOND, 2) == [2, 3]
    assert await things.read(QUEUE.due, START + 5 * SECOND, 9) == [2, 3, 1]
    assert await things.read(QUEUE.next_due) == START + SECOND


async def test_processes_take_the_rows_of_their_servers_first(things: Database) -> None:
    """A row of another process's server is due after a wait, or when its claim has expired."""
    mine, theirs = Shards(2, (0,)), 1 << 22
    assert await things.read(QUEUE.next_due, mine) is None
    await put(things, 1, guild_id=theirs)
    assert await things.read(QUEUE.next_due) == START
    assert await things.read(QUEUE.next_due, mine) == START + TAKE_OVER
    await put(things, 2, guild_id=theirs, lease_until=START)
    await put(things, 3, guild_id=0)
    assert set(await things.read(QUEUE.due, START, 9, mine)) == {2, 3}
    assert await things.read(QUEUE.due, START - SECOND, 9, mine) == []
    assert set(await things.read(QUEUE.due, START + TAKE_OVER, 9, mine)) == {1, 2, 3}
    assert await things.read(QUEUE.next_due, mine) == START


async def test_at_a_start_leased_rows_are_due_at_once(things: Database) -> None:
    """A dead process's rows need not wait for the end of their leases."""
    await put(things, 1)
    await put(things, 2, due_at=START + LEASE)
    await things.write(QUEUE.claim, 1, expect="new", now=START)
    assert await things.read(QUEUE.due, START, 9) == []
    assert await things.write(QUEUE.end_leases, START) == 1
    assert await things.read(QUEUE.due, START, 9) == [1]
    assert await things.write(QUEUE.end_leases, START) == 0


@pytest.mark.parametrize("error", [ValueError("a bug"), OperationalError("x", None, OSError())])
async def test_a_failing_row_waits_longer_each_time_and_is_given_up(
    things: Database, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    """A step that always raises is retried with backoff until its patience ends, and logged each time.

    The last line is written even if the database is away.
    """
    caplog.set_level(logging.WARNING, "bot.core.jobs")
    clock = Clock()
    work = work_on(things, clock)
    work.error = error
    await put(things)
    attempts = await run(work, clock, minutes=14)
    assert work.given_up == []
    assert (await read_thing(things)).failures == attempts
    attempts += await run(work, clock, minutes=2)
    assert [key for key, _ in work.given_up] == [1]
    assert (await read_thing(things)).state == "done"
    assert 30 <= attempts <= 40
    assert len(caplog.records) == attempts
    assert len([record for record in caplog.records if record.exc_info]) == 1
    assert "is given up" in caplog.messages[-1]
    assert not logs.is_told_by_the_database(caplog.records[-1])
    assert await run(work, clock, hours=1) == 0


async def test_a_row_is_given_up_once(things: Database) -> None:
    """It is counted when its end is stored, however often that failed before."""
    clock, before = Clock(), counters.given_up.value
    work = work_on(things, clock)
    work.error, work.failing_ends = ValueError("a bug"), 2
    await put(things)
    while not work.given_up:
        with suppress(ValueError):
            await run(work, clock, minutes=1)
    assert work.failing_ends == 0
    assert counters.given_up.value == before + 1


async def test_a_row_that_fails_before_its_claim_is_counted_too(things: Database) -> None:
    """A step that raises before its claim backs off too, and does not block the queue."""
    clock = Clock()
    work = work_on(things, clock)
    work.error, work.before_claim = LookupError("a bug"), True
    await put(things)
    await work.work(1)
    found = await read_thing(things)
    assert (found.failures, found.due_at, found.lease_until) == (1, START + backoff(1), None)


async def test_success_resets_failures(things: Database) -> None:
    """A step that succeeds resets the count of failures."""
    clock = Clock()
    work = work_on(things, clock)
    work.error = DeliveryUnknown("Discord answered 503")
    await put(things)
    await run(work, clock, seconds=10)
    assert (await read_thing(things)).failures == 3
    assert (await read_thing(things)).problem == "Discord answered 503"
    work.error = None
    await run(work, clock, minutes=1)
    found = await read_thing(things)
    assert (found.state, found.lease_until, found.failures) == ("done", None, 0)
    assert work.given_up == []


async def test_a_failure_after_the_work_changes_nothing(things: Database) -> None:
    """If a step moved the row on before it raised, the next deadline stays."""
    clock = Clock()
    work = work_on(things, clock)
    await put(things)
    later = START + 20 * SECOND

    async def move_on_and_fail(row: Thing) -> None:
        await things.write(QUEUE.change, row.id, expect="new", state="waiting", due_at=later)
        raise ValueError("too late to matter")

    work.step = move_on_and_fail  # type: ignore[method-assign]
    await work.work(1)
    found = await read_thing(things)
    assert (found.state, found.due_at, found.failures) == ("waiting", later, 0)


async def test_a_late_failure_leaves_the_lease_of_another(things: Database) -> None:
    """A step that fails after another process took its row over doesn't make the row due again."""
    await put(things)
    taken_over = START + LEASE + SECOND
    for at in (START, taken_over):
        assert await things.write(QUEUE.claim, 1, expect="new", now=at)
    late: Any = {"began": START, "now": taken_over + SECOND, "problem": "timeout"}
    assert await things.write(QUEUE.count_failure, 1, **late) is None
    assert (await read_thing(things)).lease_until == taken_over + LEASE


async def test_a_claim_needs_the_expected_state(things: Database) -> None:
    """A row whose state changed since it was read is not claimed, and not changed."""
    await put(things)
    await things.write(lambda conn: conn.execute(update(THINGS).values(state="other")).rowcount)
    assert not await things.write(QUEUE.claim, 1, expect="new", now=START, state="working")
    assert not await things.write(QUEUE.change, 1, expect="new", state="working")


def test_backoff_grows_to_the_length_of_a_lease() -> None:
    """The pauses are 2, 4, 8, 16, 30, 30 ... seconds, about forty attempts in 15 minutes."""
    assert [backoff(n).total_seconds() for n in range(1, 8)] == [2, 4, 8, 16, 30, 30, 30]
    assert total_backoff(34) <= PATIENCE < total_backoff(35)
