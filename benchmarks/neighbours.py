"""Answers on live rounds while members of another server use commands without a pause."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from benchmarks.clicks import at_rate, buttons, clicker, start_rounds
from benchmarks.client import Client
from benchmarks.measure import percentile, scratch
from benchmarks.table import Figure, Section
from tests.loopback.driver import Member
from tests.loopback.model import Channel
from tests.loopback.world import World

TITLE = "Neighbours"
_ROUNDS = 21
_RATE = 100
_MEMBERS = 5
_COMMANDS = ("plan", "practice", "profile", "topics", "leaderboard", "today", "interview")


async def section(quick: bool) -> Section:
    """Measure the answers alone, then with each command for its CPU, then with all commands."""
    seconds = 5.0 if quick else 20.0
    rng = random.Random(1)
    figures = []
    with scratch() as folder:
        async with World() as world, Client("bot", world, folder, all_cores=True) as client:
            click = clicker(world, await start_rounds(world, _ROUNDS), rng)
            channel, members = await _neighbours(world)
            await at_rate(click, _RATE, 3.0, rng)
            alone = 0.0
            for name, commands in [
                ("alone", ()),
                *((f"with /{command}", (command,)) for command in _COMMANDS),
                ("with all commands", _COMMANDS),
            ]:
                done: Counter[str] = Counter()
                used, began = client.cpu, time.monotonic()
                busy = [
                    asyncio.create_task(_use(world, channel, member, commands, done))
                    for member in (members if commands else ())
                ]
                latencies = [1000 * s for s in await at_rate(click, _RATE, seconds, rng)]
                cpu = (client.cpu - used) / (time.monotonic() - began)
                took = time.monotonic() - began
                for task in busy:
                    task.cancel()
                await asyncio.gather(*busy, return_exceptions=True)
                for task in busy:
                    if not task.cancelled() and (error := task.exception()):
                        raise error
                if len(commands) != 1:
                    p99 = percentile(latencies, 0.99)
                    figures.append(Figure(f"answers {name}: p99", "ms", [p99]))
                if commands:
                    each = 1000 * (cpu - alone) * took / done.total()
                    figures.append(Figure(f"CPU a command {name}", "ms", [each]))
                else:
                    alone = cpu
            client.check()
    return Section(
        TITLE,
        f"{_RATE} answers a second on {_ROUNDS} live rounds, from the click to the reply, while "
        f"{_MEMBERS} members of another server use commands: each sends the next as soon as the "
        "last is answered. /practice includes an answer. CPU is of the bot's process and its "
        "threads, above what the answers alone need; its child processes are not counted.",
        figures,
    )


async def _neighbours(world: World) -> tuple[Channel, list[Member]]:
    """Create another server, with members who have a plan."""
    guild = world.add_guild("neighbours")
    channel = world.add_channel(guild, "talk")
    await world.gateway.emit("GUILD_CREATE", guild.payload(world.bot))
    members = [world.add_member(guild, f"neighbour {n}") for n in range(_MEMBERS)]
    day = (datetime.now(UTC) + timedelta(days=60)).date().isoformat()
    for member in members:
        form = await member.slash(channel, "plan")
        filled = {"Date of the interview": day, "Minutes a day": "30", "What for": "Everything"}
        await member.submit(form, filled)
    return channel, members


async def _use(
    world: World,
    channel: Channel,
    member: Member,
    commands: Sequence[str],
    done: Counter[str],
) -> None:
    """Use one command after the other until cancelled; in practice, also answer."""
    for number in itertools.count(member.id):
        command = commands[number % len(commands)]
        result = await member.slash(channel, command)
        await world.until(lambda result=result: result.text, what=f"a reply to /{command}")
        reply = result.interaction.reply
        cards = [reply] if command == "practice" and reply is not None else []
        if found := buttons(cards, "answer:") or buttons(cards, "more:"):
            await member.click(*random.choice(found))
        done[command] += 1
