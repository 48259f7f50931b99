"""From a click to its durable, private answer: latency at a given rate, and how much fits in at most."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Client, Kind
from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.play import Card, Clicks, Unanswered, start_rounds
from benchmarks.stub.server import Stub
from benchmarks.table import Figure, Section, absolute, compared

CHANNELS = 20
SERVERS = 40
"""More than CHANNELS, as not every question has buttons."""
_IN_FLIGHT = 256
_GOAL_RATE = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure at each rate, and saturated, in seconds; what comes before that does not count."""

    rates: tuple[int, ...] = (100, 300)
    seconds: float = 8.0
    saturated: float = 5.0
    warm_up: float = 3.0


@dataclass(frozen=True, slots=True)
class AtRate:
    """Latencies, and processor time an answer, in milliseconds."""

    p50: float
    p99: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Result:
    """`cpu` in milliseconds an answer, saturated. `stub_cpu`: share of its core that the stub used then."""

    at: dict[int, AtRate]
    per_second: float
    cpu: float
    stub_cpu: float


async def section(options: Options) -> Section:
    """Latency at 100 and 300 clicks a second, and saturation; the two clients take turns."""
    plan = Plan(seconds=4.0, saturated=3.0) if options.quick else Plan()
    bare: list[Result] = []
    bot: list[Result] = []
    cards: list[Card] = []
    for number in range(options.rounds):
        order: tuple[Kind, Kind] = ("bot", "bare") if number % 2 == 0 else ("bare", "bot")
        for kind in order:
            with scratch() as folder:
                result, cards = await run(kind, folder, plan, cards, seed=number)
            (bot if kind == "bot" else bare).append(result)

    made = Section(
        "Clicks",
        f"From the dispatch of a click to its durable, private answer, over {CHANNELS} channels, every click by "
        "another member. Each is committed before it is acknowledged, and as many are stored as were acknowledged, or "
        "the run fails. CPU is of all threads.",
    )
    for rate in plan.rates:
        made.figures += _at_rate(rate, [r.at[rate] for r in bare], [r.at[rate] for r in bot])
    cpu = [r.cpu for r in bare], [r.cpu for r in bot]
    fits = [r.per_second for r in bare], [r.per_second for r in bot]
    busiest = max(r.stub_cpu for r in bare + bot) * 100
    made.figures += [
        compared("CPU an answer, saturated", cpu, "ms", goal=1.3),
        compared(f"answers a second with {_IN_FLIGHT} in flight", fits, "/s", goal=0.8, sense=">="),
        absolute("stub's use of its core, saturated, at most", [busiest], "%"),
    ]
    return made


def _at_rate(rate: int, bare: Sequence[AtRate], bot: Sequence[AtRate]) -> list[Figure]:
    goals = (1.75, 2.0) if rate == _GOAL_RATE else (None, None)
    return [
        compared(
            f"latency p50 at {rate}/s",
            ([a.p50 for a in bare], [a.p50 for a in bot]),
            "ms",
            goal=goals[0],
        ),
        compared(
            f"latency p99 at {rate}/s",
            ([a.p99 for a in bare], [a.p99 for a in bot]),
            "ms",
            goal=goals[1],
        ),
        compared(f"CPU an answer at {rate}/s", ([a.cpu for a in bare], [a.cpu for a in bot]), "ms"),
    ]


async def run(
    kind: Kind, folder: Path, plan: Plan, cards: Sequence[Card], seed: int
) -> tuple[Result, list[Card]]:
    """One round of measurements. The bare client gets `cards` that the bot posted; the bot posts its own."""
    async with Stub(servers=SERVERS) as stub, Client(kind, stub, folder) as client:
        await client.settle(0.5)
        if kind == "bot":
            cards = await open_cards(stub, range(SERVERS))
        clicks = Clicks(stub, cards, random.Random(seed))
        await clicks.at_rate(plan.rates[0], plan.warm_up)
        at: dict[int, AtRate] = {}
        for rate in plan.rates:
            used = client.cpu
            latencies = [1000 * seconds for seconds in await clicks.at_rate(rate, plan.seconds)]
            cpu = (client.cpu - used) * 1000 / len(latencies)
            at[rate] = AtRate(percentile(latencies, 0.5), percentile(latencies, 0.99), cpu)
        watching = [check_durable(client.database, clicks, 1.0)] if kind == "bot" else []
        await asyncio.gather(clicks.saturate(_IN_FLIGHT, 1.0), *watching)
        await clicks.all_answered()
        began, used, own = time.monotonic(), client.cpu, time.process_time()
        done = await clicks.saturate(_IN_FLIGHT, plan.saturated)
        seconds, cpu, stub_cpu = (
            time.monotonic() - began,
            client.cpu - used,
            time.process_time() - own,
        )
        await clicks.all_answered()
        if kind == "bot" and (stored := stored_answers(client.database)) != clicks.acknowledged:
            raise Unanswered(
                f"{clicks.acknowledged} answers were acknowledged, but {stored} are stored"
            )
        return Result(at, done / seconds, cpu * 1000 / done, stub_cpu / seconds), list(cards)


async def open_cards(stub: Stub, servers: Sequence[int]) -> list[Card]:
    """The cards of rounds in so many channels that began with a question that has buttons."""
    cards = [card for card in await start_rounds(stub, servers) if card.choices][:CHANNELS]
    if len(cards) < CHANNELS:
        raise Unanswered(
            f"only {len(cards)} of {len(servers)} rounds began with a question that has buttons"
        )
    return cards


async def check_durable(database: Path, clicks: Clicks, seconds: float) -> None:
    """Acknowledged means committed: at no moment have more answers been acknowledged than others can read."""
    for _ in range(10):
        await asyncio.sleep(seconds / 10)
        acknowledged = clicks.acknowledged
        if (stored := stored_answers(database)) < acknowledged:
            raise Unanswered(
                f"{acknowledged} answers had been acknowledged when {stored} were committed"
            )


def stored_answers(database: Path) -> int:
    """Committed answers, as another process sees them."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        (stored,) = conn.execute("SELECT count(*) FROM round_answers").fetchone()
    return int(stored)
