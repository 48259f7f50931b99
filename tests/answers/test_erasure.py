"""The log after a member or a server is erased, and what an export shows."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fsrs import Rating
from msgspec.structs import replace
from sqlalchemy import Connection, select

from bot.answers import store as answer_log
from bot.answers.model import Answer
from bot.answers.store import CHALLENGE, DAILY, ROUND, answers
from bot.answers.totals import SUMS
from bot.app import HELD
from bot.core.database import Database
from bot.core.errors import UserError
from bot.core.personal import Erase, Row
from bot.core.tables import count_rows, fetch_all
from bot.memory import store as memory
from tests.answers.entries import DAY, counted, store_counted
from tests.challenges import play as challenges
from tests.stage import ALWINA, BOB, GUILD, Stage

EVER = date(2026, 1, 1)
ERASE = HELD.members["answers"]


def erase_all(conn: Connection, erase: Erase, whose: int) -> None:
    """Erase everything, a little at a time."""
    while erase(conn, whose, 2):
        pass


def erase_server(conn: Connection) -> None:
    for erase in HELD.servers.values():
        erase_all(conn, erase, GUILD)


async def log(database: Database) -> list[Answer]:
    query = select(answers).order_by(answers.c.question_id, answers.c.user_id)
    return await database.read(lambda conn: fetch_all(conn, query, Answer))


async def play(stage: Stage) -> None:
    """Play a round of one question."""
    round_id = await stage.start(1)
    assert await stage.next_card(round_id)
    await stage.answer(ALWINA, after=1)
    await stage.answer(BOB, right=False, after=2)
    assert not await stage.next_card(round_id)


async def test_an_erased_member(stage: Stage) -> None:
    """Their counted answer stays in statistics under a random id, and on no board."""
    await play(stage)
    (given,) = [answer for answer in await stage.answers() if answer.user_id == ALWINA]
    await stage.database.write(erase_all, ERASE, ALWINA)
    (kept,) = [answer for answer in await stage.answers() if answer.user_id != BOB]
    assert kept.user_id < 0
    assert kept == replace(given, user_id=kept.user_id, paid=None, rating=None)
    found = await stage.database.read(
        lambda conn: {answer.user_id for answer in answer_log.latest_on(conn, GUILD, EVER, 9)}
    )
    assert found == {kept.user_id, BOB}
    points = await stage.database.read(answer_log.points_between, GUILD, EVER, date(2028, 1, 1))
    assert points.keys() == {BOB}


async def test_an_erased_server(stage: Stage) -> None:
    """Members keep what they have learned; server, date, points, team and streak are cut."""
    await play(stage)
    before = await stage.answers()

    cards = await stage.database.read(memory.cards_of, ALWINA)
    await stage.database.write(erase_server)
    cut = dict.fromkeys(("guild_id", "local_date", "paid", "team_id", "streak"))
    assert await stage.answers() == [replace(answer, **cut) for answer in before]  # type: ignore[arg-type]
    for item_id in cards:
        await stage.database.write(memory.replay, ALWINA, item_id)
    assert await stage.database.read(memory.cards_of, ALWINA) == cards
    assert set((await stage.database.read(count_rows, SUMS)).values()) == {0}


@pytest.mark.parametrize("source", [ROUND, CHALLENGE, DAILY])
async def test_a_server_that_is_erased_while_it_plays(stage: Stage, source: str) -> None:
    """Open questions go with their answers, and clicks on cards that are left are refused."""
    answer: Any = stage.bot.open_questions.answer
    if source == ROUND:
        await stage.start(2)
        await stage.run()
    if source == DAILY:
        await stage.set_up("12:30")
        await stage.wait(hours=1)
        answer = stage.bot.dailies.answer
    if source == CHALLENGE:
        asked = await challenges.take(stage, await challenges.start(stage), ALWINA)
        answer = stage.bot.challenge_players.answer
        click = challenges.click(stage, asked)
    else:
        click = stage.click(ALWINA)
    await answer(click)

    await stage.database.write(erase_server)
    for user_id in (ALWINA, BOB):
        with pytest.raises(UserError):
            await answer(replace(click, user_id=user_id))
    assert [a.guild_id for a in await log(stage.database)] == [None] * (source == DAILY)
    assert await stage.next_due() is None


async def test_a_server_keeps_no_answers_without_memory(database: Database) -> None:
    """Answers of erased members and to open questions go with the server; misses stay."""
    erased = replace(counted(GUILD, -9, 50), paid=None)
    to_open = counted(GUILD, ALWINA, 50, source=DAILY)
    rated = replace(counted(GUILD, ALWINA, 50), rating=3)
    others = replace(counted(GUILD + 1, ALWINA, 50), rating=3)

    def work(conn: Connection) -> None:
        store_counted(conn, [to_open, rated, others])
        answer_log.add(conn, erased)
        erase_all(conn, HELD.servers["answers"], GUILD)

    await database.write(work)
    found = await log(database)
    assert [(answer.question_id, answer.guild_id) for answer in found] == [
        (rated.question_id, None),
        (others.question_id, GUILD + 1),
    ]


async def test_an_export_tells_no_verdict_before_the_count(database: Database) -> None:
    """Verdict and points are in the file once the answer is counted."""
    open_now = replace(counted(GUILD, ALWINA, 90), local_date=None, paid=None)
    told = replace(counted(GUILD, ALWINA, 90), rating=Rating.Good.value)
    missed = replace(
        counted(GUILD, ALWINA, 0, right=False, source=CHALLENGE),
        answer=None,
        local_date=None,
        paid=None,
        rating=1,
    )

    def work(conn: Connection) -> list[Row]:
        for answer in (open_now, told, missed, counted(GUILD, BOB, 5)):
            answer_log.add(conn, answer)
        return list(HELD.exports["answers"](conn, ALWINA))

    shown = ("source", "correct", "points", "paid", "rating")
    found = await database.write(work)
    assert [tuple(row[name] for name in shown) for row in found] == [
        (CHALLENGE, False, 0, None, 1),
        (ROUND, None, None, None, None),
        (ROUND, True, 90, 90, 3),
    ]
    assert {row["server_id"] for row in found} == {str(GUILD)}
    assert found[-1]["local_date"] == DAY.isoformat()
