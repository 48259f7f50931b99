"""`python -m soak.month --days 30 --seed N`: a month of habits in virtual time, checked every night."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from bot.core.backup import back_up
from bot.core.tables import milliseconds
from soak.checks import kinds_of, unanswered
from soak.month import checks
from soak.month.bot import Deployment, connected_to
from soak.month.clock import Clocks, JumpingLoop
from soak.month.habits import DAY, NIGHT, Habits
from soak.options import end, parse
from tests.crash import invariants, partners
from tests.loopback.world import World

START = datetime(2026, 10, 12, tzinfo=UTC)
"""A Monday. Within a month the clocks change in Europe and in the United States."""
_REMEMBERED = 3
"""Days that the simulated Discord remembers; a daily is open for two at most."""
_DEPLOY_SECONDS = 12.0
_MEASURED = {1, 10, 20, 30, 60, 90}
"""Nights of the slow checks and of the figures; so is the last one."""


def main() -> int:
    """Return 0 if all holds, 1 if something is broken."""
    parser = argparse.ArgumentParser(prog="python -m soak.month", description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="how many days, up to 90 (30)")
    parser.add_argument("--servers", type=int, default=50, help="how many servers (50)")
    parser.add_argument("--members", type=int, default=1000, help="members in all (1000)")
    parser.add_argument("--one-process", action="store_true", help="never deploy, to find leaks")
    memory_disk = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    options = parse(parser, "month", memory_disk)
    seed, deploys = options.seed, not options.one_process
    with virtual_time() as (runner, clocks):
        month = Month(options.folder, clocks, seed, options.days, deploys=deploys)
        month.members.settle(options.servers, options.members)
        broken = runner.run(month.run())
    print(month.report(f"{options.days} days, {options.servers} servers, seed {seed}"))
    return end(options, broken)


@contextmanager
def virtual_time() -> Iterator[tuple[asyncio.Runner, Clocks]]:
    """Provide an event loop with virtual time, and its clocks in place of this process's."""
    loop = JumpingLoop()
    clocks = Clocks(loop, START)
    with clocks.installed(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        yield runner, clocks


def objects_in_use() -> int:
    """Return the number of objects of the bot and of discord.py.

    The garbage collector doesn't track a struct that can't be part of a cycle, such as one of
    numbers, so it is found through the object that refers to it.
    """
    gc.collect()
    tracked = gc.get_objects()
    referred = {id(found): found for found in gc.get_referents(*tracked)}
    untracked = (found for found in referred.values() if not gc.is_tracked(found))
    kinds = (str(type(found).__module__) for found in chain(tracked, untracked))
    return sum(kind.startswith(("bot.", "discord.")) for kind in kinds)


class Month:
    """One run. `broken`: what does not hold, as sentences that begin with the night."""

    def __init__(
        self, folder: Path, clocks: Clocks, seed: int, days: int, *, deploys: bool = True
    ) -> None:
        self._folder = folder
        self._clocks = clocks
        self._days = days
        self._deploys = deploys
        self._night = 0
        self._log_read = 0
        self._began = time.perf_counter()
        self._figures: list[str] = []
        self.world = World()
        self.bot = Deployment(self.world, folder)
        self.members = Habits(self.world, self.bot, clocks, seed)
        self.broken: list[str] = []

    async def run(self) -> list[str]:
        """Live through all days and the nights after them; return what is broken."""
        self.bot.write_log()
        self.world.gateway.event_delay = 0.05
        async with self.world:
            with connected_to(self.world):
                await self.bot.start()
                try:
                    await self._live()
                finally:
                    await self.bot.stop()
        self.broken += [f"at the end: {line}" for line in invariants.trouble(self._new_log())]
        return self.broken

    async def _live(self) -> None:
        await self.members.set_up()
        for day in range(self._days + 1):
            acts = self.members.plan(day) if day < self._days else []
            night = day * DAY + NIGHT
            for act in [a for a in acts if a[0] < night]:
                await self._sleep_until(act[0])
                self.members.begin(act)
            if day:
                await self._sleep_until(night)
                await self.members.finish()
                self._night = day
                await self._check()
                if self._deploys:
                    await self.bot.deploy(_DEPLOY_SECONDS)
            for act in [a for a in acts if a[0] >= night]:
                await self._sleep_until(act[0])
                self.members.begin(act)

    async def _sleep_until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds - asyncio.get_running_loop().time()))

    async def _check(self) -> None:
        now, bot, world = self._clocks.discord_now(), self.bot.bot, self.world
        assert bot is not None
        gone = {server.guild.id: spans for server, spans in self.members.gone.items()}
        copy = self._folder / "night.db"
        back_up(self.bot.file, copy)
        since = milliseconds(now - timedelta(days=_REMEMBERED))
        found = invariants.seen(invariants.Facts(copy, world, since))
        found += unanswered(world, self.bot.outages)
        found += checks.calls_to_gone(world, gone)
        found += await checks.overdue(bot.features, now)  # type: ignore[arg-type]
        found += checks.dailies(copy, self._expected(now - timedelta(minutes=1)), now)
        found += checks.shared_questions(copy)
        found += partners.partners(copy, world, now)
        found += checks.promised(copy, self.members.promised)
        if self._night in _MEASURED or self._night == self._days:
            self._measure(copy)
            found += invariants.stored(copy, world)
            found += checks.streaks(copy, now)
            found += partners.interviews(copy)
        found += invariants.trouble(self._new_log())
        found += [f"429: {world.limits.refused}"] if world.limits.refused else []
        for wrong in (world.violations, world.unknown, world.errors, self.members.wrong):
            found += wrong
            wrong.clear()
        self.broken += [f"night {self._night}: {line}" for line in found]
        copy.unlink()
        await self.members.forget(_REMEMBERED + 0.5)
        lines = [
            f"month: night {self._night} of {self._days}, {self._seconds():.0f} s, "
            f"{self.members.did.total():,} acts, {len(self.broken)} broken",
            *(kinds_of(found) if found else ()),
        ]
        print("\n".join(lines), file=sys.stderr, flush=True)

    def _seconds(self) -> float:
        return time.perf_counter() - self._began

    def _new_log(self) -> str:
        text = self.bot.log
        new = text[self._log_read :]
        self._log_read = len(text)
        return new

    def _expected(self, until: datetime) -> dict[checks.Schedule, checks.Expected]:
        def moment(seconds: float) -> datetime:
            return START + timedelta(seconds=min(seconds, 1e9))

        wanted = {}
        for server, schedules in self.members.rules.items():
            gone = [(moment(left), moment(back)) for left, back in self.members.gone[server]]
            for number, told in schedules.items():
                rules = [(moment(since), at, zone) for since, at, zone in told]
                wanted[server.guild.id, number] = checks.expected(rules, gone, until)
        return wanted

    def _measure(self, copy: Path) -> None:
        """Note what grows from one measured night to the next."""
        objects = objects_in_use()
        with closing(sqlite3.connect(copy)) as conn:
            tables = conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            rows = [
                conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in tables
            ]
        megabytes = copy.stat().st_size / 2**20
        self._figures.append(f"| {self._night} | {objects:,} | {sum(rows):,} | {megabytes:.1f} |")

    def report(self, title: str) -> str:
        """Return the whole report as Markdown; it ends with the broken invariants."""
        gateway = self.world.gateway
        lines = [
            f"# A month: {title}",
            "",
            f"{self._seconds() / 60:.1f} minutes, {self.bot.starts} starts, {gateway.identified} "
            f"sessions begun, {gateway.resumed} resumed, {gateway.doubled} interactions doubled.",
            "",
            "| after day | objects of the bot and discord.py | rows of all tables | database, MB |",
            "|---|---|---|---|",
            *self._figures,
            "",
            "| act | times |",
            "|---|---|",
            *(f"| {name} | {times} |" for name, times in sorted(self.members.did.items())),
            "",
            "## Broken invariants",
            "",
            *kinds_of(self.broken),
        ]
        return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
