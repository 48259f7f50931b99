"""Commands and scheduled steps cost the same after three years as after one.

The measure is the number of steps of SQLite's virtual machine, which grows with the rows that are
read and does not depend on the load of this computer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, Engine, event

from bot.core.clicks import Click
from bot.core.database import open_database
from bot.practice.model import Asking
from tests.banks import small_bank
from tests.history import ALWINA, CHANNEL, GUILD, NOW, fill
from tests.stage import Stage

YEAR = 365
Use = Callable[[Stage], Awaitable[Any]]


async def practise(stage: Stage) -> None:
    """Get a question, answer it, get the next."""
    asking = await stage.bot.practices.start(ALWINA, GUILD, NOW)
    assert isinstance(asking, Asking)
    question = asking.question
    text = "attention" if asking.item.kind == "typed" else None
    await stage.bot.practices.answer(Click(question.id, 1, GUILD, CHANNEL, ALWINA, NOW, (0,), text))
    await stage.bot.practices.go_on(question.practice_id, ALWINA, GUILD, NOW)


async def answer_daily(stage: Stage) -> None:
    [(daily_id, _)] = (await stage.bot.days.today(ALWINA, GUILD)).dailies
    copy = await stage.bot.dailies.copy(daily_id, GUILD, ALWINA)
    assert isinstance(copy, tuple)
    text = "attention" if (copy[0].item_id or "").endswith("d") else None
    await stage.bot.dailies.answer(Click(daily_id, 1, GUILD, CHANNEL, ALWINA, NOW, (0,), text))


async def see_today(stage: Stage) -> None:
    await stage.bot.days.today(ALWINA, GUILD)
    await stage.bot.dailies.others(GUILD, ALWINA)


async def play_round(stage: Stage) -> None:
    round_id = await stage.start(questions=1, channel_id=CHANNEL + 1)
    await stage.run()
    await stage.answer(ALWINA, post=stage.card(CHANNEL + 1))
    await stage.wait(minutes=2)
    assert (await stage.round(round_id)).phase == "ended"


async def post_daily(stage: Stage) -> None:
    """Close the daily that is open and post the next one; other servers' work stays due."""
    stage.clock.turn(days=1, hours=1)
    await stage.bot.schedule_work.work(1)
    keys = await stage.due(stage.bot.daily_work)
    assert len(keys) == 2
    for key in keys:
        await stage.bot.daily_work.work(key)
    assert [post.channel_id for post in stage.sender.posts] == [CHANNEL]


async def remind(stage: Stage) -> None:
    stage.clock.at = NOW + timedelta(minutes=31)
    await stage.bot.reminder_work.work(ALWINA)


USES: dict[str, Use] = {
    "a daily answer": answer_daily,
    "a post": post_daily,
    "practice": practise,
    "a round": play_round,
    "/today": see_today,
    "/daily": lambda stage: stage.status(),
    "/profile": lambda stage: stage.bot.profiles.read(GUILD, ALWINA, ALWINA),
    "/topics": lambda stage: stage.bot.topics.all(ALWINA, GUILD),
    "/leaderboard": lambda stage: stage.bot.boards.board(GUILD, ALWINA, period="all"),
    "/interview": lambda stage: stage.bot.interviews.start(ALWINA, GUILD),
    "a reminder": remind,
    "the start": lambda stage: stage.bot.recover(),
}


@contextmanager
def counting() -> Iterator[list[int]]:
    """Count SQLite's steps in connections that were opened under the fixture `counted`."""
    before = _done[0]
    count = [0]
    yield count
    count[0] = _done[0] - before


_done = [0]


def _tick() -> None:
    _done[0] += 1


def _count(connection: Any, _record: Any) -> None:
    connection.set_progress_handler(_tick, 1)


@pytest.fixture
def counted() -> Iterator[None]:
    event.listen(Engine, "connect", _count)
    yield
    event.remove(Engine, "connect", _count)


async def cost(file: Path, use: Use) -> int:
    async with open_database(URL.create("sqlite", database=str(file))) as database:
        stage = Stage(database, small_bank(8))
        stage.clock.at = NOW
        with counting() as count:
            await use(stage)
        return count[0]


@pytest.fixture(scope="module")
def pasts(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """Return a database after one year and one after three, as bytes by years."""
    made = {}
    for years in (1, 3):
        file = tmp_path_factory.mktemp("past") / "quiz.db"
        file.write_bytes(migrated.read_bytes())
        asyncio.run(_fill(file, years * YEAR))
        made[years] = file.read_bytes()
    return made


async def _fill(file: Path, days: int) -> None:
    async with open_database(URL.create("sqlite", database=str(file))) as database:
        await database.write(fill, days)


@pytest.mark.parametrize("name", USES)
@pytest.mark.usefixtures("counted")
async def test_a_long_past_costs_nothing(
    pasts: dict[int, bytes], tmp_path: Path, name: str
) -> None:
    """Two years later, the steps are at most a tenth more."""
    costs = []
    for years, content in pasts.items():
        file = tmp_path / f"{years}.db"
        file.write_bytes(content)
        costs.append(await cost(file, USES[name]))
    first, later = costs
    assert first > 0
    assert later <= first * 1.1
