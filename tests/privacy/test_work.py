"""Servers that have removed the bot: what becomes of their data, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from bot.answers.store import answers
from bot.app import HELD, all_tables
from bot.core.database import Database
from bot.core.tables import count_rows, metadata
from bot.privacy import store
from bot.privacy.model import Erasing
from bot.privacy.store import erasures
from bot.privacy.work import RETRY
from bot.rounds.store import round_questions
from tests import history
from tests.fakes import Crash
from tests.privacy.failing import fail_after
from tests.stage import ALWINA, BOB, CHANNEL, GUILD, Stage

OTHER = GUILD + 1
DAYS = 30


async def live(stage: Stage) -> None:
    """A round and two dailies on a server; its members are known on another one too."""
    round_id = await stage.start(questions=2)
    while await stage.next_card(round_id):
        await stage.answer(ALWINA, after=2)
        await stage.answer(BOB, after=3)
    await stage.set_up(at="13:00")
    await stage.wait(hours=1)
    await stage.answer_daily(ALWINA)
    await stage.bot.reports.add("t1-a", GUILD, ALWINA, "odd")
    stage.bot.names.set(OTHER, ALWINA, "Alwina elsewhere")
    await stage.bot.names.flush()


async def leave(stage: Stage, guild_id: int = GUILD) -> None:
    stage.sender.left.add(guild_id)
    await stage.bot.left(guild_id)


async def rows_of(stage: Stage, guild_id: int = GUILD) -> dict[str, int]:
    """Return the number of rows that each table has of a server, without empty tables."""

    def count(conn: Connection) -> dict[str, int]:
        columns = [t.c.guild_id for t in all_tables() if "guild_id" in t.c and t is not erasures]
        counts = {
            c.table.name: conn.execute(select(func.count()).where(c == guild_id)).scalar_one()
            for c in columns
        }
        return {name: number for name, number in counts.items() if number}

    return await stage.database.read(count)


async def waiting(stage: Stage) -> int:
    return await stage.database.read(
        lambda conn: conn.execute(select(func.count()).select_from(erasures)).scalar_one()
    )


async def test_a_server_that_stays_away(stage: Stage) -> None:
    """Its data go after thirty days, not before, and across restarts; its members keep what they have learned."""
    await live(stage)
    assert len(await rows_of(stage)) > 9
    await leave(stage)
    await stage.wait(days=DAYS, minutes=-5)
    before = await rows_of(stage)
    assert len(before) > 9
    await stage.restart(minutes=10)
    await stage.run()
    assert await rows_of(stage) == {}
    assert await rows_of(stage, OTHER) == {"member_names": 1}
    left = await stage.database.read(count_rows, _of_the_server())
    assert left.pop("answers") == 5  # of members' memory
    assert left.pop("member_names") == 1
    assert set(left.values()) == {0}
    assert await waiting(stage) == 0


def _of_the_server() -> list[Any]:
    """Return the tables of servers."""
    return [metadata.tables[name] for name in HELD.servers]


async def test_a_server_that_comes_back(stage: Stage) -> None:
    """In time, it keeps all; the next departure counts from its own day."""
    await live(stage)
    await leave(stage)
    await stage.wait(days=DAYS, hours=-1)
    before = await rows_of(stage)
    stage.sender.left.clear()
    await stage.bot.wake(GUILD)
    assert await waiting(stage) == 0
    await leave(stage)
    await stage.wait(days=DAYS, hours=-1)
    assert await rows_of(stage) == before
    await stage.wait(hours=2)
    assert await rows_of(stage) == {}


async def test_who_is_away_for_longer_is_told_apart(stage: Stage) -> None:
    """A second note of the same departure moves nothing; a process that has the server after all erases nothing."""
    await live(stage)
    await leave(stage)
    await stage.wait(days=DAYS - 1)
    await stage.bot.left(GUILD)
    stage.sender.left.clear()  # and nobody heard of the return
    await stage.wait(days=1, minutes=1)
    assert len(await rows_of(stage)) > 9
    row = await stage.database.read(store.get, 1)
    assert row is not None
    assert row.state is Erasing.WAITING
    assert timedelta(0) < row.due_at - stage.clock() <= RETRY
    stage.sender.left.add(GUILD)
    await stage.wait(hours=1)
    assert await rows_of(stage) == {}


async def test_what_nobody_heard_of(stage: Stage) -> None:
    """Each connection records servers that removed the bot, and clears those that have it again."""
    await live(stage)
    await stage.bot.look_over()
    assert await waiting(stage) == 0
    stage.sender.left.add(OTHER)
    await stage.bot.look_over()
    assert await stage.database.read(store.departed) == {OTHER}
    stage.sender.left = {GUILD}
    await stage.bot.look_over()
    assert await stage.database.read(store.departed) == {GUILD}
    stage.sender.left = {OTHER}
    await stage.bot.look_over()
    await stage.wait(days=DAYS, hours=1)
    assert len(await rows_of(stage)) > 9
    assert await rows_of(stage, OTHER) == {}


async def test_a_removal_during_the_look(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Discord says while servers are looked over counts, not what was known before."""
    await live(stage)
    read = stage.database.read

    async def slowly(work: Any, *args: Any, **kwargs: Any) -> Any:
        found = await read(work, *args, **kwargs)
        if work is store.known_servers:
            await leave(stage)
        return found

    with monkeypatch.context() as patch:
        patch.setattr(stage.database, "read", slowly)
        await stage.bot.look_over()
    assert await stage.database.read(store.departed) == {GUILD}


async def test_all_servers_are_known(database: Database) -> None:
    """Whatever is stored of a server, it is found, by few looks."""
    await database.write(history.fill, 3)
    known = await database.read(store.known_servers, list(HELD.servers))
    assert known == {GUILD, *range(1000, 1000 + history.OTHERS)}


async def test_a_crash_while_a_server_goes(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next process finishes an erasure that has begun, even if the bot was added again."""
    await live(stage)
    await leave(stage)
    monkeypatch.setattr("bot.privacy.work.PORTION", 1)
    with monkeypatch.context() as patch:
        fail_after(stage, patch, 2, Crash())
        with pytest.raises(Crash):
            await stage.wait(days=DAYS, hours=1)
    assert await rows_of(stage) != {}
    stage.sender.left.clear()
    await stage.bot.wake(GUILD)
    await stage.restart(seconds=1)
    await stage.run()
    assert await rows_of(stage) == {}


async def test_no_question_gets_an_old_id(stage: Stage) -> None:
    """Ids of erased rows are not used again: members' answers in the log still have them."""
    await live(stage)

    def newest(conn: Connection) -> int:
        return conn.execute(select(func.max(round_questions.c.id))).scalar_one() or 0

    last = await stage.database.read(newest)
    await leave(stage)
    await stage.wait(days=DAYS, hours=1)
    stage.sender.left.clear()
    round_id = await stage.start(questions=1, channel_id=CHANNEL + 1)
    assert (await stage.question(round_id)).id > last
    assert await stage.next_card(round_id)
    await stage.answer(ALWINA, post=stage.card(CHANNEL + 1), after=2)
    await stage.answer(BOB, post=stage.card(CHANNEL + 1), after=2)
    await stage.wait(minutes=1)
    assert await stage.database.read(count_rows, [answers]) == {"answers": 7}
