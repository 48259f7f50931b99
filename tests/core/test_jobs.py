"""The one timer: exact, woken early, and ended by nothing but its close. On virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.core.database import Connection
from bot.core.jobs import MAX_CONCURRENT_JOBS, Scheduler
from tests.fakes import START
from tests.virtual import seconds_passed, virtual, virtual_now


class Table:
    """A source in memory: deadlines in seconds by name. Work takes a deadline away after `doing` it."""

    def __init__(self, **deadlines: float) -> None:
        self.deadlines = deadlines
        self.names: list[str] = []
        self.worked: list[tuple[str, float]] = []
        self.doing: Callable[[str], Awaitable[None]] | None = None
        self.looks = 0
        self.broken = False

    def due(self, _conn: Connection, now: datetime, limit: int, /) -> Sequence[int]:
        self.looks += 1
        if self.broken:
            raise OSError("database is gone")
        passed = (now - START).total_seconds()
        found = sorted((at, name) for name, at in self.deadlines.items() if at <= passed)
        return [self.number(name) for _, name in found[:limit]]

    def next_due(self, _conn: Connection, /) -> datetime | None:
        return START + timedelta(seconds=min(self.deadlines.values())) if self.deadlines else None

    def number(self, name: str) -> int:
        """The key of a deadline."""
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)

    async def work(self, key: int) -> None:
        name = self.names[key]
        self.worked.append((name, round(seconds_passed(), 3)))
        if self.doing is not None:
            await self.doing(name)
        self.deadlines.pop(name, None)


async def read(work: Callable[[Any], Any]) -> Any:
    """As the database does, for sources in memory."""
    return work(None)


def started(*sources: Table) -> Scheduler:
    scheduler = Scheduler(read, virtual_now)
    for source in sources:
        scheduler.add(source)
    scheduler.start()
    return scheduler


@virtual
async def test_work_is_done_at_its_time() -> None:
    """Each deadline of each source is met to the millisecond, also more than one sleep away, and done once."""
    one, two = Table(a=1.234, b=500), Table(c=3, d=3)
    scheduler = started(one, two)
    await asyncio.sleep(1000)
    await scheduler.close()
    assert one.worked == [("a", 1.234), ("b", 500.0)]
    assert sorted(two.worked) == [("c", 3.0), ("d", 3.0)]


@virtual
async def test_what_is_overdue_at_the_start_is_done_at_once() -> None:
    """A new process takes up at once what fell due before it."""
    table = Table(a=-1000)
    scheduler = started(table)
    await asyncio.sleep(0.01)
    assert table.worked == [("a", 0.0)]
    await scheduler.close()


@virtual
async def test_nothing_happens_before_the_start() -> None:
    """Until messages can be sent, nothing is done, also when nudged."""
    table = Table(a=0)
    scheduler = Scheduler(read, virtual_now)
    scheduler.add(table)
    scheduler.nudge(virtual_now())
    await asyncio.sleep(100)
    assert (table.worked, table.looks) == ([], 0)
    scheduler.start()
    await asyncio.sleep(0.01)
    assert table.worked == [("a", 100.0)]
    await scheduler.close()


@virtual
async def test_a_nudge_wakes_it_earlier() -> None:
    """A nearer deadline that is stored and told is met in time; without being told it waits for the next look."""
    table = Table(later=25)
    scheduler = started(table)
    await asyncio.sleep(1)
    table.deadlines["told"] = 2
    scheduler.nudge(START + timedelta(seconds=2))
    await asyncio.sleep(2)
    assert table.worked == [("told", 2.0)]
    table.deadlines["not told"] = 4
    await asyncio.sleep(60)
    assert table.worked[1] == ("not told", 25.0)
    await scheduler.close()


@virtual
async def test_a_nudge_for_later_changes_nothing() -> None:
    """A deadline after the next wake-up does not delay it."""
    table = Table(a=5)
    scheduler = started(table)
    await asyncio.sleep(1)
    scheduler.nudge(START + timedelta(seconds=20))
    await asyncio.sleep(10)
    assert table.worked == [("a", 5.0)]
    await scheduler.close()


@virtual
async def test_a_nudge_during_a_look_is_not_lost() -> None:
    """What is stored while the scheduler looks is seen at once afterwards."""
    table = Table(later=20)

    async def read_slowly(work: Callable[[Any], Any]) -> Any:
        found = work(None)
        if "new" not in table.deadlines and not table.worked:
            await asyncio.sleep(0.5)
            table.deadlines["new"] = 0.25
            scheduler.nudge(START + timedelta(seconds=0.25))
        return found

    scheduler = Scheduler(read_slowly, virtual_now)
    scheduler.add(table)
    scheduler.start()
    await asyncio.sleep(1)
    assert [(name, at) for name, at in table.worked if name == "new"] == [("new", 0.5)]
    await scheduler.close()


@virtual
async def test_a_slow_item_delays_no_other() -> None:
    """While one piece of work hangs for minutes, those of its own and of other sources are done in time."""

    async def hang(name: str) -> None:
        if name == "slow":
            await asyncio.sleep(300)

    one, two = Table(slow=1, a=1, b=100), Table(c=2)
    one.doing = hang
    scheduler = started(one, two)
    await asyncio.sleep(200)
    assert [w for w in one.worked if w[0] != "slow"] == [("a", 1.0), ("b", 100.0)]
    assert two.worked == [("c", 2.0)]
    assert [name for name, _ in one.worked].count("slow") == 1
    await asyncio.sleep(200)
    await scheduler.close()


@virtual
async def test_a_failing_item_delays_no_other() -> None:
    """Work that raises is tried again, and meanwhile the others are done in time."""

    async def fail(name: str) -> None:
        if name == "bad" and seconds_passed() < 10:
            await asyncio.sleep(0.2)
            raise LookupError(name)

    one, two = Table(bad=1, a=1, b=5), Table(c=2)
    one.doing = fail
    scheduler = started(one, two)
    await asyncio.sleep(60)
    await scheduler.close()
    assert [w for w in one.worked if w[0] != "bad"] == [("a", 1.0), ("b", 5.0)]
    assert two.worked == [("c", 2.0)]
    assert one.deadlines == {}


@virtual
async def test_a_failing_item_is_not_tried_without_a_pause() -> None:
    """Work that raises at once, whatever is done, does not become a busy loop: at most a few tries a second."""

    async def fail(name: str) -> None:
        raise LookupError(name)

    table = Table(bad=0)
    table.doing = fail
    scheduler = started(table)
    await asyncio.sleep(10)
    await scheduler.close()
    assert 2 <= len(table.worked) <= 50


@virtual
async def test_an_exception_in_a_source_is_survived() -> None:
    """When looking fails, it is logged and tried again seconds later, and all work is done."""
    table = Table(a=5)
    scheduler = started(table)
    await asyncio.sleep(1)
    table.broken = True
    await asyncio.sleep(60)
    assert table.worked == []
    assert 10 < table.looks < 60
    table.broken = False
    await asyncio.sleep(3)
    assert [name for name, _ in table.worked] == ["a"]
    await scheduler.close()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@virtual
async def test_a_broken_source_does_not_stop_the_others(order: tuple[int, int]) -> None:
    """While one source can't be looked at, the work of the others is done, in whatever order they were added."""
    broken, fine = Table(), Table(a=5)
    broken.broken = True
    scheduler = started(*((broken, fine)[index] for index in order))
    await asyncio.sleep(30)
    await scheduler.close()
    assert [name for name, _ in fine.worked] == ["a"]


@virtual
async def test_work_is_never_done_twice_at_the_same_time() -> None:
    """However often it is nudged, a piece of work that is under way is not started again."""
    running: list[str] = []

    async def check(name: str) -> None:
        assert name not in running
        running.append(name)
        await asyncio.sleep(20)
        running.remove(name)

    table = Table(a=0)
    table.doing = check
    scheduler = started(table)
    for _ in range(50):
        await asyncio.sleep(0.1)
        scheduler.nudge(virtual_now())
    assert running == ["a"]
    await asyncio.sleep(30)
    assert [name for name, _ in table.worked] == ["a"]
    await scheduler.close()


@virtual
async def test_more_is_due_than_one_look_takes() -> None:
    """A thousand deadlines at the same moment are all met within a second."""
    table = Table(**{f"n{n}": 5 for n in range(1000)})
    scheduler = started(table)
    await asyncio.sleep(6)
    assert len({name for name, _ in table.worked}) == len(table.worked) == 1000
    await scheduler.close()


@virtual
async def test_a_look_is_one_read() -> None:
    """However many sources there are, all are asked in one read, and each on its own only if that fails."""
    reads: list[None] = []

    async def count(work: Callable[[Any], Any]) -> Any:
        reads.append(None)
        return work(None)

    sources = [Table(), Table(), Table(a=5)]
    scheduler = Scheduler(count, virtual_now)
    for source in sources:
        scheduler.add(source)
    scheduler.start()
    await asyncio.sleep(1)
    assert ([source.looks for source in sources], len(reads)) == ([1, 1, 1], 1)
    sources[1].broken = True
    scheduler.nudge(virtual_now())
    await asyncio.sleep(1)
    assert len(reads) == 1 + 1 + 3
    await scheduler.close()


@virtual
async def test_an_idle_scheduler_sleeps() -> None:
    """With nothing to do it looks now and then, as the clock may jump, and not all the time."""
    table = Table()
    scheduler = started(table)
    await asyncio.sleep(3600)
    assert 60 <= table.looks <= 130
    await scheduler.close()


@virtual
async def test_close_waits_for_what_is_under_way() -> None:
    """Close takes no new work and returns when the work under way has ended."""
    ended: list[str] = []

    async def take_time(name: str) -> None:
        await asyncio.sleep(2)
        ended.append(name)

    table = Table(a=1, b=2)
    table.doing = take_time
    scheduler = started(table)
    await asyncio.sleep(1.5)
    await scheduler.close()
    assert (ended, seconds_passed()) == (["a"], 3.0)
    await asyncio.sleep(60)
    scheduler.nudge(virtual_now())
    await asyncio.sleep(60)
    assert [name for name, _ in table.worked] == ["a"]


@virtual
async def test_close_gives_up_in_time() -> None:
    """Work that does not end is given two seconds and cancelled, so that the process ends within its five."""
    cancelled: list[str] = []

    async def hang(name: str) -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            cancelled.append(name)
            raise

    table = Table(a=0)
    table.doing = hang
    scheduler = started(table)
    await asyncio.sleep(1)
    await scheduler.close()
    assert 2 <= seconds_passed() - 1 < 5
    await asyncio.sleep(0)
    assert cancelled == ["a"]


@virtual
async def test_close_without_start_and_twice() -> None:
    """Closing what never began, or is closed, does nothing."""
    scheduler = Scheduler(read, virtual_now)
    await scheduler.close()
    await scheduler.close()
    assert seconds_passed() == 0


@virtual
async def test_the_wall_clock_jumps_ahead() -> None:
    """When the host sleeps or its clock is set ahead, what became due is done within the longest sleep."""
    jump = timedelta(0)
    table = Table(a=3600)
    scheduler = Scheduler(read, lambda: virtual_now() + jump)
    scheduler.add(table)
    scheduler.start()
    await asyncio.sleep(10)
    jump = timedelta(hours=1)
    await asyncio.sleep(31)
    assert [name for name, _ in table.worked] == ["a"]
    await scheduler.close()


@virtual
async def test_a_burst_is_drained_in_order_by_a_bounded_crowd() -> None:
    """Of thousands due at once only so many are under way at a time, longest waiting first, and none is left out."""
    table = Table(**{f"{n:04}": -5 + n / 10_000 for n in range(3000)})
    under_way, most = 0, 0

    async def slowly(_name: str) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.5)
        under_way -= 1

    table.doing = slowly
    scheduler = started(table)
    await asyncio.sleep(60)
    await scheduler.close()
    assert [name for name, _ in table.worked] == sorted(name for name, _ in table.worked)
    assert len(table.worked) == 3000
    assert most == MAX_CONCURRENT_JOBS


@virtual
async def test_stuck_work_does_not_stop_the_rest() -> None:
    """Servers that hang keep only their own places of the crowd."""
    table = Table(
        **{f"stuck {n}": -10 for n in range(MAX_CONCURRENT_JOBS - 1)},
        **{f"fine {n}": -1 for n in range(50)},
    )

    async def hang(name: str) -> None:
        if name.startswith("stuck"):
            table.deadlines[name] = 1e9  # claimed
            await asyncio.sleep(1000)

    table.doing = hang
    scheduler = started(table)
    await asyncio.sleep(20)
    assert len([name for name, _ in table.worked if name.startswith("fine")]) == 50
    await scheduler.close()


@virtual
async def test_a_crowd_of_one_source_leaves_room_for_others() -> None:
    """Thousands of schedules that come due in one minute do not keep the posts that they make waiting."""
    crowd, other = Table(**{f"{n:04}": -5 + n / 10_000 for n in range(2000)}), Table()

    async def slowly(_name: str) -> None:
        await asyncio.sleep(0.5)

    crowd.doing = slowly
    scheduler = started(crowd, other)
    await asyncio.sleep(1)
    other.deadlines["post"] = 0
    scheduler.nudge(virtual_now())
    await asyncio.sleep(1)
    assert [name for name, _ in other.worked] == ["post"]
    assert len(crowd.worked) < 1000
    await scheduler.close()
