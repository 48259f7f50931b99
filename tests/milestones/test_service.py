"""Choosing milestones, and reaching them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from fsrs import Rating
from sqlalchemy import Connection, select

from bot.answers.model import Review
from bot.core.errors import UserError
from bot.milestones.model import Kind, Milestone
from bot.milestones.store import member_milestones
from tests.banks import small_bank
from tests.reviews import remember
from tests.stage import ALWINA, BOB, CLEMENTINE, DAGOBERT, GUILD, Stage

WEEK, MONTH, KNOWS = 71, 72, 73
"""Roles."""
ITEMS = [f"t{n}-{letter}" for n in (1, 3, 5) for letter in "abcd"]
"""The items of the first section."""


async def add(stage: Stage, kind: Kind, name: str, role_id: int) -> None:
    await stage.bot.milestones.add(GUILD, Milestone(kind, name, role_id))


async def rows(stage: Stage) -> set[tuple[int, str, int, bool]]:
    """Return the member, name and role of what was reached, and whether the role is given."""

    def read(conn: Connection) -> set[tuple[int, str, int, bool]]:
        c = member_milestones.c
        found = conn.execute(select(c.user_id, c.name, c.role_id, c.due_at, c.problem))
        return {(*row[:3], row.due_at is None and row.problem is None) for row in found}

    return await stage.database.read(read)


async def learn(stage: Stage, user_id: int, items: list[str], days_ago: float = 20) -> None:
    """Let a member know items for good: three easy reviews that end so many days ago."""
    end = stage.clock() - timedelta(days=days_ago)
    reviews = [Review(user_id, Rating.Easy, end - timedelta(days=n)) for n in (30, 10, 0)]

    def store(conn: Connection) -> None:
        for item_id in items:
            remember(conn, item_id, *reviews)

    await stage.database.write(store)


async def answer_for(stage: Stage, days: int) -> None:
    """Let Alwina answer the question of the day on so many days."""
    for _ in range(days):
        await stage.wait(days=1)
        await stage.answer_daily(ALWINA)


@pytest.mark.parametrize(
    ("kind", "name"), [(Kind.STREAK, "8"), (Kind.STREAK, "first"), (Kind.SECTION, "7")]
)
async def test_an_unknown_milestone_is_refused(stage: Stage, kind: Kind, name: str) -> None:
    with pytest.raises(UserError, match="I don't know that milestone"):
        await add(stage, kind, name, WEEK)
    with pytest.raises(UserError, match="gone already"):
        await stage.bot.milestones.remove(GUILD, kind, name)


async def test_there_are_not_too_many(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if several are added at once; the role of one that is there can still be changed."""
    monkeypatch.setattr("bot.milestones.service.MAX_MILESTONES", 2)
    adding = [add(stage, Kind.STREAK, name, WEEK) for name in ("7", "30", "100")]
    done = await asyncio.gather(*adding, return_exceptions=True)
    (refused,) = (str(error) for error in done if isinstance(error, UserError))
    assert refused == "This server has 2 milestones, as many as it can. Remove one first."
    first, _ = (await stage.bot.milestones.page(GUILD)).milestones
    await add(stage, first.kind, first.name, 99)
    assert (await stage.bot.milestones.page(GUILD)).milestones[0].role_id == 99


async def test_a_streak_that_was_there_before(stage: Stage) -> None:
    """It gets all its roles with the next date; so does it if a milestone gets another role."""
    await stage.set_up(at="11:00")
    await answer_for(stage, 7)
    for role_id in (WEEK, MONTH):
        await add(stage, Kind.STREAK, "7", role_id)
        await answer_for(stage, 1)
        await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, WEEK), (GUILD, ALWINA, MONTH)]
    assert len(await rows(stage)) == 1


async def test_every_server_where_the_member_plays(stage: Stage) -> None:
    """A streak is a member's own, so each of these servers gives its roles; a section none."""
    for guild_id, name in ((GUILD, "7"), (2, "7"), (2, "30"), (3, "7")):
        await stage.bot.milestones.add(guild_id, Milestone(Kind.STREAK, name, WEEK))
    await add(stage, Kind.SECTION, "first", KNOWS)
    reached = stage.bot.milestones.streak_reached
    await stage.database.write(reached, ALWINA, {GUILD, 2}, 8)
    await stage.run()
    assert sorted(stage.sender.roles) == [(GUILD, ALWINA, WEEK), (2, ALWINA, WEEK)]


async def test_a_known_section(stage: Stage) -> None:
    """Ten of twelve questions that a member should still know in a week are enough, nine are not."""
    await add(stage, Kind.SECTION, "first", KNOWS)
    await learn(stage, ALWINA, ITEMS[:10], days_ago=1)
    await learn(stage, BOB, ITEMS[:9], days_ago=1)
    await learn(stage, CLEMENTINE, ITEMS, days_ago=8)
    outsider = 999
    await learn(stage, outsider, ITEMS, days_ago=1)
    assert await stage.bot.milestones.check_all() == 1
    assert await rows(stage) == {(ALWINA, "first", KNOWS, False)}
    assert await stage.bot.milestones.check_all() == 0
    await stage.run()
    assert stage.sender.roles == [(GUILD, ALWINA, KNOWS)]
    assert await stage.bot.milestones.check_all() == 0
    await learn(stage, CLEMENTINE, ITEMS[:1], days_ago=0)
    assert await stage.bot.milestones.check_all() == 1


async def test_many_members_are_looked_through(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """A server's members are read page by page, and so are the servers."""
    monkeypatch.setattr("bot.milestones.service._MEMBERS", 2)
    monkeypatch.setattr("bot.milestones.service._SERVERS", 1)
    for guild_id in (GUILD, 5, 9):
        for name in ("first", "second"):
            await stage.bot.milestones.add(guild_id, Milestone(Kind.SECTION, name, KNOWS))
    for user_id in (ALWINA, BOB, CLEMENTINE, DAGOBERT):
        await learn(stage, user_id, ITEMS, days_ago=1)
        stage.bot.names.set(9, user_id, "x")
    await stage.bot.names.flush()
    assert await stage.bot.milestones.check_all() == 8


async def test_packs_that_are_not_asked(stage: Stage) -> None:
    """A section that shrank below ten questions is not given, and keeps its title on the page."""
    await add(stage, Kind.SECTION, "first", KNOWS)
    stage.bank = small_bank(3)
    await stage.restart()
    await learn(stage, ALWINA, ITEMS, days_ago=1)
    assert await stage.bot.milestones.check_all() == 0
    page = await stage.bot.milestones.page(GUILD)
    assert page.titles["first"] == "First"
    assert page.sections == ()


async def test_a_section_that_changes_while_it_is_checked(stage: Stage) -> None:
    """Nobody gets a role that is no longer the milestone's."""
    await add(stage, Kind.SECTION, "first", KNOWS)
    former = Milestone(Kind.SECTION, "first", KNOWS)
    await add(stage, Kind.SECTION, "first", MONTH)
    await stage.database.write(stage.bot.milestones._reach_section, GUILD, former, [ALWINA])
    assert await rows(stage) == set()


async def test_one_server_stops_nobodys_night(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server that fails does not hold up the others."""
    for guild_id in (GUILD, GUILD + 1, GUILD + 2):
        await stage.bot.milestones.add(guild_id, Milestone(Kind.STREAK, "7", WEEK))

    async def check(guild_id: int) -> int:
        if guild_id == GUILD:
            raise RuntimeError("odd")
        return 1

    monkeypatch.setattr(stage.bot.milestones, "_check_sections", check)
    assert await stage.bot.milestones.check_all() == 2
