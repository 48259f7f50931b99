"""The most frequent use cases, on a database of a few days and on one of five years."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean
from typing import Any

from sqlalchemy import URL

from benchmarks.measure import percentile, scratch
from benchmarks.table import Figure, Section
from bot.core.clicks import Click
from bot.core.database import open_database
from bot.core.processes import tune_interpreter
from bot.practice.model import Asking
from tests.shipped import packs
from tests.stage import CHANNEL, GUILD, Stage

TITLE = "A past of years"
_NOW = datetime(2027, 1, 4, 12, tzinfo=UTC)
_MEMBERS = range(101, 109)
_PRACTISING = _MEMBERS[:2]
_PRACTISED = 4
"""Questions that each practising member answers a day."""
_MEASURED_DAYS = 25


class Stopwatch:
    """Milliseconds of time, and of this process's CPU in all threads, by what was done."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = defaultdict(list)
        self.cpu: dict[str, list[float]] = defaultdict(list)

    async def time(self, name: str, work: Awaitable[Any]) -> Any:
        began, used = time.perf_counter(), time.process_time()
        result = await work
        self.times[name].append(1000 * (time.perf_counter() - began))
        self.cpu[name].append(1000 * (time.process_time() - used))
        return result


async def section(quick: bool) -> Section:
    """Live through a few days, and through years, and measure what comes after."""
    pasts = (5, 60 if quick else 5 * 365)
    figures = []
    for past in pasts:
        with scratch() as folder:
            watch = await _lived(folder / "bot.db", past)
        for name, times in watch.times.items():
            title = f"{name} after {past:,} days"
            figures += [
                Figure(f"{title}: p99", "ms", [percentile(times, 0.99)]),
                Figure(f"{title}: CPU, mean", "ms", [mean(watch.cpu[name])]),
            ]
    return Section(
        TITLE,
        "Use cases in this process, one after the other, from the call to its return. The past is "
        f"lived by the bot's own services: a daily every day, which {len(_MEMBERS)} members "
        f"answer; {len(_PRACTISING)} of them practise {_PRACTISED} questions a day. A practice "
        "step is an answer and the next question.",
        figures,
    )


async def _lived(file: Path, days: int) -> Stopwatch:
    """Let this many days pass, and measure on the days after them."""
    async with open_database(URL.create("sqlite", database=str(file))) as database:
        stage = Stage(database, packs())
        stage.clock.at = _NOW - timedelta(days=days)
        await stage.set_up(at="11:00")
        for _ in range(days):
            await _day(stage, Stopwatch())
        for user in _PRACTISING:
            await stage.bot.plans.set(user, GUILD, "2027-03-01", "15")
        tune_interpreter()  # as the bot does
        watch = Stopwatch()
        for _ in range(_MEASURED_DAYS):
            await _day(stage, watch)
            for user in _PRACTISING:
                await watch.time("/plan", stage.bot.plans.page(user, GUILD))
        return watch


async def _day(stage: Stage, watch: Stopwatch) -> None:
    """Let a day pass: the old daily closes, a new one comes, members answer it and practise."""
    await stage.wait(days=1)
    for user in _MEMBERS:
        await watch.time("a daily answer", stage.answer_daily(user, right=user % 2 == 0))
    practices, now = stage.bot.practices, stage.clock()
    for user in _PRACTISING:
        screen = await practices.start(user, GUILD, now)
        for _ in range(_PRACTISED):
            if not isinstance(screen, Asking):
                screen = await practices.more(user, GUILD, now)
            assert isinstance(screen, Asking)
            question = screen.question
            click = Click(question.id, 1, GUILD, CHANNEL, user, now, picks=(0,), text="no idea")
            screen = await watch.time("a practice step", _step(stage, click, question.practice_id))
    stage.sender.posts = stage.sender.posts[-1:]
    stage.sender.edits.clear()


async def _step(stage: Stage, click: Click, practice_id: int) -> Any:
    await stage.bot.practices.answer(click)
    return await stage.bot.practices.go_on(practice_id, click.user_id, GUILD, click.at)
