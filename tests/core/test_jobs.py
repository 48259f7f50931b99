"""The scheduler, on virtual time: exact, woken early, and stopped by nothing but `close`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from bot.core.database import Connection
from bot.core.jobs import MAX_CONCURRENT_JOBS, Scheduler
from tests.errors import ANY_ERROR
from tests.fakes import START
from tests.virtual import seconds_passed, virtual, virtual_now


class Table:
    """A source in memory: deadlines in seconds by name. Work removes a deadline after `doing` it."""

    def __init__(
        self, doing: Callable[[str], Awaitable[None]] | None = None, **deadlines: float
    ) -> None:
        self.deadlines = deadlines
        self.keys: list[str] = []
        self.worked: list[tuple[str, float]] = []
        self.doing = doing
        self.reads = 0
        self.broken = False
        self.asked_early = False

    @property
    def names(self) -> list[str]:
        """Names of the deadlines that were worked on."""
        return [name for name, _ in self.worked]

    def due(self, _conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        passed = (now - START).total_seconds()
        self.asked_early |= min(self.deadlines.values(), default=math.inf) > passed
        found = sorted((at, name) for name, at in self.deadlines.items() if at <= passed)
        return [self.key(name) for _, name in found[:limit]]

    def next_due(self, _conn: Connection, /) -> datetime | None:
        self.reads += 1
        if self.broken:
            raise OSError("database is gone")
        return START + timedelta(seconds=min(self.deadlines.values())) if self.deadlines else None

    def key(self, name: str) -> int:
        if name not in self.keys:
            self.keys.append(name)
        return self.keys.index(name)

    async def work(self, key: int) -> None:
        name = self.keys[key]
        self.worked.append((name, round(seconds_passed(), 3)))
        if self.doing is not None:
            await self.doing(name)
        self.deadlines.pop(name, None)


async def read(work: Callable[[Any], Any]) -> Any:
    """Stand in for `Database.read`."""
    return work(None)


@asynccontextmanager
async def running(*sources: Table, read: Any = read, now: Any = virtual_now) -> AsyncIterator[Any]:
    """A scheduler that works on these sources until the end of the block."""
    scheduler = Scheduler(read, now)
    for source in sources:
        scheduler.add(source)
    scheduler.start()
    yield scheduler
    await scheduler.close()


@virtual
async def test_work_is_done_at_its_time() -> None:
    """Each source meets each deadline to the millisecond, once; overdue work is done at once."""
    one, two = Table(a=1.234, b=500), Table(overdue=-1000, c=3, d=3)
    async with running(one, two):
        await asyncio.sleep(1000)
    assert one.worked == [("a", 1.234), ("b", 500.0)]
    assert sorted(two.worked) == [("c", 3.0), ("d", 3.0), ("overdue", 0.0)]
    assert not any(source.asked_early for source in (one, two))


@virtual
async def test_overdue_work_is_measured() -> None:
    """It is as late as the deadline that has waited longest, in any source; future ones aren't."""
    scheduler, conn = Scheduler(read, virtual_now), cast("Connection", None)
    assert scheduler.overdue(conn) == timedelta(0)
    scheduler.add(Table(later=500))
    assert scheduler.overdue(conn) == timedelta(0)
    for source in (Table(), Table(late=-1000), Table(later=3, late=-2)):
        scheduler.add(source)
    assert scheduler.overdue(conn) == timedelta(seconds=1000)


@virtual
async def test_nothing_happens_before_the_start() -> None:
    """No source is read before `start`, not even when the scheduler is nudged."""
    table = Table(a=0)
    scheduler = Scheduler(read, virtual_now)
    scheduler.add(table)
    scheduler.nudge(virtual_now())
    await asyncio.sleep(100)
    assert (table.worked, table.reads) == ([], 0)
    scheduler.start()
    await asyncio.sleep(0.01)
    assert table.worked == [("a", 100.0)]
    await scheduler.close()


@virtual
async def test_a_nudge_wakes_it_earlier() -> None:
    """A new, nearer deadline is met if the scheduler is nudged; otherwise it waits for the next read."""
    table = Table(first=1.5, later=25)
    async with running(table) as scheduler:
        await asyncio.sleep(1)
        scheduler.nudge(START + timedelta(seconds=20))  # must not delay the first one
        await asyncio.sleep(1)
        table.deadlines["nudged"] = 3
        scheduler.nudge(START + timedelta(seconds=3))
        await asyncio.sleep(2)
        assert table.worked == [("first", 1.5), ("nudged", 3.0)]
        table.deadlines["not nudged"] = 5
        await asyncio.sleep(60)
        assert table.worked[2:] == [("not nudged", 25.0), ("later", 25.0)]


@pytest.mark.parametrize("hours", [20, -20])
@virtual
async def test_a_nudge_after_a_jump_of_the_clock(hours: int) -> None:
    """When Discord tells another time, a near deadline by that time is met."""
    jump = timedelta()
    table = Table()
    async with running(table, now=lambda: virtual_now() + jump) as scheduler:
        await asyncio.sleep(1)
        jump = timedelta(hours=hours)
        table.deadlines["near"] = 3600 * hours + 3
        scheduler.nudge(START + timedelta(hours=hours, seconds=3))
        await asyncio.sleep(5)
        assert table.worked == [("near", 3.0)]


@virtual
async def test_a_nudge_during_a_read_is_not_lost() -> None:
    """A deadline that is stored while the scheduler reads is seen right after that."""
    table = Table(later=20)

    async def read_slowly(work: Callable[[Any], Any]) -> Any:
        found = work(None)
        if table.reads == 1:
            await asyncio.sleep(0.5)
            table.deadlines["new"] = 0.25
            scheduler.nudge(START + timedelta(seconds=0.25))
        return found

    async with running(table, read=read_slowly) as scheduler:
        await asyncio.sleep(1)
        assert table.worked == [("new", 0.5)]


@virtual
async def test_slow_and_failing_work_delays_no_other() -> None:
    """While one job hangs and another fails, those of all sources are done in time."""

    async def misbehave(name: str) -> None:
        if name == "slow":
            await asyncio.sleep(300)
        if name == "bad" and seconds_passed() < 10:
            await asyncio.sleep(0.2)
            raise LookupError(name)

    one, two = Table(misbehave, slow=1, bad=1, a=1, b=100), Table(c=2)
    async with running(one, two):
        await asyncio.sleep(400)
    assert [job for job in one.worked if job[0] in "ab"] == [("a", 1.0), ("b", 100.0)]
    assert two.worked == [("c", 2.0)]
    assert one.names.count("slow") == 1
    assert one.names.count("bad") > 1
    assert one.deadlines == {}


@pytest.mark.parametrize(
    "kind",
    [kind for kind in ANY_ERROR if issubclass(kind, Exception | asyncio.CancelledError)],
)
@virtual
async def test_failing_work_is_retried_with_pauses(kind: type[BaseException]) -> None:
    """Work that raises, whatever it raises, is neither forgotten nor a busy loop."""

    async def fail(name: str) -> None:
        if seconds_passed() < 10:
            raise kind(name)

    table = Table(fail, bad=0)
    async with running(table):
        await asyncio.sleep(15)
    assert 3 <= len(table.worked) <= 50
    assert table.deadlines == {}


@pytest.mark.parametrize("order", [1, -1])
@virtual
async def test_a_source_that_cannot_be_read(order: int) -> None:
    """It is read again every few seconds, and the other sources' work is done."""
    broken, fine = Table(a=5), Table(b=5)
    broken.broken = True
    async with running(*[broken, fine][::order]):
        await asyncio.sleep(60)
        assert (broken.names, fine.names) == ([], ["b"])
        assert 10 < broken.reads <= 100
        broken.broken = False
        await asyncio.sleep(3)
        assert broken.names == ["a"]


@virtual
async def test_all_sources_are_read_at_once() -> None:
    """All sources are asked in one read, and each in a read of its own only if that fails."""
    reads: list[None] = []

    async def count(work: Callable[[Any], Any]) -> Any:
        reads.append(None)
        return work(None)

    sources = [Table(), Table(), Table(a=5)]
    async with running(*sources, read=count) as scheduler:
        await asyncio.sleep(1)
        assert ([source.reads for source in sources], len(reads)) == ([1, 1, 1], 1)
        sources[1].broken = True
        scheduler.nudge(virtual_now())
        await asyncio.sleep(1)
        assert len(reads) == 1 + 1 + 3


@virtual
async def test_an_idle_scheduler_sleeps() -> None:
    """With nothing to do it reads now and then, because the wall clock may jump."""
    table = Table()
    async with running(table):
        await asyncio.sleep(3600)
    assert 60 <= table.reads <= 130


@virtual
async def test_close_waits_for_running_jobs() -> None:
    """Close starts no new job and returns when the running ones have ended."""
    ended: list[str] = []

    async def end(name: str) -> None:
        await asyncio.sleep(2)
        ended.append(name)

    table = Table(end, a=1, b=2)
    async with running(table) as scheduler:
        await asyncio.sleep(1.5)
    assert (ended, seconds_passed()) == (["a"], 3.0)
    scheduler.nudge(virtual_now())
    await asyncio.sleep(60)
    assert table.names == ["a"]


@virtual
async def test_close_gives_up_in_time() -> None:
    """A job that does not end within seconds is cancelled, so that the process can end in five."""
    cancelled: list[str] = []

    async def hang(name: str) -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    async with running(Table(hang, a=0)):
        await asyncio.sleep(1)
    assert 2 <= seconds_passed() - 1 < 5
    await asyncio.sleep(0)
    assert cancelled == ["a"]


@virtual
async def test_the_wall_clock_jumps_ahead() -> None:
    """When the host sleeps or its clock is set ahead, due work is done within the longest sleep."""
    jump = timedelta(0)
    table = Table(a=3600)
    async with running(table, now=lambda: virtual_now() + jump):
        await asyncio.sleep(10)
        jump = timedelta(hours=1)
        await asyncio.sleep(31)
        assert table.names == ["a"]


@virtual
async def test_a_burst_is_worked_off_in_order_with_bounded_concurrency() -> None:
    """Of thousands due at once only so many run at a time, longest waiting first, and all are done."""
    under_way = [0]

    async def count(_name: str) -> None:
        under_way.append(under_way[-1] + 1)
        await asyncio.sleep(0.5)
        under_way.append(under_way[-1] - 1)

    table = Table(count, **{f"{n:04}": -5 + n / 10_000 for n in range(3000)})
    async with running(table):
        await asyncio.sleep(60)
    assert table.names == sorted(table.names)
    assert len(table.names) == 3000
    assert max(under_way) == MAX_CONCURRENT_JOBS


@virtual
async def test_stuck_jobs_do_not_stop_the_rest() -> None:
    """Jobs that hang occupy only their own share of the concurrent jobs."""

    async def hang(name: str) -> None:
        if name.startswith("stuck"):
            table.deadlines[name] = 1e9  # claimed
            await asyncio.sleep(1000)

    stuck = {f"stuck {n}": -10.0 for n in range(MAX_CONCURRENT_JOBS - 1)}
    table = Table(hang, **stuck, **{f"fine {n}": -1 for n in range(50)})
    async with running(table):
        await asyncio.sleep(20)
        assert len([name for name in table.names if name.startswith("fine")]) == 50


@virtual
async def test_a_burst_of_one_source_leaves_room_for_others() -> None:
    """Thousands of schedules that come due in one minute do not delay the posts that they make."""
    burst = Table(
        lambda _name: asyncio.sleep(0.5), **{f"{n:04}": -5 + n / 10_000 for n in range(2000)}
    )
    other = Table()
    async with running(burst, other) as scheduler:
        await asyncio.sleep(1)
        other.deadlines["post"] = 0
        scheduler.nudge(virtual_now())
        await asyncio.sleep(1)
        assert other.names == ["post"]
        assert len(burst.worked) < 1000
