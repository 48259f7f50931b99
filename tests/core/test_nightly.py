"""Jobs of the night: once a night, by one of several processes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from bot.core.child_process import CallStopped
from bot.core.database import DatabaseClosed
from bot.core.nightly import HOUR, Nightly, do_each
from bot.memory.service import FirstStabilitiesWork
from bot.milestones.service import Milestones
from tests.patience import PATIENCE
from tests.stage import Stage

TODAY = datetime(2027, 1, 4, tzinfo=UTC)
"""A stage begins at noon of this day."""


class Job:
    """Counts its runs, and fails with `error` if there is one."""

    def __init__(self) -> None:
        self.runs = 0
        self.error: Exception | None = None
        self.ran = asyncio.Event()

    async def __call__(self) -> None:
        self.runs += 1
        self.ran.set()
        if self.error is not None:
            raise self.error


async def due(stage: Stage, *nightly: Nightly) -> list[Sequence[int]]:
    return [await stage.database.read(one.due, stage.clock(), 9) for one in nightly]


async def begun(stage: Stage, job: Job, processes: int = 1) -> list[Nightly]:
    """Return one nightly job as several processes have it. Each has started."""
    made = [Nightly(stage.bot.context, "a job", job) for _ in range(processes)]
    for one in made:
        await stage.database.write(one.begin)
    return made


async def test_once_a_night(stage: Stage) -> None:
    """It is due from three o'clock on until it has run, and again the next night."""
    job = Job()
    (nightly,) = await begun(stage, job)
    assert await due(stage, nightly) == [[]]
    for day in (1, 2, 3):
        night = TODAY + timedelta(days=day, hours=HOUR)
        assert await stage.database.read(nightly.next_due) == night
        stage.clock.at = night - timedelta(seconds=1)
        assert await due(stage, nightly) == [[]]
        stage.clock.at = night
        assert await due(stage, nightly) == [[0]]
        await nightly.work(0)
        assert job.runs == day
        assert await due(stage, nightly) == [[]]
        stage.clock.turn(hours=20)
        assert await due(stage, nightly) == [[]]


async def test_not_before_the_first_night(stage: Stage) -> None:
    """A new database waits for its first night; nights that were missed are made up for by one run.

    A start on the way there doesn't begin again.
    """
    job = Job()
    (nightly,) = await begun(stage, job)
    await nightly.work(0)
    assert job.runs == 0
    stage.clock.turn(days=7)
    (again,) = await begun(stage, job)
    assert await due(stage, again) == [[0]]
    unknown = Nightly(stage.bot.context, "not begun", job)
    assert await due(stage, unknown) == [[]]
    await unknown.work(0)
    assert job.runs == 0
    await again.work(0)
    assert (job.runs, await due(stage, again)) == (1, [[]])


async def test_one_of_two_processes(stage: Stage) -> None:
    """Both find it due at the same moment, one runs it."""
    job = Job()
    nightly = await begun(stage, job, processes=2)
    for night in (1, 2):
        stage.clock.turn(days=1)
        assert await due(stage, *nightly) == [[0], [0]]
        await asyncio.gather(*(one.work(0) for one in nightly))
        assert job.runs == night
        assert await due(stage, *nightly) == [[], []]


async def test_a_job_that_fails(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; it waits for the next night, and then runs again."""
    job = Job()
    job.error = ValueError("no such luck")
    (nightly,) = await begun(stage, job)
    scheduler = stage.bot.context.scheduler
    scheduler.add(nightly)
    stage.clock.turn(days=1)
    scheduler.start()
    async with asyncio.timeout(PATIENCE):
        await job.ran.wait()
    await scheduler.close()
    (record,) = [r for r in caplog.records if r.exc_info and r.exc_info[1] is job.error]
    assert record.levelname == "ERROR"
    assert "a job failed; it runs again the next night" in record.getMessage()
    assert await due(stage, nightly) == [[]]
    stage.clock.turn(days=1)
    job.error = None
    await nightly.work(0)
    assert job.runs == 2


@pytest.mark.parametrize(
    "error", [ValueError(), OperationalError("", None, OSError()), DatabaseClosed()], ids=repr
)
async def test_the_others_go_on_unless_the_database_is_away(error: Exception) -> None:
    """A key that fails is left out of the sum; nothing more is tried without a database."""
    tried = []

    async def work(key: int) -> int:
        tried.append(key)
        if key == 2:
            raise error
        return key

    each = do_each("thing", [1, 2, 3], work)
    if not isinstance(error, ValueError):
        with pytest.raises(type(error)):
            await each
        assert tried == [1, 2]
    else:
        assert (await each, tried) == (4, [1, 2, 3])


async def test_a_bot_that_stops_is_no_failure(stage: Stage) -> None:
    """The job ends quietly if the bot stops its process."""
    job = Job()
    job.error = CallStopped("the process has ended without an answer")
    (nightly,) = await begun(stage, job)
    stage.clock.turn(days=1)
    await nightly.work(0)
    assert job.runs == 1


async def test_what_the_bot_does_at_night(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three o'clock first stabilities and milestones are checked, and streaks settled."""
    looked, checked = asyncio.Event(), asyncio.Event()
    run, check = FirstStabilitiesWork.run, Milestones.check_all

    async def note_run(fits: FirstStabilitiesWork) -> int:
        looked.set()
        return await run(fits)

    async def note_check(milestones: Milestones) -> int:
        checked.set()
        return await check(milestones)

    monkeypatch.setattr(FirstStabilitiesWork, "run", note_run)
    monkeypatch.setattr(Milestones, "check_all", note_check)
    stage.bot = stage.process()
    await stage.bot.recover()
    stage.clock.at = TODAY + timedelta(days=1, hours=HOUR)
    assert await due(stage, *stage.bot.nightly) == [[0], [0], [0]]
    stage.bot.start()
    async with asyncio.timeout(PATIENCE):
        await looked.wait()
        await checked.wait()
    await stage.bot.close()
    assert await due(stage, *stage.bot.nightly) == [[], [], []]
