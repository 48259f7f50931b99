"""From a click to its durable, private answer: latency at a given rate, and saturation."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass

from benchmarks.client import Client
from benchmarks.measure import percentile, scratch
from benchmarks.table import Figure, Section
from tests.crash.play import cards
from tests.loopback.model import Channel, Message
from tests.loopback.world import World

TITLE = "Clicks"
_ROUNDS = 30
_RATE = 300
_IN_FLIGHT = 128
_WARM_UP = 3.0
Act = Callable[[], Coroutine[None, None, float]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Latencies, and `cpu` an answer, in milliseconds; answers a second and a second of CPU.

    `load`: the percentage of its core that the load used while the client was saturated.
    """

    p50: float
    p99: float
    cpu: float
    per_second: float
    per_cpu: float
    load: float


async def section(quick: bool) -> Section:
    """Measure the bot, then the bare client on the same cards, as often as there are rounds."""
    seconds = 3.0 if quick else 8.0
    bot: list[Measured] = []
    bare: list[Measured] = []
    for seed in range(1 if quick else 5):
        rng = random.Random(seed)
        with scratch() as folder:
            async with World() as world:
                async with Client("bot", world, folder) as client:
                    channels = await start_rounds(world, _ROUNDS)
                    click = clicker(world, channels, rng)
                    bot.append(await measured(client, click, seconds, rng))
                async with Client("bare", world, folder) as client:
                    bare.append(await measured(client, click, seconds, rng))

    def both(name: str) -> tuple[list[float], list[float]]:
        return [getattr(r, name) for r in bot], [getattr(r, name) for r in bare]

    return Section(
        TITLE,
        f"Clicks on {_ROUNDS} open rounds, each by another member. The bot commits each before it "
        "acknowledges it. The load is heavier than the bare client, so it limits how many answers a "
        "second there are; the answers in a second of CPU, of all threads, compare the clients.",
        [
            Figure(f"latency p50 at {_RATE}/s", "ms", *both("p50")),
            Figure(f"latency p99 at {_RATE}/s", "ms", *both("p99")),
            Figure(f"CPU an answer at {_RATE}/s", "ms", *both("cpu")),
            Figure(f"answers a second, {_IN_FLIGHT} in flight", "/s", *both("per_second")),
            Figure("answers in a second of CPU, saturated", "/s", *both("per_cpu"), at_least=0.6),
            Figure("the load's use of its core, saturated", "%", *both("load")),
        ],
    )


async def start_rounds(world: World, count: int) -> list[Channel]:
    """Start a round on each of so many new servers; return once every first card is there."""
    await world.until(lambda: world.commands, what="the commands")
    channels: list[Channel] = []
    first = world.snowflake()
    for number in range(count):
        # such an id is on shard `number` modulo the number of shards
        guild = world.add_guild(f"server {number}", guild_id=first + (number << 22))
        channels.append(world.add_channel(guild, "quiz"))
        await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
        host = world.add_member(guild, "host", manager=True)
        await host.slash(channels[-1], "quiz", questions=10, seconds=300)
    await world.until(lambda: all(cards(channel) for channel in channels), what="the cards")
    return channels


def buttons(messages: Sequence[Message], prefix: str) -> list[tuple[Message, str]]:
    """Return the buttons of messages whose id begins so, each with its message."""
    return [(m, i) for m in messages for i in m.custom_ids if i.startswith(prefix)]


def clicker(world: World, channels: Sequence[Channel], rng: random.Random) -> Act:
    """Return what lets a new member click a button of some open card; it returns the seconds."""
    found = buttons([card for channel in channels for card in cards(channel)], "answer:")

    async def click() -> float:
        card, custom_id = rng.choice(found)
        result = await world.add_member(card.channel.guild, "player").click(card, custom_id)
        if not result.text.startswith("Locked in") or result.interaction.acked_at is None:
            raise RuntimeError(f"a click was not acknowledged: {result.text!r}")
        return result.interaction.acked_at - result.interaction.sent_at

    return click


async def at_rate(act: Act, rate: float, seconds: float, rng: random.Random) -> list[float]:
    """Act at random moments, so many a second on average; return the latencies."""
    due = time.monotonic()
    end = due + seconds
    async with asyncio.TaskGroup() as group:
        tasks = []
        while due < end:
            due += rng.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(group.create_task(act()))
    return [task.result() for task in tasks]


async def measured(client: Client, click: Act, seconds: float, rng: random.Random) -> Measured:
    await at_rate(click, _RATE, _WARM_UP, rng)
    used = client.cpu
    latencies = [1000 * latency for latency in await at_rate(click, _RATE, seconds, rng)]
    cpu = 1000 * (client.cpu - used) / len(latencies)

    async def keep_clicking() -> int:
        count = 0
        while time.monotonic() < began + seconds:
            await click()
            count += 1
        return count

    began = time.monotonic()
    used, load = client.cpu, time.process_time()
    done = sum(await asyncio.gather(*(keep_clicking() for _ in range(_IN_FLIGHT))))
    took = time.monotonic() - began
    client.check()
    return Measured(
        p50=percentile(latencies, 0.5),
        p99=percentile(latencies, 0.99),
        cpu=cpu,
        per_second=done / took,
        per_cpu=done / (client.cpu - used),
        load=100 * (time.process_time() - load) / took,
    )
