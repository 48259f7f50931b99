"""`python -m soak --minutes 10 --seed N`: all that members play under random faults; then invariants are checked."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from pathlib import Path

from bot.questions.bank import load_packs
from soak.chaos import Chaos
from soak.checks import unanswered
from soak.life import Life
from soak.report import report
from tests.crash import invariants
from tests.crash.play import Players, close_challenges, close_dailies, query, soon
from tests.loopback.model import Guild
from tests.loopback.process import BotProcess
from tests.loopback.world import World

_GUILDS, _QUIZ_CHANNELS, _MEMBERS = 4, 2, 5
_QUIET_SECONDS = 150.0
_LINE = re.compile(r"\*\*(\w+)\*\* · \*\*([\d,]+) points?\*\*")


def main() -> int:
    """0 if every invariant holds, 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long things go wrong (10)")
    parser.add_argument(
        "--seed",
        type=int,
        default=None,
        help="a number that decides the faults (a new one each time)",
    )
    parser.add_argument(
        "--pace", type=float, default=1.0, help="seconds between two faults, on average (1)"
    )
    parser.add_argument(
        "--keep", type=Path, help="an empty folder for the database and the bot's log"
    )
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    print(f"soak: seed {seed}, {options.minutes:g} minutes", file=sys.stderr, flush=True)
    folder = options.keep or Path(tempfile.mkdtemp(prefix="quizformer-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    text, good = asyncio.run(soak(folder, options.minutes, seed, options.pace))
    print(text)
    if good and options.keep is None:
        shutil.rmtree(folder)
    else:
        print(f"soak: database and log are in {folder}", file=sys.stderr)
    return 0 if good else 1


async def soak(folder: Path, minutes: float, seed: int, pace: float) -> tuple[str, bool]:
    """Run it all; the report, and whether every invariant holds."""
    async with World() as world:
        bot = BotProcess(world, folder, {"QUESTION_BANK": ""})  # the shipped packs
        life = Life(
            world,
            bot,
            Players(bot.database, load_packs(), random.Random(seed + 1)),
            random.Random(seed + 2),
        )
        guilds = [world.add_guild(f"server {n}") for n in range(_GUILDS)]
        quiz = [world.add_channel(g, f"quiz-{n}") for g in guilds for n in range(_QUIZ_CHANNELS)]
        daily = [world.add_channel(g, "daily") for g in guilds]
        for guild in guilds:
            life.people(guild, _MEMBERS)
        chaos = Chaos(world, bot, random.Random(seed), pace)
        try:
            await bot.start()
            life.start(quiz, daily)
            chaos.start()
            await asyncio.sleep(60 * minutes)
            life.over = True
            await chaos.calm()
            wrong = await _come_to_rest(world, bot, chaos, life, guilds)
            await life.stop()
        finally:
            await chaos.stop()
            await bot.close()
        chaos.tally.faults["double delivery"] = world.gateway.doubled
        broken = [
            *chaos.tally.wrong,
            *wrong,
            *unanswered(world, chaos.tally.outages),
            *invariants.broken(bot.database, world, bot.log),
        ]
        facts = invariants.read(bot.database, world)
        return report(
            world, facts, chaos.tally, life, broken, seed=seed, minutes=minutes
        ), not broken


async def _come_to_rest(
    world: World, bot: BotProcess, chaos: Chaos, life: Life, guilds: list[Guild]
) -> list[str]:
    """Let rounds end and dailies close, compare the boards with the ledger, end the bot; what went wrong."""
    wrong = []

    def at_rest() -> bool:
        try:
            running = query(bot.database, "SELECT 1 FROM rounds WHERE phase != 'ended'")
            busy = query(
                bot.database,
                "SELECT 1 FROM dailies WHERE state IN ('posting', 'threading', 'closing')",
            )
            busy += query(
                bot.database, "SELECT 1 FROM challenges WHERE state NOT IN ('open', 'closed')"
            )
        except sqlite3.Error:
            return False
        return not running and not busy

    if not await soon(at_rest, _QUIET_SECONDS):
        wrong.append(f"not at rest {_QUIET_SECONDS:g} s after the last fault")
    await asyncio.sleep(4)  # members who are still trying give up
    await chaos.stop()
    began = time.monotonic()
    if not bot.running:
        await bot.start()
    ends = [await bot.stop()]
    close_dailies(bot.database)
    close_challenges(bot.database)
    await bot.start()
    if not await soon(
        lambda: not query(bot.database, "SELECT 1 FROM dailies WHERE due_at IS NOT NULL"), 30
    ):
        wrong.append("a daily did not close")
    if not await soon(
        lambda: not query(bot.database, "SELECT 1 FROM challenges WHERE state != 'closed'"), 30
    ):
        wrong.append("a challenge did not close")
    for guild in guilds:
        wrong += await _board(world, bot, life, guild)
    ends.append(await bot.stop())
    wrong += [
        f"SIGTERM at rest: exit code {code} after {took:.1f} s"
        for code, took in ends
        if code or took > 5
    ]
    print(f"soak: checked after {time.monotonic() - began:.0f} s", file=sys.stderr)
    return wrong


async def _board(world: World, bot: BotProcess, life: Life, guild: Guild) -> list[str]:
    """The points that a board shows are those of the ledger."""
    channel = next(iter(guild.channels.values()))
    await world.until(lambda: world.gateway.connected)
    result = await life.members(guild)[0].slash(channel, "leaderboard", period="all")
    if not result.acked:
        return [f"{guild.name}: no answer to /leaderboard, without any fault"]
    sums: dict[str, int] = defaultdict(int)
    with closing(sqlite3.connect(bot.database)) as conn:
        for user, points in conn.execute(
            "SELECT user_id, points FROM ledger WHERE guild_id = ?", [guild.id]
        ):
            sums[world.names[user]] += points
    shown = {name: int(points.replace(",", "")) for name, points in _LINE.findall(result.text)}
    return (
        []
        if shown == dict(sums)
        else [f"{guild.name}: the board says {shown}, the ledger {dict(sums)}"]
    )


if __name__ == "__main__":
    sys.exit(main())
