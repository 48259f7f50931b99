"""`python -m soak --minutes 10 --seed N`: members play under random faults, then invariants are checked."""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.core.zones import search_zones
from soak.chaos import Chaos
from soak.checks import kinds_of, unanswered
from soak.members import Members, Server
from soak.options import end, parse
from tests.crash import invariants
from tests.crash.play import cards, close_challenges, close_dailies, query, soon
from tests.loopback.driver import CannotDo
from tests.loopback.panel import press
from tests.loopback.process import BotProcess
from tests.loopback.world import World

_SERVERS = 8
_MEMBERS = 40
_QUIET_SECONDS = 150.0
_UNFINISHED = """
    SELECT 1 FROM rounds WHERE phase != 'ended'
    UNION SELECT 1 FROM dailies WHERE state IN ('posting', 'threading', 'closing')
    UNION SELECT 1 FROM challenges WHERE state NOT IN ('open', 'closed')
"""
_OPEN = """
    SELECT 1 FROM dailies WHERE due_at IS NOT NULL
    UNION SELECT 1 FROM challenges WHERE state != 'closed'
"""


def main() -> int:
    """Return 0 if every invariant holds, 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long things go wrong (10)")
    parser.add_argument("--pace", type=float, default=1.0, help="seconds between two faults (1)")
    options = parse(parser, "soak")
    print(f"soak: seed {options.seed}, {options.minutes:g} minutes", file=sys.stderr, flush=True)
    return end(options, asyncio.run(soak(options)))


async def soak(options: argparse.Namespace) -> list[str]:
    """Run it all and print the report; return the broken invariants."""
    seed = options.seed
    async with World() as world:
        bot = BotProcess(world, options.folder, {"QUESTION_BANK": ""})  # the shipped packs
        members = Members(world, bot.database, seed, pace=0.15)
        members.settle(_SERVERS, _MEMBERS)
        chaos = Chaos(world, bot, random.Random(seed), options.pace)
        try:
            bot.set_host_clock(0)
            await bot.start()
            await world.until(lambda: world.commands, what="the commands")
            chaos.start()
            over = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for server in members.servers:
                    for play in (_play, _play_dailies):
                        group.create_task(play(members, server, over))
                await asyncio.sleep(60 * options.minutes)
                over.set()
                await chaos.calm()
            broken = await _finish(bot, chaos)
        finally:
            await chaos.stop()
            await bot.close()
        broken += [
            *chaos.wrong,
            *members.wrong,
            *unanswered(world, chaos.outages),
            *invariants.broken(bot.database, world, bot.log),
        ]
        print(_report(world, bot, chaos, members, broken))
        return broken


async def _play(members: Members, server: Server, over: asyncio.Event) -> None:
    """Play rounds and challenges, practise and look things up, until it is over."""
    rng = members.rng

    async def repeat(name: str, act: Callable[[], Coroutine[None, None, None]]) -> None:
        while not over.is_set():
            await members.perform(name, act())
            await asyncio.sleep(rng.uniform(0.5, 3))

    def round_() -> Coroutine[None, None, None]:
        players = rng.sample(server.players, len(server.players))
        hosted = rng.random() < 0.2
        options: dict[str, Any] = {"mode": "hosted"} if hosted else {"seconds": 6}
        return members.play_round(players, questions=rng.randint(1, 4), **options)

    async def challenge() -> None:
        players = rng.sample(server.players, rng.choice((2, len(server.players))))
        await members.challenge(players, questions=rng.randint(1, 3), hours=1)
        await asyncio.gather(
            *(members.perform("take", members.take_challenge(player)) for player in players)
        )

    async def alone() -> None:
        act = rng.choice((members.practise, members.interview, members.look))
        await act(rng.choice(server.players))

    await asyncio.gather(
        repeat("round", round_), repeat("challenge", challenge), repeat("alone", alone)
    )


async def _play_dailies(members: Members, server: Server, over: asyncio.Event) -> None:
    """Post dailies by schedule or by hand, in zones with different dates, and answer them."""
    manager, now = server.players[0].member, datetime.now(UTC)
    dates = {now.astimezone(ZoneInfo(zone)).date(): zone for zone in search_zones("")}
    for turn, zone in enumerate(dates[day] for day in sorted(dates)):
        at = (datetime.now(ZoneInfo(zone)) + timedelta(seconds=75)).strftime("%H:%M")
        thread = server is members.servers[0]
        if turn:
            await members.move(server, at, zone)
        else:
            panel = await members.add_daily(server, time=at, zone=zone, thread=thread)
            if server is members.servers[0]:
                server.dailies = 2
                await members.add_daily(server, time=at, name="Warm-up")
            if panel is not None and members.rng.random() < 0.5:
                with suppress(CannotDo):
                    await press(manager, panel, "Post now")
        await soon(lambda: over.is_set() or cards(server.daily, "daily"), 110)
        answers = [members.answer_daily(player) for player in server.players]
        await asyncio.gather(*(members.perform("daily", answer) for answer in answers))
        await soon(lambda: over.is_set() or not cards(server.daily, "daily"), 1e6)


async def _finish(bot: BotProcess, chaos: Chaos) -> list[str]:
    """Let all games end and close, and stop the bot; return what went wrong."""

    def unfinished() -> bool:
        try:
            return bool(query(bot.database, _UNFINISHED))
        except sqlite3.Error:
            return True

    wrong = []
    if not await soon(lambda: not unfinished(), _QUIET_SECONDS):
        wrong.append(f"unfinished {_QUIET_SECONDS:g} s after the last fault")
    await chaos.stop()
    if not bot.running:
        await bot.start()
    ends = [await bot.stop()]
    close_dailies(bot.database)
    close_challenges(bot.database)
    await bot.start()
    if not await soon(lambda: not query(bot.database, _OPEN), 60):
        wrong.append("a daily or a challenge did not close")
    ends.append(await bot.stop())
    for code, took in ends:
        if code or took > 5:
            wrong.append(f"SIGTERM without faults: exit code {code} after {took:.1f} s")
    return wrong


def _report(
    world: World, bot: BotProcess, chaos: Chaos, members: Members, broken: list[str]
) -> str:
    """Return the report as Markdown; it ends with the broken invariants."""
    facts = invariants.Facts(bot.database, world)
    faults = chaos.faults | Counter({"interaction delivered twice": world.gateway.doubled})
    longest = max((ended - began for began, ended in chaos.outages), default=0)
    endings = Counter(str(row["ending"]) for row in facts["rounds"])
    sources = Counter(source for source, _, _ in facts.answers)
    rows: dict[str, object] = {
        "faults": f"{faults.total()} of {len(faults)} kinds",
        "rounds": dict(endings),
        "challenges": len(facts["challenges"]),
        "dailies": len(facts["dailies"]),
        "answers stored": dict(sources),
        "restarts of the bot": bot.starts,
        "longest outage": f"{longest:.1f} s",
        "posts that a nonce kept single": world.deduplicated,
        "429 that the bot earned": world.limits.refused,
        **members.did,
        **faults,
    }
    return "\n".join(
        [
            "# Soak",
            "",
            "| what | how many |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in rows.items()),
            "",
            "## Broken invariants",
            "",
            *kinds_of(broken),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
