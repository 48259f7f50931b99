"""What members do most, and a start, on databases with nothing behind them and with years of servers."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from benchmarks.client import Client
from benchmarks.measure import percentile
from benchmarks.options import Options, scratch
from benchmarks.past import BUSY, CARDS, REGULARS, Size, daily_of, filled, member
from benchmarks.stub.payloads import channel_id, guild_id
from benchmarks.stub.server import Stub
from benchmarks.table import Figure, Section, absolute
from bot.app import Services
from bot.core.clicks import Click
from bot.core.clock import DiscordClock
from bot.core.context import Context
from bot.core.database import open_database
from bot.core.jobs import Scheduler
from bot.core.processes import tune_interpreter
from bot.points.rules import PERIODS
from bot.practice.service import Asking
from bot.questions.bank import load_packs
from bot.questions.banks import Banks
from tests.fakes import Clock, FakeSender

SIZES = (0, 100_000, 5_000_000)
_CALLS, _WARM_UP = 320, 40
_IN_A_ROW = 8
"""Questions that a member practises in a row: first those that are due, then new ones."""
_STARTS = 3
_GOAL_MS, _GOAL_RATIO, _GOAL_START = 5.0, 1.3, 1.0
Taken = dict[str, list[float]]
"""By what was done: how many milliseconds it took, each time."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A server's member who is asked."""

    server: int
    user: int

    @property
    def guild(self) -> int:
        return guild_id(self.server)


async def section(options: Options) -> Section:
    """Databases of all sizes take turns, round by round; then the bot is started on each of them."""
    sizes = [Size(n) for n in (SIZES[:2] if options.quick else SIZES)]
    with scratch() as folder:
        now = datetime.now(UTC)
        files = [
            await filled(folder / f"{size.questions}.db", size, load_packs(), now) for size in sizes
        ]
        tune_interpreter()  # as the bot does
        rounds = [
            [await timed(file, size, now, seed) for file, size in zip(files, sizes, strict=True)]
            for seed in range(options.rounds)
        ]
        started = []
        for file in files:
            (folder / file.stem).mkdir()
            file.rename(folder / file.stem / "bot.db")
            started.append(
                await starts(folder / file.stem, min(options.rounds, _STARTS), _servers(options))
            )
    largest = sizes[-1]
    made = Section(
        "A database with a past",
        f"Use cases one after the other, each from the call to its return, {_CALLS} of each for regulars of {BUSY} "
        f"servers, who have met {CARDS} items in every database. An answer with the next question is two commits, one "
        "to a daily one; each waits for what is left to do of the one before. Behind "
        f"{largest.questions:,} questions of rounds are {largest.servers:,} servers, with a daily on {largest.days} "
        f"days. The bot is started on {_servers(options):,} servers.",
    )
    for name in rounds[0][0]:
        made.figures += _figures(name, sizes, [[taken[name] for taken in each] for each in rounds])
    for size, seconds in zip(sizes, started, strict=True):
        made.figures.append(absolute(f"start to READY: {size.questions:,}", seconds, "s"))
    later = min(started[-1]) - min(started[0])
    title = f"start to READY: {largest.questions:,} later than 0"
    made.figures.append(absolute(title, [later], "s", goal=_GOAL_START))
    return made


def _figures(name: str, sizes: list[Size], rounds: list[list[list[float]]]) -> list[Figure]:
    """`rounds`: what each round took, by size, call by call."""
    made, largest = [], sizes[-1].questions
    for share, shown in ((0.5, "p50"), (0.99, "p99")):
        by_size = [[percentile(each[k], share) for each in rounds] for k in range(len(sizes))]
        for size, values in zip(sizes, by_size, strict=True):
            goal = _GOAL_MS if shown == "p99" and size is sizes[-1] else None
            made.append(absolute(f"{name}, {size.questions:,}: {shown}", values, "ms", goal=goal))
        ratios = [large / small for small, large in zip(by_size[0], by_size[-1], strict=True)]
        made.append(
            absolute(f"{name}, {largest:,} against 0: {shown}", ratios, "×", goal=_GOAL_RATIO)
        )
    return made


async def timed(file: Path, size: Size, now: datetime, seed: int) -> Taken:
    """Let regulars do everything. With each seed others practise and answer, as a daily takes one answer of each."""
    places = [
        _Place(server, member(server, number))
        for number in range(REGULARS)
        for server in range(BUSY)
    ]
    random.Random(7).shuffle(places)
    answering, practising = _WARM_UP + _CALLS, (_WARM_UP + _CALLS) // _IN_A_ROW
    rng = random.Random(seed)
    async with open_database(URL.create("sqlite", database=str(file))) as database:
        clock = Clock(now)
        context = Context(
            database,
            Banks(load_packs()),
            DiscordClock(clock),
            rng,
            Scheduler(database.read, clock),
            sender=FakeSender(clock),
        )
        services = Services(context)
        taken = {
            "practice, answer and next question": await _practise(
                services, places[seed * practising :][:practising], now
            ),
            "answer to the daily": await _each(
                [
                    _answer(services, place, size, now)
                    for place in places[seed * answering :][:answering]
                ]
            ),
            "page of a board": await _each(
                [_board(services, place, rng) for place in rng.sample(places, answering)]
            ),
            "/stats": await _each(
                [_stats(services, place) for place in rng.sample(places, answering)]
            ),
        }
        await services.close()
    return {name: times[_WARM_UP:] for name, times in taken.items()}


Call = Callable[[], Awaitable[Any]]


async def _each(calls: list[Call]) -> list[float]:
    times = []
    for call in calls:
        began = time.perf_counter()
        await call()
        times.append((time.perf_counter() - began) * 1000)
    return times


async def _practise(services: Services, places: list[_Place], now: datetime) -> list[float]:
    """Members practise one after the other; the first question of each, which opens the practice, is not counted."""
    times: list[float] = []
    for place in places:
        screen = await services.practices.start(place.user, place.guild, now)
        for _ in range(_IN_A_ROW):
            assert isinstance(screen, Asking)
            click = Click(
                screen.question.id, 1, place.guild, 7, place.user, now, picks=(0,), text="no idea"
            )
            began = time.perf_counter()
            await services.practices.answer(click)
            screen = await services.practices.go_on(
                screen.question.practice_id, place.user, place.guild, now
            )
            times.append((time.perf_counter() - began) * 1000)
    return times


def _answer(services: Services, place: _Place, size: Size, now: datetime) -> Call:
    daily = daily_of(place.server, size)
    click = Click(daily, daily, place.guild, channel_id(place.server), place.user, now, picks=(0,))
    return lambda: services.dailies.answer(click)


def _board(services: Services, place: _Place, rng: random.Random) -> Call:
    period, page = rng.choice(PERIODS), rng.randrange(2)
    return lambda: services.boards.board(place.guild, place.user, period=period, page=page)


def _stats(services: Services, place: _Place) -> Call:
    return lambda: services.boards.stats(place.guild, place.user, place.user)


def _servers(options: Options) -> int:
    return 1000 if options.quick else 10_000


async def starts(folder: Path, count: int, servers: int) -> list[float]:
    """Seconds from the start of the process to READY, after one start that does not count."""
    seconds = []
    for number in range(1 + count):
        async with (
            Stub(servers=servers, channels=2, roles=2) as stub,
            Client("bot", stub, folder) as client,
        ):
            if number:
                seconds.append(client.started_in)
    return seconds
