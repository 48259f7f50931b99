"""Giving roles, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Connection

from bot.core import counters
from bot.core.errors import DeliveryRefused
from bot.milestones import store
from bot.milestones.model import Kind, Milestone
from tests.fakes import Crash, unsent
from tests.milestones.test_service import KNOWS, MONTH, WEEK, add, rows
from tests.stage import ALWINA, BOB, GUILD, Stage

ABOVE = "I can't give <@&71>: it's above my own role."


async def reach(stage: Stage, *user_ids: int) -> None:
    """Let members have a streak of a week, which is a milestone."""
    await add(stage, Kind.STREAK, "7", WEEK)

    def store_it(conn: Connection) -> None:
        for user_id in user_ids or (ALWINA,):
            stage.bot.milestones.streak_reached(conn, user_id, [GUILD], 7)

    await stage.database.write(store_it)


async def problems(stage: Stage) -> tuple[str, ...]:
    return (await stage.bot.milestones.page(GUILD)).problems


async def test_a_crash_while_a_role_is_given(stage: Stage) -> None:
    """The next process gives it, again or for the first time, and once only after that."""
    await reach(stage)
    stage.sender.fail("give_role", Crash(), after=True)
    with pytest.raises(Crash):
        await stage.run()
    assert await rows(stage) == {(ALWINA, "7", WEEK, False)}
    await stage.restart()
    await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, WEEK)] * 2
    assert await rows(stage) == {(ALWINA, "7", WEEK, True)}
    await stage.wait(days=1)
    assert stage.sender.calls["give_role"] == 2


async def test_an_outage(stage: Stage) -> None:
    """The role is given up with a reason after a quarter of an hour, and tried again at night."""
    given_up = counters.given_up.value
    await reach(stage)
    stage.sender.fail("give_role", unsent(), times=10_000)
    await stage.wait(minutes=20)
    assert await problems(stage) == ("I can't give <@&71>: Discord answered 503.",)
    assert counters.given_up.value == given_up + 1
    tries = stage.sender.calls["give_role"]
    assert tries < 50
    await stage.wait(hours=5)
    assert stage.sender.calls["give_role"] == tries
    stage.sender.mend()
    await stage.bot.milestones.check_all()
    await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, WEEK)]
    assert await problems(stage) == ()


async def test_a_refusal(stage: Stage) -> None:
    """It is not repeated by itself; the page says why, until the next night or a new permission."""
    await reach(stage, ALWINA, BOB)
    stage.sender.fail("give_role", DeliveryRefused("role", ABOVE), times=4)
    await stage.wait(hours=1)
    assert stage.sender.calls["give_role"] == 2
    assert await problems(stage) == (ABOVE,)
    await stage.bot.wake(GUILD)
    await stage.run()
    assert stage.sender.calls["give_role"] == 4
    assert await problems(stage) == (ABOVE,)
    await stage.bot.milestones.check_all()
    await stage.run()
    assert await problems(stage) == ()
    assert {role[1] for role in stage.sender.roles} == {ALWINA, BOB}


async def test_a_member_who_left(stage: Stage) -> None:
    """Nothing is stored about it, so a member who returns gets the role with the next answer."""
    await reach(stage)
    stage.sender.fail("give_role", DeliveryRefused("member", "That member has left."))
    await stage.run()
    assert await rows(stage) == set()
    assert await problems(stage) == ()
    await reach(stage)
    await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, WEEK)]


async def test_another_role_is_chosen_meanwhile(stage: Stage) -> None:
    """Members who wait for a role get the new one, also if the old one was just being given."""
    await reach(stage, ALWINA, BOB)

    async def change() -> None:
        stage.sender.during.clear()
        await add(stage, Kind.STREAK, "7", MONTH)

    stage.sender.during["give_role"] = change
    await stage.run()
    assert {role for _, user_id, role in stage.sender.roles if user_id == BOB} == {MONTH}
    assert [role for _, user_id, role in stage.sender.roles if user_id == ALWINA] == [WEEK, MONTH]
    assert {row[2:] for row in await rows(stage)} == {(MONTH, True)}


async def test_a_milestone_is_removed_meanwhile(stage: Stage) -> None:
    """Members who wait for its role don't get it; those who have it keep it, and get it no second time."""
    await reach(stage)
    await stage.run()
    await reach(stage, BOB)
    await stage.bot.milestones.remove(GUILD, Kind.STREAK, "7")
    await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, WEEK)]
    await reach(stage)
    await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, WEEK)]


async def test_a_milestone_may_be_stored_for_many(stage: Stage) -> None:
    """One statement stores it for members who have had other roles for it, or none."""
    section = Milestone(Kind.SECTION, "first", KNOWS)
    now = stage.clock() + timedelta(days=1)
    for reached in (section, Milestone(Kind.SECTION, "first", 5), section):
        await stage.database.write(store.reach, GUILD, [BOB, ALWINA], [reached], now)
    assert await rows(stage) == {(user, "first", KNOWS, False) for user in (ALWINA, BOB)}
