"""`python -m soak.month --days 30 --seed N`: a month of habits in minutes, and what must hold after each night."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.core.backup import back_up
from bot.core.tables import milliseconds
from soak.checks import unanswered
from soak.month import checks
from soak.month.bot import Deployed, connected_to
from soak.month.clock import JumpingLoop, Machine
from soak.month.habits import DAY, NIGHT, Population, acts_of, people
from soak.month.life import Life
from soak.month.measure import Sample, memory, query_times, rows_of
from soak.month.report import report
from soak.report import kinds_of
from tests.crash import invariants
from tests.loopback.model import Guild
from tests.loopback.world import World

START = datetime(2026, 10, 12, tzinfo=UTC)
"""A Monday. Within a month from here the clocks change in Europe and in the United States, on different days."""
_REMEMBERED = 3
"""Days for which the loopback remembers what members saw; a daily is open for two at the longest."""
_DOWN = 12.0
"""Seconds that a deploy takes."""
_CLOCK_OFF = {8: 10.0, 11: 0.0, 15: -10.0, 18: 0.0}
"""After which night the host's clock is off by how many seconds: the bot is deployed on another machine."""
_MEASURED = (1, 10, 20, 30, 60, 90, 120)


def main() -> int:
    """0 if all holds, 1 if something is broken."""
    parser = argparse.ArgumentParser(prog="python -m soak.month", description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="how many days (30)")
    parser.add_argument("--servers", type=int, default=50, help="how many servers (50)")
    parser.add_argument(
        "--members", type=int, default=1000, help="how many members, on all servers together (1000)"
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=None,
        help="a number that decides the habits (a new one each time)",
    )
    parser.add_argument(
        "--one-process", action="store_true", help="never deploy: one process runs all the time"
    )
    parser.add_argument(
        "--keep", type=Path, help="an empty folder for the database and the bot's log"
    )
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    memory_disk = (
        "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    )  # what a disk does is for `make crash`
    folder = options.keep or Path(tempfile.mkdtemp(prefix="quizformer-month-", dir=memory_disk))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    loop = JumpingLoop()
    machine = Machine(loop, START)
    population = people(seed, options.servers, options.members, options.days)
    with machine.in_place(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        month = Month(
            folder, machine, population, seed, options.days, deploys=not options.one_process
        )
        broken = runner.run(month.run())
    print(month.report())
    if not broken and options.keep is None:
        shutil.rmtree(folder)
    else:
        print(f"month: database and log are in {folder}", file=sys.stderr)
    return 1 if broken else 0


class Month:
    """One run. `broken`: sentences about what does not hold, each with its night."""

    def __init__(
        self,
        folder: Path,
        machine: Machine,
        population: Population,
        seed: int,
        days: int,
        *,
        deploys: bool,
    ) -> None:
        self._folder = folder
        self._machine = machine
        self._population = population
        self._seed = seed
        self._days = days
        self._deploys = deploys
        self._began = time.perf_counter()
        self._log_read = 0
        self.world = World()
        self.bot = Deployed(self.world, folder)
        self.life = Life(self.world, self.bot, machine, population, seed)
        self.samples: list[Sample] = []
        self.broken: list[str] = []

    async def run(self) -> list[str]:
        """Live through all days and the nights after them; what is broken."""
        self.bot.write_log()
        self.world.gateway.event_delay = 0.05
        async with self.world:
            with connected_to(self.world):
                self.life.settle()
                await self.bot.start()
                try:
                    await self._live()
                finally:  # it must not go on without its Discord
                    await self.bot.stop()
        self.broken += [f"the bot's end: {line}" for line in invariants.trouble(self._new_log())]
        return self.broken

    async def _live(self) -> None:
        await self.life.set_up()
        for day in range(self._days):
            for act in acts_of(self._population, self._seed, day):
                await self._night_before(act.at)
                await self._until(act.at)
                self.life.begin(act)
        await self._night_before(self._days * DAY + DAY)

    _night = 1

    async def _night_before(self, at: float) -> None:
        """Live through the next night if it begins before then. The first is after a whole day and what follows."""
        if self._night <= self._days and self._night * DAY + NIGHT <= at:
            await self._until(self._night * DAY + NIGHT)
            await self.life.rest()
            await self._measure()  # first: the checks hold the whole past in memory
            await self._check()
            self._machine.off = _CLOCK_OFF.get(self._night, self._machine.off)
            if self._deploys:
                await self.bot.deploy(_DOWN)
            self._tell()
            self._night += 1

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds - asyncio.get_running_loop().time()))

    # --- what must hold

    async def _check(self) -> None:
        now, bot = self._machine.discord_now(), self.bot.bot
        assert bot is not None
        since = milliseconds(now - timedelta(days=_REMEMBERED))
        copy = self._copy()
        found = invariants.seen(invariants.read(copy, self.world, since))
        found += unanswered(self.world, self.bot.outages)
        found += checks.calls_to_gone(self.world, self.world.calls, self._gone_spans())
        found += await checks.overdue(bot.features, now)  # type: ignore[arg-type]
        found += checks.dailies(copy, self._expected(now), now)
        found += checks.told(copy, self.life.told)
        if self._night in _MEASURED or self._night == self._days:
            found += invariants.stored(invariants.read(copy, self.world))
            found += checks.streaks(copy)
            found += await checks.sums(copy)
        found += invariants.trouble(self._new_log())
        found += [f"429: {self.world.limits.refused}"] if self.world.limits.refused else []
        found += self.life.wrong
        for noted in (
            self.world.violations,
            self.world.unknown,
            self.world.errors,
            self.life.wrong,
        ):
            noted.clear()
        self.broken += [f"night {self._night}: {line}" for line in found]
        for line in kinds_of(found) if found else ():
            print(line, file=sys.stderr, flush=True)
        copy.unlink()
        await self.life.forget(_REMEMBERED + 0.5)

    def _copy(self) -> Path:
        copy = self._folder / f"night-{self._night}.db"
        copy.unlink(missing_ok=True)
        back_up(self.bot.file, copy)
        return copy

    def _new_log(self) -> str:
        text = self.bot.log
        new, self._log_read = text[self._log_read :], len(text)
        return new

    def _gone_spans(self) -> dict[int, list[tuple[float, float]]]:
        guilds = self.life.guilds
        return {
            guilds[n].id: [(left, back) for left, back in spans]
            for n, spans in self.life.gone.items()
        }

    def _expected(self, now: datetime) -> dict[int, checks.Expected]:
        """What each server's dailies must be, if they had a minute's time."""

        def moment(seconds: float) -> datetime:
            return START + timedelta(seconds=min(seconds, 10 * 366 * DAY))

        wanted = {}
        for number, rules in self.life.rules.items():
            gone = [(moment(left), moment(back)) for left, back in self.life.gone.get(number, ())]
            told = [(moment(since), at, zone) for since, at, zone in rules]
            wanted[self._guild(number).id] = checks.expected(told, gone, now - timedelta(minutes=1))
        return wanted

    def _guild(self, number: int) -> Guild:
        return self.life.guilds[number]

    # --- what it takes

    async def _measure(self) -> None:
        if self._night not in _MEASURED and self._night != self._days:
            return
        assert self.bot.bot is not None
        taken = memory(self.world)
        copy = self._copy()
        times = await query_times(copy, self.bot.bot.context.banks, self._machine.discord_now())
        size = copy.stat().st_size / 2**20
        self.samples.append(Sample(self._night, taken, rows_of(self.bot.file), size, times))
        for file in self._folder.glob(f"{copy.name}*"):
            file.unlink()
        gc.collect()

    def _tell(self) -> None:
        took = time.perf_counter() - self._began
        print(
            f"month: night {self._night} of {self._days} after {took:.0f} s, "
            f"{sum(self.life.did.values()):,} deeds, {len(self.broken)} broken",
            file=sys.stderr,
            flush=True,
        )

    def report(self) -> str:
        facts = [
            (
                "days, servers, members",
                f"{self._days}, {len(self.life.guilds)}, {len(self.life.members)}",
            ),
            ("minutes that it took", f"{(time.perf_counter() - self._began) / 60:.1f}"),
            ("starts of the bot", self.bot.starts),
            (
                "sessions begun, resumed",
                f"{self.world.gateway.identified}, {self.world.gateway.resumed}",
            ),
            ("interactions delivered twice", self.world.gateway.doubled),
            ("429 that the bot earned", self.world.limits.refused),
            ("broken invariants", len(self.broken)),
        ]
        return report(f"seed {self._seed}", facts, self.samples, self.life.did, self.broken)


if __name__ == "__main__":
    sys.exit(main())
