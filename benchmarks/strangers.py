"""Latency for members of one server while others attack the process of both."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import URL

from benchmarks.attacks import ATTACKS, FEW, Attack, Server
from benchmarks.clicks import buttons
from benchmarks.client import Client
from benchmarks.measure import percentile, scratch
from benchmarks.table import Figure, Section
from bot.core.database import open_database
from tests.loopback.world import World

TITLE = "Strangers"
_PERIOD = 0.1
"""Seconds between two actions of the members who attack nobody."""
_LEAST_SECONDS = 6.0
"""The shortest time of a measurement; most attacks are over sooner."""
_UNIT = Path(__file__).parents[1] / "deploy" / "quizformer.service"


@dataclass(slots=True)
class Others:
    """Members of a quiet server, who play, practise and look things up all the time.

    `waits`: milliseconds until an action was acknowledged, infinite if it was not within three
    seconds; of those who have played before, and of newcomers.
    """

    server: Server
    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def play(self) -> None:
        """Act every `_PERIOD` seconds, however long the replies take, until this is cancelled."""
        channel = self.server.channel
        async with asyncio.TaskGroup() as actions:
            for number in itertools.count():
                if number % 200 == 0:
                    start = self.server.manager.slash(channel, "quiz", questions=2, seconds=10)
                    actions.create_task(start)
                actions.create_task(self._act(number))
                await asyncio.sleep(_PERIOD)

    async def _act(self, number: int) -> None:
        server, began = self.server, time.monotonic()
        member = server.members[number % FEW]
        commands = ("answer", "profile", "practice", "today", "leaderboard", "first")
        command = commands[number // FEW % len(commands)]
        cards = [m for m in member.sees(server.channel) if m.audience is None]
        open_cards = buttons(cards[-3:], "answer:")
        if command == "first":
            member = server.world.add_member(server.channel.guild, "newcomer")
            result = await member.slash(server.channel, ("practice", "today")[number % 2])
        elif command != "answer":
            result = await member.slash(server.channel, command)
        elif open_cards:
            result = await member.click(*open_cards[number % len(open_cards)])
        else:
            return
        waited = 1000 * (time.monotonic() - began) if result.acked else float("inf")
        self.waits["newcomers" if command == "first" else "members"].append(waited)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The waits of others during an attack, and the memory of the bot and of all its processes in MB."""

    waits: dict[str, list[float]]
    bot: float
    all: float

    def row(self, name: str) -> str:
        """Return a line of the table: waits as median, 99th percentile and longest."""
        waits = [
            " / ".join(f"{percentile(self.waits[who], share):.0f}" for share in (0.5, 0.99, 1))
            for who in ("members", "newcomers")
        ]
        return f"| {name} | {' | '.join(waits)} | {self.bot:.0f} | {self.all:.0f} |"


async def section(quick: bool) -> Section:
    """Carry out one attack after another, then all at once, while others play."""
    chosen = [name for name in os.environ.get("ATTACKS", ",".join(ATTACKS)).split(",") if name]
    most = int(re.findall(r"^MemoryMax=(\d+)G$", _UNIT.read_text("utf-8"), re.MULTILINE)[0]) * 1024
    with scratch() as folder:
        async with World() as world:
            quiet = Others(_server(world, FEW))
            targets = {name: [_servers(world, ATTACKS[name]) for _ in range(2)] for name in chosen}
            await _prepare(folder, targets)
            async with Client("bot", world, folder, all_cores=True) as client:
                await world.until(lambda: world.commands, what="the commands")
                playing = asyncio.create_task(quiet.play())
                await _watch(quiet, client, world, {}, 0)
                before = client.rss
                none = await _watch(quiet, client, world, {}, before)
                outcomes = {"no attack": none}
                for name in chosen:
                    alone = {name: targets[name][0]}
                    outcomes[name] = await _watch(quiet, client, world, alone, before)
                together = {name: both[1] for name, both in targets.items()}
                outcomes["all at once"] = await _watch(quiet, client, world, together, before)
                playing.cancel()
                with suppress(asyncio.CancelledError):
                    await playing
                client.check()
    rows = "\n".join(outcome.row(name) for name, outcome in outcomes.items())
    p99 = [
        percentile([*o.waits["members"], *o.waits["newcomers"]], 0.99) for o in outcomes.values()
    ]
    worst = [max(o.bot for o in outcomes.values())], [max(o.all for o in outcomes.values())]
    return Section(
        TITLE,
        f"{FEW} members of one server answer, practise and look things up, one of them every "
        f"{1000 * _PERIOD:.0f} ms, and every sixth is a newcomer with a first /practice or /today, while "
        "other servers attack. Waits are milliseconds until an action is acknowledged: median, 99th "
        "percentile, longest. Memory in MB: of the bot above what it was before the first attack, and of all its "
        "processes together. The bot has all cores, and shares them with the load.\n\n"
        "| attack | members | newcomers | bot | all |\n"
        f"|---|---|---|---|---|\n{rows}",
        [
            Figure("p99, the worst attack alone", "ms", [max(p99[:-1])], at_most=300),
            Figure("p99, all attacks at once", "ms", [p99[-1]], at_most=300),
            Figure("memory of the bot above its start", "MB", worst[0], at_most=100),
            Figure("memory of all processes", "MB", worst[1], at_most=most),
        ],
    )


def _server(world: World, members: int) -> Server:
    guild = world.add_guild("server")
    channel = world.add_channel(guild, "quiz")
    manager = world.add_member(guild, "manager", manager=True)
    return Server(world, channel, manager, [world.add_member(guild, "m") for _ in range(members)])


def _servers(world: World, attack: Attack) -> Server:
    """Make the servers of an attack, which have one manager; return the first."""
    servers = [_server(world, attack.members) for _ in range(attack.servers)]
    all_of_them: list[Server] = []
    for each in servers:
        all_of_them.append(replace(each, manager=servers[0].manager, all=all_of_them))
    return all_of_them[0]


async def _prepare(folder: Path, targets: dict[str, list[Server]]) -> None:
    """Store what was there before the bot starts."""
    async with open_database(URL.create("sqlite", database=str(folder / "bot.db"))) as database:
        for name, servers in targets.items():
            if (prepared := ATTACKS[name].prepared) is None:
                continue
            for each in itertools.chain(*(first.all for first in servers)):
                await database.write(prepared, each)


async def _watch(
    others: Others, client: Client, world: World, attacks: dict[str, Server], before: int
) -> Outcome:
    """Attack, and measure what the others, and the host, notice of it."""
    others.waits.clear()
    sent = len(world.interactions)
    until, bot, together = time.monotonic() + _LEAST_SECONDS, 0, 0
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ATTACKS[name].act(server)) for name, server in attacks.items()]
        while not all(task.done() for task in tasks) or time.monotonic() < until:
            bot = max(bot, client.rss)
            together = max(together, client.pss)
            await asyncio.sleep(0.05)
    said = [
        "\n".join(m.text for m in (i.reply, *i.followups) if m is not None)
        for i in itertools.islice(world.interactions.values(), sent, None)
        if i.channel.guild.id != others.server.id
    ]
    for name in attacks:
        check_aim(name, said)
    return Outcome(dict(others.waits), (bot - before) / 2**20, together / 2**20)


def check_aim(name: str, said: Sequence[str]) -> None:
    """Raise unless somebody read what an attack is meant to lead to."""
    wanted = ATTACKS[name].reaches
    if not any(wanted in text for text in said):
        read = Counter(text.strip().partition("\n")[0] for text in said).most_common(9)
        raise RuntimeError(f"{name}: nobody read {wanted!r}, but {read}")
