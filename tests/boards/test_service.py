"""Boards as members ask for them, places of teams, and trends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.boards.model import TeamSum
from bot.boards.rules import rank_teams, trend
from bot.core import servers as guilds
from bot.core.errors import UserError
from tests.answers.entries import counted, store_counted
from tests.fakes import START
from tests.stage import ALWINA, GUILD, Stage


async def test_the_day_is_the_servers(stage: Stage) -> None:
    """The server's zone decides which day it is, not UTC."""
    ahead = "Pacific/Kiritimati"  # by 14 hours: it is tomorrow there
    await stage.database.write(guilds.set_zone, GUILD, ahead)
    for at, members in ((START, 0), (START + timedelta(hours=14), 1)):
        answer = counted(GUILD, ALWINA, 10, at.date(), at=at)
        await stage.database.write(store_counted, [answer])
        assert (await stage.bot.boards.board(GUILD, ALWINA, period="today")).size == members


async def test_a_board_of_a_topic(stage: Stage) -> None:
    """A topic's board counts its own points only; an unknown topic is refused."""
    await stage.database.write(store_counted, [counted(GUILD, ALWINA, 90, topic="t2")])
    assert (await stage.bot.boards.board(GUILD, ALWINA, period="all", topic_id="t1")).size == 0
    with pytest.raises(UserError, match="/topics"):
        await stage.bot.boards.board(GUILD, ALWINA, period="all", topic_id="nothing")


def test_places_of_teams() -> None:
    """A team needs three active members; the average decides, rounded like on the card."""
    sums = [TeamSum(1, 300, 3), TeamSum(2, 900, 2), TeamSum(3, 401, 4), TeamSum(4, 300, 3)]
    assert rank_teams(sums) == [(1, 3), (2, 1), (2, 4)]


def test_trends() -> None:
    """An arrow points up for a better place; there is none for a member who had no place."""
    assert [trend(2, before) for before in (5, 1, 2, None)] == ["▲", "▼", "▬", ""]
