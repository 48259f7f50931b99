"""Boards as members ask for them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.boards.model import Board
from bot.core import servers as guilds
from bot.core.errors import UserError
from tests.answers.entries import counted, store_counted
from tests.fakes import START
from tests.stage import ALWINA, BOB, GUILD, Stage


async def give(
    stage: Stage,
    user_id: int,
    points: int,
    *,
    topic: str = "t1",
    at: datetime | None = None,
    correct: bool = True,
) -> None:
    moment = at or stage.clock()
    answer = counted(GUILD, user_id, points, moment.date(), topic, correct, at=moment)
    await stage.database.write(store_counted, [answer])


async def board(stage: Stage, period: str, topic_id: str | None = None, *, page: int = 0) -> Board:
    """Return a board that Alwina asks for."""
    asked = {"period": period, "topic_id": topic_id, "page": page}
    return await stage.bot.boards.board(GUILD, ALWINA, **asked)  # type: ignore[arg-type]


def rows_of(shown: Board) -> list[tuple[int, int]]:
    return [(row.user_id, row.points) for row in shown.rows]


async def test_the_day_is_the_servers(stage: Stage) -> None:
    """The server's zone decides which day it is, not UTC."""
    ahead = "Pacific/Kiritimati"  # by 14 hours: it is tomorrow there
    await stage.database.write(guilds.set_zone, GUILD, ahead)
    for at, members in ((START, 0), (START + timedelta(hours=14), 1)):
        await give(stage, ALWINA, 10, at=at)
        assert (await board(stage, "today")).size == members


async def test_a_board_of_a_topic(stage: Stage) -> None:
    """A topic's board counts its own points only; an unknown topic is refused."""
    await give(stage, ALWINA, 90, topic="t2")
    await give(stage, BOB, 10, topic="t1")
    shown = await board(stage, "all", "t1")
    assert (rows_of(shown), shown.own) == ([(BOB, 10)], None)
    with pytest.raises(UserError, match="/topics"):
        await board(stage, "all", "nothing")
