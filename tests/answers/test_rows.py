"""The number of rows that an answer writes: one in the log, and a few sums."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from bot.app import all_tables
from bot.core.clicks import Click
from bot.core.tables import count_rows
from bot.practice.model import Asking
from tests.challenges import play as challenges
from tests.stage import ALWINA, BOB, GUILD, Stage

RED = 71
IN_GAME = {"answers": 1, "totals": 2, "team_totals": 1, "cards": 1}
"""Rows for a member's first answer on a server; later ones change the sums."""


@pytest.fixture
async def team(stage: Stage) -> Stage:
    await stage.bot.teams.add(GUILD, RED, "Red", [RED])
    return stage


async def rows(stage: Stage) -> dict[str, int]:
    return await stage.database.read(count_rows, all_tables())


async def check_new(stage: Stage, before: dict[str, int], expected: dict[str, int]) -> None:
    """Check the number of rows that each of two answers added, by table."""
    after = await rows(stage)
    new = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    assert new == {name: 2 * number for name, number in expected.items()}
    assert sum(expected.values()) <= 7


async def test_a_round(team: Stage) -> None:
    """Two answers of a team to a question of a round."""
    round_id = await team.start(1)
    assert await team.next_card(round_id)
    before = await rows(team)
    for user_id in (ALWINA, BOB):
        await team.bot.open_questions.answer(replace(team.click(user_id, after=1), roles=(RED,)))
    assert not await team.next_card(round_id)
    await check_new(team, before, IN_GAME)


async def test_a_challenge(team: Stage) -> None:
    """Two answers of a team to a question of a challenge, each shown to one member."""
    challenge_id = await challenges.start(team, questions=1, hours=1)
    before = await rows(team)
    for user_id in (ALWINA, BOB):
        asked = await challenges.take(team, challenge_id, user_id)
        click = challenges.click(team, asked, user_id=user_id)
        await team.bot.challenge_players.answer(replace(click, roles=(RED,)))
    taken = await rows(team)
    for table in ("challenge_players", "challenge_news"):  # one row for all questions
        assert taken[table] - before[table] == 2
        before[table] = taken[table]
    await team.wait(hours=2)
    await check_new(team, before, {**IN_GAME, "challenge_shown": 1})


async def test_a_daily(team: Stage) -> None:
    """Two answers of a team to a daily, which make streaks."""
    await team.set_up()
    await team.wait(hours=1)
    before = await rows(team)
    for user_id in (ALWINA, BOB):
        await team.bot.dailies.answer(replace(team.click(user_id), roles=(RED,)))
    await check_new(team, before, {**IN_GAME, "streaks": 1, "streak_days": 1})


async def test_a_practice(stage: Stage) -> None:
    """Two answers in practice."""
    asked = []
    for user_id in (ALWINA, BOB):
        screen = await stage.bot.practices.start(user_id, GUILD, stage.clock())
        assert isinstance(screen, Asking)
        asked.append((user_id, screen))
    before = await rows(stage)
    for user_id, screen in asked:
        given: dict[str, Any] = {"picks": (0,)}
        if screen.item.kind == "typed":
            given = {"picks": (), "text": "attention"}
        click = Click(screen.question.id, 1, GUILD, 7, user_id, stage.clock(), **given)
        await stage.bot.practices.answer(click)
    await check_new(stage, before, {"answers": 1, "cards": 1})
