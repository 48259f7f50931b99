"""Long work waits in queues: servers take turns, and each has a limited place."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

import bot.app
from bot.core import backend, computing
from bot.core.child_process import CallEnded
from bot.core.computing import (
    FILES,
    OURS,
    FairQueue,
    Refused,
    TooMuch,
    compute,
    in_thread,
)
from bot.core.limits import MAX_WAITING, PAUSE_MINUTES
from tests.errors import ANY_ERROR, Unpicklable, Unreadable, refusal_of
from tests.patience import PATIENCE
from tests.virtual import virtual

NAME: ContextVar[str] = ContextVar("name")


async def test_calls_wait_for_each_other() -> None:
    """The second call starts when the first has ended, also if the first caller is cancelled."""
    started = threading.Event()
    released = threading.Event()
    ended: list[str] = []

    def first() -> None:
        started.set()
        released.wait(PATIENCE)
        ended.append("first")

    cancelled = asyncio.create_task(compute(1, first))
    second = asyncio.create_task(compute(1, lambda: ended.append("second")))
    await asyncio.to_thread(started.wait, PATIENCE)
    cancelled.cancel()
    released.set()
    await second
    assert ended == ["first", "second"]


async def test_a_call_has_its_callers_context() -> None:
    """The simulated Discord keeps its clock there."""
    NAME.set("caller's")
    assert await compute(1, NAME.get) == "caller's"


def fail(kind: type[BaseException]) -> None:
    raise kind("no luck")


@pytest.mark.parametrize("kind", ANY_ERROR)
async def test_no_error_hangs_anything(kind: type[BaseException]) -> None:
    """Whatever a function raises in a thread or a process, its caller learns it, and the next works."""
    through_process = refusal_of(kind) if issubclass(kind, Exception) else RuntimeError
    if kind in {Unreadable, Unpicklable}:
        through_process = RuntimeError
    if kind is MemoryError:
        through_process = TooMuch
    async with asyncio.timeout(PATIENCE) as deadline:
        for run in (partial(compute, 1, fail, kind), partial(in_thread, fail, kind)):
            with pytest.raises(refusal_of(kind)):
                await run()
        with pytest.raises(through_process):
            await FILES.run(OURS, fail, kind)
        assert await FILES.run(OURS, len, "four") == await compute(1, len, "four") == 4
        assert not deadline.expired()  # a kind may be the time limit's own cancellation


def settings(queue: FairQueue) -> tuple[str, int, int, str]:
    return queue.what, queue.at_once, queue.most, "processes" if queue._process else "threads"


assert bot.app  # it has loaded whatever makes a queue
LONG_READS = FairQueue("look-ups", each=MAX_WAITING, at_once=backend.LONG_READS)
"""Each database makes its own."""
SHARED = {queue for queue in computing.QUEUES if queue.what != LONG_READS.what}
QUEUES = {
    "{}, {} of {}, in {}".format(*settings(queue)): queue
    for queue in sorted({*SHARED, LONG_READS}, key=settings)
}
"""All queues of the bot."""
assert len(QUEUES) == len(SHARED) + 1  # each has a name of its own
each_queue = pytest.mark.parametrize("what", QUEUES)


class Held(Executor):
    """Stands in for a queue's threads: pieces of work begin, and end when the test says so."""

    def __init__(self) -> None:
        self.begun: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self.begun.append((future, partial(fn, *args, **kwargs)))
        return future

    async def end_first(self) -> None:
        """End the piece that began first, and let the next begin."""
        future, work = self.begun.pop(0)
        try:
            future.set_result(work())
        except Exception as error:
            future.set_exception(error)
        await settle()


async def settle() -> None:
    """Let everything happen that waits for nothing else: only then, virtual time passes."""
    await asyncio.sleep(0.001)


class Line:
    """A queue under test, with the pieces of work in it; each is called by its key and a number."""

    def __init__(self, queue: FairQueue, monkeypatch: pytest.MonkeyPatch) -> None:
        self.queue = queue
        self.held = Held()
        self.served: list[int] = []
        self.too_much: set[int] = set()
        monkeypatch.setattr(queue, "_threads", self.held)
        if queue._process is not None:
            monkeypatch.setattr(queue._process, "call", self._call)

    def _call(self, function: Callable[[int], None], key: int) -> None:
        if key in self.too_much:
            raise CallEnded
        function(key)

    async def add(self, key: int, pieces: int = 1) -> list[asyncio.Task[None]]:
        added = [
            asyncio.create_task(self.queue.run(key, self.served.append, key)) for _ in range(pieces)
        ]
        await settle()
        return added

    async def fill(self, keys: int) -> list[asyncio.Task[None]]:
        """Add as much as is taken of each of so many keys."""
        each = min(self.queue.each, self.queue.most // keys)
        return [task for key in range(1, keys + 1) for task in await self.add(key, each)]

    async def end_all(self) -> None:
        while self.held.begun:
            await self.held.end_first()


def is_refused(task: asyncio.Task[None]) -> bool:
    return task.done() and not task.cancelled() and isinstance(task.exception(), Refused)


@each_queue
@virtual
async def test_nobody_waits_for_all_of_anothers_work(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much of other servers waits, each of them has one piece done before the next server's.

    The first has as many as run at once.
    """
    line = Line(QUEUES[what], monkeypatch)
    await line.fill(5)
    (first,) = await line.add(99)
    while not first.done():
        assert line.held.begun
        await line.held.end_first()
    assert line.served[-1] == 99
    done = Counter(line.served)
    assert done.pop(1) <= line.queue.at_once
    assert max(done.values()) == 1
    await line.end_all()


@each_queue
@virtual
async def test_servers_take_turns(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One piece of each key is done before the second of any; of a key, what came first comes first."""
    queue = QUEUES[what]
    if queue.each < 4 or queue.at_once > 1:
        return
    line = Line(queue, monkeypatch)
    for key, pieces in ((1, 4), (2, 2), (3, 1)):
        await line.add(key, pieces)
    await line.end_all()
    assert line.served == [1, 2, 3, 1, 2, 1, 1]


@each_queue
@virtual
async def test_what_waits_is_bounded(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key has a limit, and all keys together; whoever has least gets the place of whoever has most.

    The bot's own work is always taken.
    """
    line = Line(QUEUES[what], monkeypatch)
    full = line.queue.most // line.queue.each
    first = await line.fill(1)
    (beyond,) = await line.add(1)
    assert str(beyond.exception()).startswith("I'm still busy with other ")
    first += [task for key in range(2, full + 1) for task in await line.add(key, line.queue.each)]
    assert not any(map(is_refused, first))
    late = [*await line.add(0, line.queue.most), *await line.add(9_999)]
    refused = [n for n, task in enumerate(first) if is_refused(task)]
    sentence = f"Too many {line.queue.what} are waiting already. Try again in a minute."
    if line.queue.each > 1:
        assert [str(first[n].exception()) for n in refused] == [sentence]
        assert not any(map(is_refused, late))
    else:  # everybody has one
        assert [is_refused(task) for task in late].count(True) == is_refused(late[-1]) == 1
        assert str(late[-1].exception()) == sentence
    await line.end_all()
    assert all(task.done() for task in (*first, *late))
    assert line.queue._free == line.queue.at_once
    assert not line.queue._pending
    assert not line.queue._waiting


@each_queue
@pytest.mark.parametrize("late", [False, True], ids=["while it waits", "when its turn comes"])
@virtual
async def test_a_cancelled_waiter_frees_its_place(
    what: str, late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next has it, also if its turn had come and it has not run yet."""
    queue = QUEUES[what]
    line = Line(queue, monkeypatch)
    await line.add(OURS, queue.at_once - 1)
    async with queue.turn(OURS):
        (waiter,) = await line.add(1)
        later = await line.add(2)
        if not late:
            waiter.cancel()
    if late:
        waiter.cancel()
    await settle()
    later += await line.add(1)
    await line.end_all()
    assert waiter.cancelled()
    assert line.served[queue.at_once - 1 :] == [2, 1]
    assert [task.exception() for task in later] == [None, None]
    assert not queue._pending


@pytest.mark.parametrize("what", [what for what, each in QUEUES.items() if each._process])
@virtual
async def test_what_took_too_much_pauses_its_own_server(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its other work is refused for some minutes, with a sentence that says so. Nobody else's is,
    and never the bot's own."""
    line = Line(QUEUES[what], monkeypatch)
    line.too_much |= {1, OURS}
    first, waiting = await line.add(1, 2)
    others = await line.add(2, 2)
    ours = await line.add(OURS, 2)
    await line.end_all()
    assert isinstance(first.exception(), TooMuch)
    assert f"again in {PAUSE_MINUTES} minutes" in str(first.exception())
    assert is_refused(waiting)
    assert all(isinstance(task.exception(), TooMuch) for task in ours)
    assert [task.exception() for task in others] == [None, None]
    line.too_much.clear()
    for minutes, words in ((8, "in 2 minutes"), (1.5, "in a minute")):
        await asyncio.sleep(60 * minutes)
        refused, *taken = [*await line.add(1), *await line.add(2), *await line.add(OURS)]
        assert f"took too much time or memory. Try again {words}." in str(refused.exception())
        await line.end_all()
        assert [task.exception() for task in taken] == [None, None]
    await asyncio.sleep(31)
    (again,) = await line.add(1)
    await line.end_all()
    assert again.exception() is None


@pytest.mark.parametrize("what", [what for what, each in QUEUES.items() if each.seconds < 1e9])
@virtual
async def test_much_work_in_a_short_time_pauses_its_server(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So does what takes more together than a server may have; after the pause it may again."""
    line = Line(QUEUES[what], monkeypatch)

    async def work(key: int, seconds: float) -> BaseException | None:
        (task,) = await line.add(key)
        await asyncio.sleep(seconds if line.held.begun else 0)
        await line.end_all()
        return task.exception()

    part = 0.4 * line.queue.seconds
    for key in (1, OURS):
        assert [await work(key, part) for _ in range(3)] == [None] * 3
    assert isinstance(await work(1, 0), Refused)
    assert [await work(key, part) for key in (2, OURS)] == [None] * 2
    await asyncio.sleep(60 * PAUSE_MINUTES)
    assert [await work(key, part) for key in (1, 1, 2)] == [None] * 3
