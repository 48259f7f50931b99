"""Never more than the limit in any second, the urgent first, servers in turns; and refusals are not sought."""

from __future__ import annotations

import asyncio

from bot.chat.pace import Pace, Refusals
from tests.virtual import seconds_passed, virtual


async def passing(
    pace: Pace, name: str, passed: list[tuple[str, float]], *, server: int = 1, urgent: bool = False
) -> None:
    await pace.turn(server, urgent=urgent)
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
    assert times[-1] < began + 4.2
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
        await pace.turn(1, urgent=False)
        assert seconds_passed() == began
        await asyncio.sleep(0.021)


@virtual
async def test_a_new_process_begins_at_full_pace_without_a_burst() -> None:
    """What the process before it sent in the last second is not known, so four fifths of the window count as used."""
    pace, passed = Pace(5), list[tuple[str, float]]()
    await asyncio.gather(*(passing(pace, str(n), passed) for n in range(5)))
    assert [round(at, 1) for _, at in passed] == [0.0, 0.0, 0.3, 0.5, 0.8]


@virtual
async def test_a_busy_server_delays_others_by_one_turn() -> None:
    """Of fifty requests of one server only one more goes before that of any other, however late the other comes."""
    pace, passed = Pace(1), list[tuple[str, float]]()
    await asyncio.sleep(2)
    await passing(pace, "first", passed)
    busy = [asyncio.create_task(passing(pace, "busy", passed)) for _ in range(50)]
    await asyncio.sleep(10.5)
    others = [asyncio.create_task(passing(pace, f"quiet {n}", passed, server=n)) for n in (2, 3, 3)]
    await asyncio.gather(*busy, *others)
    names = [name for name, _ in passed]
    came = names.index("quiet 2")
    assert came <= 12
    assert names[came : came + 4] == ["quiet 2", "quiet 3", "busy", "quiet 3"]
    assert names.count("busy") == 50


@virtual
async def test_turns_of_the_urgent_are_their_own() -> None:
    """A server that has posted much has its urgent request in front of all that can wait, and behind nobody's."""
    pace, passed = Pace(1), list[tuple[str, float]]()
    await asyncio.sleep(2)
    await passing(pace, "first", passed)
    tasks = [asyncio.create_task(passing(pace, f"slow {n}", passed)) for n in range(3)]
    await asyncio.sleep(0)
    tasks += [
        asyncio.create_task(passing(pace, f"reveal {n}", passed, server=n, urgent=True))
        for n in (1, 1, 2)
    ]
    await asyncio.gather(*tasks)
    names = [name for name, _ in passed]
    assert names == ["first", "reveal 1", "reveal 2", "reveal 1", "slow 0", "slow 1", "slow 2"]


@virtual
async def test_many_refusals_close_the_servers_that_had_them() -> None:
    """Below the limit all are asked; above it those that refused nothing; after ten minutes all again."""
    refusals = Refusals(3)
    for server in (1, 2):
        refusals.note(server)
    assert not any(map(refusals.too_many, (1, 2, 3)))
    await asyncio.sleep(300)
    refusals.note(1)
    assert list(map(refusals.too_many, (1, 2, 3))) == [True, True, False]
    await asyncio.sleep(301)
    assert not any(map(refusals.too_many, (1, 2, 3)))
