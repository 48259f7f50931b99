"""The rate limit, its order and fairness, and the counter of refusals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.chat.rate_limit import RateLimiter, RefusalCounter
from bot.core import counters
from tests.virtual import seconds_passed, virtual


class Requests:
    """A rate limiter, and the name and time of each request that has passed it."""

    def __init__(self, limit: int) -> None:
        self.limiter = RateLimiter(limit)
        self.passed: list[tuple[str, float]] = []

    @classmethod
    async def idle(cls, limit: int) -> Requests:
        """Return a limiter without requests in its window."""
        made = cls(limit)
        await asyncio.sleep(2)
        return made

    async def send(self, name: str, *, server: int = 1, urgent: bool = False) -> None:
        await self.limiter.wait(server, urgent=urgent)
        self.passed.append((name, seconds_passed()))

    def start(self, *names: str, **options: Any) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.send(name, **options)) for name in names]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.passed]


def numbered(count: int, name: str = "") -> list[str]:
    return [f"{name} {n}".strip() for n in range(count)]


@virtual
async def test_a_burst_passes_and_the_rest_waits_for_the_limit() -> None:
    """The first requests pass at once, and no second ever has more than the limit."""
    requests = await Requests.idle(5)
    waited_before, began = counters.rate_limit_wait.value, seconds_passed()
    await asyncio.gather(*requests.start(*numbered(23)))
    times = [at for _, at in requests.passed]
    waited = counters.rate_limit_wait.value - waited_before
    assert waited == pytest.approx(sum(times) - began * len(times))
    assert times[:5] == [began] * 5
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[5:], strict=False))
    assert times[-1] < began + 4.2
    assert requests.names == numbered(23)


@virtual
async def test_when_a_process_is_busy() -> None:
    """It is while half of the limit was used in the last second, or more."""
    requests = await Requests.idle(5)
    assert not requests.limiter.is_busy()
    await requests.send("one")
    assert not requests.limiter.is_busy()
    await requests.send("two")
    assert requests.limiter.is_busy()
    await asyncio.sleep(1.1)
    assert not requests.limiter.is_busy()
    alone = await Requests.idle(1)
    assert not alone.limiter.is_busy()
    waiting = alone.start(*numbered(3))
    await asyncio.sleep(1.04)  # the second has just passed, and the third waits
    assert alone.limiter.is_busy()
    await asyncio.gather(*waiting)
    await asyncio.sleep(1.1)
    assert not alone.limiter.is_busy()


@virtual
async def test_a_cancelled_request_uses_no_turn() -> None:
    """The next request takes its place."""
    requests = await Requests.idle(1)
    await requests.send("first")
    gone, last = requests.start("gone", "last")
    await asyncio.sleep(0.1)
    gone.cancel()
    await last
    assert requests.names == ["first", "last"]
    assert requests.passed[-1][1] < 3.1


@virtual
async def test_a_new_process_starts_without_a_burst() -> None:
    """A new process assumes that four fifths of the window were used by the previous one."""
    requests = Requests(5)
    await asyncio.gather(*requests.start(*numbered(5)))
    assert [round(at, 1) for _, at in requests.passed] == [0.0, 0.0, 0.3, 0.5, 0.8]


@virtual
async def test_a_busy_server_delays_others_by_one_turn() -> None:
    """A request waits for at most one more request of a server that has fifty in the queue."""
    requests = await Requests.idle(1)
    await requests.send("first")
    busy = requests.start(*["busy"] * 50)
    await asyncio.sleep(10.5)
    quiet = [*requests.start("two", server=2), *requests.start("three", "three", server=3)]
    await asyncio.gather(*busy, *quiet)
    came = requests.names.index("two")
    assert came <= 12
    assert requests.names[came : came + 4] == ["two", "three", "busy", "three"]
    assert requests.names.count("busy") == 50


@virtual
async def test_urgent_requests_take_their_own_turns() -> None:
    """An urgent request of a busy server precedes all that aren't urgent."""
    requests = await Requests.idle(1)
    await requests.send("first")
    slow = requests.start(*numbered(3, "slow"))
    await asyncio.sleep(0)
    one = requests.start("one", "one", urgent=True)
    two = requests.start("two", server=2, urgent=True)
    await asyncio.gather(*slow, *one, *two)
    assert requests.names == ["first", "one", "two", "one", *numbered(3, "slow")]


@virtual
async def test_many_refusals_block_the_servers_that_caused_them() -> None:
    """Above the limit servers with refusals are blocked until their refusals expire."""
    refusals = RefusalCounter(3)
    for server in (1, 2):
        refusals.record(server)
    assert not any(map(refusals.is_blocked, (1, 2, 3)))
    await asyncio.sleep(300)
    refusals.record(1)
    assert list(map(refusals.is_blocked, (1, 2, 3))) == [True, True, False]
    await asyncio.sleep(301)
    assert not any(map(refusals.is_blocked, (1, 2, 3)))
