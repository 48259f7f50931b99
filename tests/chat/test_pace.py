"""Never more than the limit in any second, in order, the urgent first."""

from __future__ import annotations

import asyncio

from bot.chat.pace import Pace
from tests.virtual import seconds_passed, virtual


async def passing(pace: Pace, name: str, passed: list[tuple[str, float]], *, urgent: bool = False) -> None:
    await pace.turn(urgent=urgent)
    passed.append((name, seconds_passed()))


@virtual
async def test_a_burst_passes_and_the_rest_follows_at_the_limit() -> None:
    """As many as the limit pass at once; of all others no second sees more than the limit."""
    pace, passed = Pace(5), list[tuple[str, float]]()
    await asyncio.sleep(2)
    began = seconds_passed()
    await asyncio.gather(*(passing(pace, str(n), passed) for n in range(23)))
    times = [at for _, at in passed]
    assert times[:5] == [began] * 5
    assert all(later - earlier >= 1.0 for earlier, later in zip(times, times[5:], strict=False))
    assert times[-1] < began + 4.1
    assert [name for name, _ in passed] == [str(n) for n in range(23)]


@virtual
async def test_the_urgent_go_first() -> None:
    """A reveal does not queue behind a thousand dailies."""
    pace, passed = Pace(2), list[tuple[str, float]]()
    await asyncio.sleep(2)
    slow = [asyncio.create_task(passing(pace, f"daily {n}", passed)) for n in range(6)]
    await asyncio.sleep(0)
    await passing(pace, "reveal", passed, urgent=True)
    await asyncio.gather(*slow)
    assert [name for name, _ in passed][:4] == ["daily 0", "daily 1", "reveal", "daily 2"]


@virtual
async def test_who_gives_up_takes_no_turn() -> None:
    """A cancelled wait leaves its place to the next."""
    pace, passed = Pace(1), list[tuple[str, float]]()
    await asyncio.sleep(2)
    await passing(pace, "first", passed)
    gone = asyncio.create_task(passing(pace, "gone", passed))
    last = asyncio.create_task(passing(pace, "last", passed))
    await asyncio.sleep(0.1)
    gone.cancel()
    await last
    assert [name for name, _ in passed] == ["first", "last"]
    assert passed[-1][1] < 3.1


@virtual
async def test_slow_requests_never_wait() -> None:
    """Below the limit nobody waits."""
    pace = Pace(50)
    await asyncio.sleep(2)
    for _ in range(200):
        began = seconds_passed()
        await pace.turn(urgent=False)
        assert seconds_passed() == began
        await asyncio.sleep(0.021)


@virtual
async def test_a_new_process_begins_at_full_pace_without_a_burst() -> None:
    """What the process before it sent in the last second is not known, so four fifths of the window count as used."""
    pace, passed = Pace(5), list[tuple[str, float]]()
    await asyncio.gather(*(passing(pace, str(n), passed) for n in range(5)))
    assert [round(at, 1) for _, at in passed] == [0.0, 0.0, 0.3, 0.5, 0.8]
