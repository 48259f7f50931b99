"""The rate limit, its order and fairness, and the counter of refusals."""

from __future__ import annotations

import asyncio

from bot.chat.rate_limit import RateLimiter, RefusalCounter
from tests.virtual import seconds_passed, virtual


async def send_one(
    limiter: RateLimiter,
    name: str,
    passed: list[tuple[str, float]],
    *,
    server: int = 1,
    urgent: bool = False,
) -> None:
    await limiter.wait(server, urgent=urgent)
    passed.append((name, seconds_passed()))


@virtual
async def test_a_burst_passes_and_the_rest_waits_for_the_limit() -> None:
    """The first requests pass at once, and no second ever has more than the limit."""
    limiter, passed = RateLimiter(5), list[tuple[str, float]]()
    await asyncio.sleep(2)
    began = seconds_passed()
    await asyncio.gather(*(send_one(limiter, str(n), passed) for n in range(23)))
    times = [at for _, at in passed]
    assert times[:5] == [began] * 5
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[5:], strict=False))
    assert times[-1] < began + 4.2
    assert [name for name, _ in passed] == [str(n) for n in range(23)]


@virtual
async def test_urgent_requests_go_first() -> None:
    """A reveal doesn't wait behind a thousand dailies."""
    limiter, passed = RateLimiter(2), list[tuple[str, float]]()
    await asyncio.sleep(2)
    slow = [asyncio.create_task(send_one(limiter, f"daily {n}", passed)) for n in range(6)]
    await asyncio.sleep(0)
    await send_one(limiter, "reveal", passed, urgent=True)
    await asyncio.gather(*slow)
    assert [name for name, _ in passed][:4] == ["daily 0", "daily 1", "reveal", "daily 2"]


@virtual
async def test_a_cancelled_request_uses_no_turn() -> None:
    """A cancelled request uses up no turn."""
    limiter, passed = RateLimiter(1), list[tuple[str, float]]()
    await asyncio.sleep(2)
    await send_one(limiter, "first", passed)
    gone = asyncio.create_task(send_one(limiter, "gone", passed))
    last = asyncio.create_task(send_one(limiter, "last", passed))
    await asyncio.sleep(0.1)
    gone.cancel()
    await last
    assert [name for name, _ in passed] == ["first", "last"]
    assert passed[-1][1] < 3.1


@virtual
async def test_requests_below_the_limit_never_wait() -> None:
    """Below the limit nothing waits."""
    limiter = RateLimiter(50)
    await asyncio.sleep(2)
    for _ in range(200):
        began = seconds_passed()
        await limiter.wait(1, urgent=False)
        assert seconds_passed() == began
        await asyncio.sleep(0.021)


@virtual
async def test_a_new_process_starts_without_a_burst() -> None:
    """A new process assumes that four fifths of the window were used by the previous one."""
    limiter, passed = RateLimiter(5), list[tuple[str, float]]()
    await asyncio.gather(*(send_one(limiter, str(n), passed) for n in range(5)))
    assert [round(at, 1) for _, at in passed] == [0.0, 0.0, 0.3, 0.5, 0.8]


@virtual
async def test_a_busy_server_delays_others_by_one_turn() -> None:
    """A request waits for at most one more request of a server that has fifty in the queue."""
    limiter, passed = RateLimiter(1), list[tuple[str, float]]()
    await asyncio.sleep(2)
    await send_one(limiter, "first", passed)
    busy = [asyncio.create_task(send_one(limiter, "busy", passed)) for _ in range(50)]
    await asyncio.sleep(10.5)
    others = [
        asyncio.create_task(send_one(limiter, f"quiet {n}", passed, server=n)) for n in (2, 3, 3)
    ]
    await asyncio.gather(*busy, *others)
    names = [name for name, _ in passed]
    came = names.index("quiet 2")
    assert came <= 12
    assert names[came : came + 4] == ["quiet 2", "quiet 3", "busy", "quiet 3"]
    assert names.count("busy") == 50


@virtual
async def test_urgent_requests_take_their_own_turns() -> None:
    """An urgent request of a busy server precedes all that aren't urgent."""
    limiter, passed = RateLimiter(1), list[tuple[str, float]]()
    await asyncio.sleep(2)
    await send_one(limiter, "first", passed)
    tasks = [asyncio.create_task(send_one(limiter, f"slow {n}", passed)) for n in range(3)]
    await asyncio.sleep(0)
    tasks += [
        asyncio.create_task(send_one(limiter, f"reveal {n}", passed, server=n, urgent=True))
        for n in (1, 1, 2)
    ]
    await asyncio.gather(*tasks)
    names = [name for name, _ in passed]
    assert names == ["first", "reveal 1", "reveal 2", "reveal 1", "slow 0", "slow 1", "slow 2"]


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
