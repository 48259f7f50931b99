"""Clicks while twenty rounds beside them post, count and reveal, and how late the loop itself is then."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clicks import CHANNELS, open_cards
from benchmarks.client import Client, Kind
from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.play import Card, Clicks, click_once, start_rounds
from benchmarks.stub import payloads
from benchmarks.stub.server import Json, Stub
from benchmarks.table import Section, absolute, compared

_QUIET = range(40)
_LIVE = range(40, 60)
"""Servers: rounds that stay on one question and are clicked on, and those that go on beside them."""
_RATE = 100
_PLAYERS = 5
"""Members who answer each question of a live round, within a second."""
_QUESTION_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Result:
    """Latencies of the clicks, and the 99.9th percentile of the probe's lag, in milliseconds."""

    p50: float
    p99: float
    lag: float
    edits: int


async def section(options: Options) -> Section:
    """The two clients take turns; the bare one has clicks alone."""
    seconds = 12.0 if options.quick else 25.0
    bare: list[Result] = []
    bot: list[Result] = []
    cards: list[Card] = []
    for number in range(options.rounds):
        order: tuple[Kind, Kind] = (
            ("bot", "bare") if number % 2 == 0 or not cards else ("bare", "bot")
        )
        for kind in order:
            with scratch() as folder:
                result, cards = await run(kind, folder, seconds, cards, seed=number)
            (bot if kind == "bot" else bare).append(result)
    made = Section(
        "Clicks beside live rounds",
        f"{_RATE} clicks a second over {CHANNELS} channels, while {len(_LIVE)} rounds that began in the same moment "
        f"ask, count and reveal in others ({_QUESTION_SECONDS} s a question, {_PLAYERS} answers each). The bare client "
        "has the clicks alone. The lag is by how much a task that sleeps for 2 ms wakes too late.",
    )
    p50 = [r.p50 for r in bare], [r.p50 for r in bot]
    p99 = [r.p99 for r in bare], [r.p99 for r in bot]
    lag = [r.lag for r in bare], [r.lag for r in bot]
    made.figures = [
        compared("latency p50", p50, "ms", goal=1.75),
        compared("latency p99", p99, "ms", goal=3.0),
        compared("lag of the loop, 99.9th percentile", lag, "ms"),
        absolute("the same of the bot alone", lag[1], "ms", goal=5),
        absolute("edits by the live rounds meanwhile", [r.edits for r in bot], ""),
    ]
    return made


async def run(
    kind: Kind, folder: Path, seconds: float, cards: Sequence[Card], seed: int
) -> tuple[Result, list[Card]]:
    """One round of measurements; see `benchmarks.clicks.run` for `cards`."""
    rng, probe, edits = random.Random(seed), folder / "probe.json", 0

    def edited(_channel: int, _message: int, _shown: Json, _at: float) -> None:
        nonlocal edits
        edits += 1

    async with (
        Stub(servers=len(_QUIET) + len(_LIVE)) as stub,
        Client(kind, stub, folder, {"PROBE": str(probe)}) as client,
    ):
        await client.settle(0.5)
        if kind == "bot":
            cards = await open_cards(stub, _QUIET)
        clicks = Clicks(stub, cards, rng)
        await clicks.at_rate(_RATE, 3.0)
        players = Players(stub, rng)
        if kind == "bot":
            stub.on_post, stub.on_edit = players.posted, edited
            await start_rounds(stub, _LIVE, questions=10, seconds=_QUESTION_SECONDS)
        began = time.monotonic()
        latencies = [1000 * latency for latency in await clicks.at_rate(_RATE, seconds)]
        ended = time.monotonic()
        await players.stop()
        lags = [1000 * lag for at, lag in await client.probed(probe) if began <= at <= ended]
    return Result(
        percentile(latencies, 0.5), percentile(latencies, 0.99), percentile(lags, 0.999), edits
    ), list(cards)


class Players:
    """Members who answer the questions of the live rounds as they come."""

    def __init__(self, stub: Stub, rng: random.Random) -> None:
        self._stub = stub
        self._rng = rng
        self._server = {payloads.channel_id(n): n for n in _LIVE}
        self._tasks: set[asyncio.Task[None]] = set()

    def posted(self, channel: int, message: Json, _at: float) -> None:
        server = self._server.get(channel)
        choices = tuple(i for i in payloads.custom_ids(message) if i.startswith("answer:"))
        if server is not None and choices:
            task = asyncio.create_task(self._answer(Card(server, message, choices)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _answer(self, card: Card) -> None:
        for _ in range(_PLAYERS):
            await asyncio.sleep(self._rng.uniform(0.0, 0.4))
            click_once(self._stub, card, self._rng)
