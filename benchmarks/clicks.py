"""From a click to its durable, private answer: latency at a given rate, and how much fits in at most."""

from __future__ import annotations

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
from benchmarks.table import Section, absolute, compared

CHANNELS = 20
_SERVERS = 40
"""More than CHANNELS, as not every question has buttons."""
_IN_FLIGHT = 256
_WARM_UP = 300
_GOAL_RATE = 300


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure at each rate, and saturated, in seconds."""

    rates: tuple[int, ...] = (100, 300)
    seconds: float = 8.0
    saturated: float = 5.0


@dataclass(frozen=True, slots=True)
class Result:
    """`p50`, `p99` and `cpu_at` in seconds by rate; `cpu` seconds of processor time an answer, saturated."""

    p50: dict[int, float]
    p99: dict[int, float]
    cpu_at: dict[int, float]
    per_second: float
    cpu: float
    stub_cpu: float
    """Share of its core that the stub used, saturated: well below 1, or it was the bottleneck."""


async def section(options: Options) -> Section:
    """Latency at 100 and 300 clicks a second, and saturation; the two clients take turns."""
    plan = Plan(seconds=4.0, saturated=3.0) if options.quick else Plan()
    results: dict[Kind, list[Result]] = {"bare": [], "bot": []}
    cards: list[Card] = []
    for number in range(options.rounds):
        order: tuple[Kind, Kind] = ("bot", "bare") if number % 2 == 0 else ("bare", "bot")
        for kind in order:
            with scratch() as folder:
                result, cards = await run(kind, folder, plan, cards, seed=number)
            results[kind].append(result)
    bare, bot = results["bare"], results["bot"]
    made = Section(
        "Clicks",
        f"From the dispatch of a click to its durable, private answer, over {CHANNELS} channels, every click by another "
        "member. As many answers are stored as were acknowledged, or the run fails. CPU an answer is over all threads.",
    )
    for rate in plan.rates:
        for name, goal in (("p50", 1.75), ("p99", 2.0)):
            values = [[getattr(r, name)[rate] * 1000 for r in side] for side in (bare, bot)]
            made.figures.append(
                compared(f"latency {name} at {rate}/s", *values, "ms", goal=goal if rate == _GOAL_RATE else None)
            )
        used = [[r.cpu_at[rate] * 1000 for r in side] for side in (bare, bot)]
        made.figures.append(compared(f"CPU an answer at {rate}/s", *used, "ms"))
    used = [[r.cpu * 1000 for r in side] for side in (bare, bot)]
    made.figures.append(compared("CPU an answer, saturated", *used, "ms", goal=1.6))
    fits = [[r.per_second for r in side] for side in (bare, bot)]
    made.figures.append(compared(f"answers a second with {_IN_FLIGHT} in flight", *fits, "/s", goal=0.6, sense=">="))
    busiest = [max(r.stub_cpu for r in side) * 100 for side in (bare, bot)]
    made.figures.append(absolute("stub's use of its core, saturated", [max(busiest)], "%"))
    return made


async def run(kind: Kind, folder: Path, plan: Plan, cards: Sequence[Card], seed: int) -> tuple[Result, list[Card]]:
    """One round of measurements. The bare client gets `cards` that the bot posted; the bot posts its own."""
    async with Stub(servers=_SERVERS) as stub, Client(kind, stub, folder) as client:
        await client.settle(0.5)
        if kind == "bot":
            started = await start_rounds(stub, range(_SERVERS))
            cards = [card for card in started if card.choices][:CHANNELS]
        if len(cards) < CHANNELS:
            raise Unanswered(f"only {len(cards)} of {_SERVERS} rounds began with a question that has buttons")
        clicks = Clicks(stub, cards, random.Random(seed))
        await clicks.at_rate(plan.rates[0], _WARM_UP / plan.rates[0])
        p50, p99, cpu_at = {}, {}, {}
        for rate in plan.rates:
            used = client.cpu
            latencies = await clicks.at_rate(rate, plan.seconds)
            cpu_at[rate] = (client.cpu - used) / len(latencies)
            p50[rate], p99[rate] = percentile(latencies, 0.5), percentile(latencies, 0.99)
        await clicks.saturate(_IN_FLIGHT, 1.0)
        await clicks.all_answered()
        began, used, own = time.monotonic(), client.cpu, time.process_time()
        done = await clicks.saturate(_IN_FLIGHT, plan.saturated)
        seconds, cpu, stub_cpu = time.monotonic() - began, client.cpu - used, time.process_time() - own
        await clicks.all_answered()
        if kind == "bot":
            check_stored(client.database, clicks.acknowledged)
        return Result(p50, p99, cpu_at, done / seconds, cpu / done, stub_cpu / seconds), list(cards)


def check_stored(database: Path, acknowledged: int) -> None:
    """Acknowledged means stored, and nothing else is."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
        (stored,) = conn.execute("SELECT count(*) FROM round_answers").fetchone()
    if stored != acknowledged:
        raise Unanswered(f"{acknowledged} answers were acknowledged, but {stored} are stored")
