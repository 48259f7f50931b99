"""Which roles are teams, and what their members win for them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from bot.boards.model import TeamBoard
from bot.core.errors import UserError
from bot.members import store
from tests.stage import ALWINA, BOB, CLEMENTINE, DAGOBERT, GUILD, Stage

RED, BLUE, OTHER = 71, 72, 79
ROLES = range(1, 100)


async def teams_of(stage: Stage) -> list[int]:
    return await stage.bot.teams.current(GUILD, ROLES)


async def found(stage: Stage) -> None:
    """Two teams."""
    await stage.bot.teams.add(GUILD, RED, "Red", ROLES)
    await stage.bot.teams.add(GUILD, BLUE, "Blue", ROLES)


async def board(stage: Stage) -> TeamBoard:
    return await stage.bot.boards.team_board(GUILD, (), period="all", topic_id=None, page=0)


async def test_what_is_no_team(stage: Stage) -> None:
    """It can't be removed, nor can the role of everybody be added."""
    with pytest.raises(UserError, match="is no team now"):
        await stage.bot.teams.remove(GUILD, RED)
    with pytest.raises(UserError, match="Everyone has that role"):
        await stage.bot.teams.add(GUILD, GUILD, "@everyone", ROLES)


async def test_there_are_not_too_many(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, also when two managers add the last one at the same moment; a deleted role makes room."""
    monkeypatch.setattr("bot.members.service.MAX_TEAMS", 2)
    await stage.bot.teams.add(GUILD, 2, "A team", ROLES)
    both = await asyncio.gather(
        stage.bot.teams.add(GUILD, RED, "Red", ROLES),
        stage.process().teams.add(GUILD, BLUE, "Blue", ROLES),
        return_exceptions=True,
    )
    (refused,) = [one for one in both if isinstance(one, BaseException)]
    assert isinstance(refused, UserError)
    assert "2 teams, as many as it can" in str(refused)
    assert len(await teams_of(stage)) == 2
    left = [role_id for role_id in ROLES if role_id != 2]  # it was deleted while nobody heard
    await stage.bot.teams.add(GUILD, OTHER, "Green", left)
    assert OTHER in await teams_of(stage)
    assert len(await teams_of(stage)) == 2


async def play(stage: Stage, teams: dict[int, tuple[int, ...]], **options: Any) -> None:
    """A round of one question, which these members answer at once with the roles that they have."""
    round_id = await stage.start(1, **options)
    await stage.run()
    for user_id, roles in teams.items():
        await stage.bot.open_questions.answer(replace(stage.click(user_id, after=1), roles=roles))
    assert not await stage.next_card(round_id)


async def test_points_go_to_the_team_of_the_moment(stage: Stage) -> None:
    """A team keeps what its members won while they played for it; a member who moves takes nothing
    along."""
    await found(stage)
    await play(
        stage, {ALWINA: (OTHER, RED), BOB: (RED, BLUE), CLEMENTINE: (RED,), DAGOBERT: (BLUE,)}
    )
    before = await board(stage)
    assert [(row.name, row.members) for row in before.rows] == [("Red", 3)]
    assert before.small == ("Blue",)
    won = before.rows[0].tenths
    await play(stage, {ALWINA: (BLUE,), BOB: (BLUE,), CLEMENTINE: (), DAGOBERT: (BLUE,)})
    after = {row.name: row for row in (await board(stage)).rows}
    assert (after["Red"].tenths, after["Red"].members) == (won, 3)
    assert after["Blue"].members == 3
    await stage.check_points()


async def test_a_deleted_role_stays_on_boards_by_name(stage: Stage) -> None:
    """Under its last name, while new answers no longer count for it."""
    await found(stage)
    await play(stage, {ALWINA: (RED,), BOB: (RED,), CLEMENTINE: (RED,)})
    await stage.bot.teams.update_role(GUILD, RED, "Scarlet", deleted=False)
    assert [row.name for row in (await board(stage)).rows] == ["Scarlet"]
    await stage.bot.teams.update_role(GUILD, RED, "Crimson", deleted=True)
    await stage.bot.teams.update_role(GUILD, OTHER, "Never a team", deleted=True)
    await play(stage, {ALWINA: (RED,), BOB: (RED,), CLEMENTINE: (RED,), DAGOBERT: (RED,)})
    (row,) = (await board(stage)).rows
    assert (row.name, row.members) == ("Crimson", 3)
    assert await teams_of(stage) == [BLUE]
    assert await stage.database.read(store.team_names, GUILD, [RED, OTHER]) == {RED: "Crimson"}
