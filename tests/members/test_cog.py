"""Teams and their board as managers and members use them."""

from __future__ import annotations

import discord
from simcord.actors import MemberActor
from simcord.builders import RoleHandle

from bot.members.store import team_names, teams_of
from bot.members.views import TEAMS
from tests.simcord.fixtures import long_sleeps, no_pace, stage
from tests.simcord.stage import Stage, answer_to, labels, reply, text_of

__all__ = ["long_sleeps", "no_pace", "stage"]


def role_of(stage: Stage, handle: RoleHandle) -> discord.Role:
    guild = stage.bot.get_guild(stage.guild.id)
    assert guild is not None
    role = guild.get_role(handle.id)
    assert role is not None
    return role


def player(stage: Stage, name: str, *roles: RoleHandle) -> MemberActor:
    return stage.guild.add_member(stage.env.create_user(name), roles=list(roles))


async def opened(stage: Stage) -> discord.Message:
    """Open the page of teams as a manager."""
    panel = answer_to(await stage.manager.slash(stage.quiz, "settings"))
    return answer_to(await stage.manager.click(panel, label="Teams"))


async def add(stage: Stage, role: RoleHandle) -> str:
    """Make a role a team; return what the manager reads."""
    page = await opened(stage)
    added = await stage.manager.select(page, values=[role], custom_id=TEAMS.id(what="add"))
    return reply(added)


async def test_managers_choose_teams(stage: Stage) -> None:
    """A manager adds and removes roles on a page of the settings."""
    red, blue = stage.guild.create_role("red"), stage.guild.create_role("blue")
    page = await opened(stage)
    assert "No teams yet." in text_of(page)
    assert f"<@&{red.id}> is a team now." in await add(stage, red)
    await add(stage, blue)
    assert "is a team already" in await add(stage, red)
    page = await opened(stage)
    assert "2 teams of 25" in text_of(page)
    assert f"<@&{red.id}>\n<@&{blue.id}>" in text_of(page)
    removed = await stage.manager.select(
        page, values=[str(red.id)], custom_id=TEAMS.id(what="remove")
    )
    assert "is no longer a team" in reply(removed)
    assert "1 team of 25" in text_of(await opened(stage))
    assert f"<@&{red.id}> is a team now." in await add(stage, red)


async def test_the_board_of_teams(stage: Stage) -> None:
    """A round's points go to the highest team role of each player; the board turns between members and teams."""
    red, blue, top = (stage.guild.create_role(name) for name in ("red", "blue", "top"))
    low, high = sorted((red, blue), key=lambda role: role_of(stage, role).position)
    board = answer_to(await stage.alwina.slash(stage.quiz, "leaderboard"))
    assert "Teams" not in labels(board)
    for role in (red, blue):
        await add(stage, role)
    players = [player(stage, name, low, high, top) for name in ("dagobert", "emil", "fay")]
    players.append(player(stage, "gus", low))
    question = await stage.play(questions=1, seconds=10)
    for member in players:
        await question.answer(member, right=member is not players[0])
    await stage.wait(30)

    first = await players[0].slash(stage.quiz, "leaderboard")
    await players[0].click(answer_to(first), label="Teams")
    said = text_of(answer_to(first))
    assert "### Team leaderboard · This week" in said
    assert f"🥇 **{high.name}** · **" in said
    assert "points each** · 3 active" in said
    assert f"No place yet, with fewer than 3 active members: **{low.name}**" in said
    assert f"Your team: **{high.name}** · 1st" in said
    await players[0].click(answer_to(first), label="All time")
    assert "### Team leaderboard · All time" in text_of(answer_to(first))
    await players[0].click(answer_to(first), label="Members")
    assert "### Leaderboard · All time" in text_of(answer_to(first))

    by_command = reply(await players[3].slash(stage.quiz, "leaderboard", board="teams"))
    assert f"Your team: **{low.name}** · no place yet" in by_command
    none = reply(await stage.alwina.slash(stage.quiz, "leaderboard", board="teams"))
    assert "Your team: none of your roles is one" in none


async def test_roles_that_change(stage: Stage) -> None:
    """A team's new name is kept when Discord tells it, and its last one when the role is deleted."""
    red = stage.guild.create_role("red")
    await add(stage, red)
    before = role_of(stage, red)
    fields = {"id": str(red.id), "name": "crimson", "permissions": "0", "position": before.position}
    after = discord.Role(guild=before.guild, state=stage.bot._connection, data=fields)  # type: ignore[arg-type]
    heard = dict(stage.bot.cogs["TeamsCog"].get_listeners())
    for name, roles, found in (("update", (before, after), [red.id]), ("delete", (after,), [])):
        await heard[f"on_guild_role_{name}"](*roles)
        names = await stage.database.read(team_names, stage.guild.id, [red.id])
        assert names == {red.id: "crimson"}
        assert list(await stage.database.read(teams_of, stage.guild.id)) == found
