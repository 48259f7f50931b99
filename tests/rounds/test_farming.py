"""Who plays the same few questions over and over for points on the boards, alone or with a second account beside."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy import Connection, func, select

from bot.answers.store import answers
from tests.stage import ALWINA, BOB, Stage

ITEMS = 4
"""A topic of the small bank has so many, so that each round of it asks the same ones."""


async def play(stage: Stage, *members: int) -> None:
    """A whole round of the topic, in which these members answer everything right, and fast."""
    round_id = await stage.start(ITEMS, topic_id="t1")
    while await stage.next_card(round_id):
        for member in members:
            await stage.answer(member, after=1)


async def most_of_an_item(stage: Stage) -> int:
    """The most that one item has won one member."""

    def look(conn: Connection) -> int:
        won = (
            select(func.sum(answers.c.paid).label("won"))
            .group_by(answers.c.user_id, answers.c.item_id)
            .subquery()
        )
        return int(conn.execute(select(func.max(won.c.won))).scalar_one())

    return await stage.database.read(look)


async def test_a_farmer_alone_wins_nothing(stage: Stage) -> None:
    """Rounds of one player count in their standings, on no board."""
    for _ in range(3):
        await play(stage, ALWINA)
    given = await stage.answers()
    assert Counter(a.user_id for a in given if a.points > 90) == {ALWINA: 3 * ITEMS}
    assert await stage.check_points() == {ALWINA: 0}


async def test_a_farmer_with_a_second_account_wins_once_in_thirty_days(stage: Stage) -> None:
    """However often they play together, an item wins each of them a hundred points at most until the days are over."""
    began = stage.clock()
    for day in (0, 0, 0, 15, 29):
        await stage.until(max(stage.clock(), began + timedelta(days=day)))
        await play(stage, ALWINA, BOB)
    assert stage.clock() < began + timedelta(days=30)
    assert 90 < await most_of_an_item(stage) <= 100
    first = await stage.check_points()
    assert first.keys() == {ALWINA, BOB}
    assert all(ITEMS * 90 < points <= ITEMS * 100 for points in first.values())
    await stage.until(began + timedelta(days=30, hours=1))
    for _ in range(3):
        await play(stage, ALWINA, BOB)
    assert 180 < await most_of_an_item(stage) <= 200
    await stage.check_points()
