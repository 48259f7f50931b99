"""The database with a past on which benchmarks are run: it is one that the bot could have made."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, func, select, text

from benchmarks import past
from benchmarks.past import Size, daily_of, filled, member
from benchmarks.stub.payloads import channel_id, guild_id
from bot.core.clicks import Click
from bot.core.database import open_database
from bot.daily.store import dailies, streak_of
from bot.points.store import ledger, rebuild_sums, score_buckets, scores
from bot.practice.service import Asking
from bot.rounds.store import round_answers, round_questions
from tests.banks import small_bank
from tests.fakes import START
from tests.stage import Stage

pytestmark = pytest.mark.thorough

SIZE = Size(1500)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few servers and days, in the same proportions."""
    for name, value in {"BUSY": 3, "REGULARS": 5, "CARDS": 8, "DUE": 2, "_DAYS": 40}.items():
        monkeypatch.setattr(past, name, value)


def content(conn: Connection) -> dict[str, set[tuple[object, ...]]]:
    return {
        table.name: {tuple(row) for row in conn.execute(select(table))}
        for table in (scores, score_buckets)
    }


def opened(conn: Connection) -> list[int]:
    return list(conn.execute(select(dailies.c.id).where(dailies.c.state == "open")).scalars())


@pytest.mark.usefixtures("small")
async def test_a_past_is_one_that_the_bot_could_have_made(tmp_path: Path) -> None:
    """Every answer is in the ledger, the sums are those of the ledger, and no row refers to one that is not there."""
    file = await filled(tmp_path / "past.db", SIZE, small_bank(8), START)
    async with open_database(URL.create("sqlite", database=str(file))) as database:

        def look(conn: Connection) -> tuple[int, int, int, list[object]]:
            given = conn.execute(select(func.count()).select_from(round_answers)).scalar_one()
            given += conn.execute(text("SELECT count(*) FROM daily_answers")).scalar_one()
            asked = conn.execute(select(func.count()).select_from(round_questions)).scalar_one()
            lines = conn.execute(select(func.count()).select_from(ledger)).scalar_one()
            return given, lines, asked, [*conn.execute(text("PRAGMA foreign_key_check"))]

        given, lines, asked, lost = await database.read(look)
        assert (given, asked, lost) == (lines, SIZE.questions, [])
        assert given > SIZE.questions
        before = await database.read(content)
        assert await database.write(rebuild_sums) == lines
        assert await database.read(content) == before


@pytest.mark.usefixtures("small")
async def test_regulars_go_on_where_the_past_ends(tmp_path: Path) -> None:
    """On any past they practise what is due and answer the daily of today, which goes on with their streak."""
    for size in (Size(0), SIZE):
        file = await filled(tmp_path / f"{size.questions}.db", size, small_bank(8), START)
        async with open_database(URL.create("sqlite", database=str(file))) as database:
            stage = Stage(database, small_bank(8))
            await stage.bot.recover()
            user, guild = member(1, 0), guild_id(1)
            asking = await stage.bot.practices.start(user, guild, START)
            assert isinstance(asking, Asking)
            assert asking.due == 1
            daily = daily_of(1, size)
            click = Click(daily, daily, guild, channel_id(1), user, START, picks=(0,))
            verdict = await stage.bot.dailies.answer(click)
            assert verdict.streak.current >= 2
            assert await database.read(streak_of, guild, user, START) == verdict.streak
            assert len(await database.read(opened)) == size.servers
