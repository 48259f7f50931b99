"""The settings of a server, and their effects."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.core import servers
from bot.core.errors import UserError
from bot.core.servers import Server
from bot.questions.model import Pack
from bot.questions.store import packs_of
from tests.stage import CHANNEL, GUILD, Stage

LEARNERS = 71
HOUR = timedelta(hours=1)


async def test_another_zone_posts_no_date_twice(stage: Stage) -> None:
    """A date that has had its daily gets no second one, and the open daily closes when it said."""
    await stage.set_up(at="13:00", zone="UTC", answer_hours=4)
    await stage.wait(hours=1.5)
    (before,) = await stage.days()
    await stage.bot.settings.set_zone(
        GUILD, "America/New_York"
    )  # where it is 08:30 of the same day
    await stage.wait(hours=12)
    (after,) = await stage.days()
    assert (after.local_date, after.closes_at, after.state) == (
        before.local_date,
        before.closes_at,
        "closed",
    )
    await stage.wait(days=1)
    assert len(await stage.days()) == 2


async def test_a_time_that_has_passed_in_the_new_zone(stage: Stage) -> None:
    """No daily of that date is posted or missed, and the next one comes by the new clock."""
    await stage.set_up(at="23:00", zone="UTC", answer_hours=4)
    await stage.wait(hours=8)
    found = await stage.bot.settings.set_zone(GUILD, "Asia/Tokyo")  # where 23:00 was six hours ago
    [daily] = found.dailies
    assert (daily.schedule.zone, daily.schedule.at) == ("Asia/Tokyo", "23:00")
    await stage.wait(days=1)
    (posted,) = await stage.days()
    assert posted.opened_at == daily.next_at


async def test_the_role_everyone_limits_nobody(stage: Stage) -> None:
    """Picking @everyone and picking no role are one thing."""
    found = await stage.bot.settings.set_starters(GUILD, GUILD)
    assert found.server.starter_role_id is None


async def test_choosing_packs(stage: Stage) -> None:
    """Choosing all packs includes later ones; unknown names are refused and change nothing."""
    base = stage.bot.context.banks.packs
    packs = [Pack("a", base), Pack("b", base)]
    stage.bot.settings._packs = tuple(packs)
    assert [p.asked for p in (await stage.bot.settings.read(GUILD)).packs] == [True, True]
    found = await stage.bot.settings.set_packs(GUILD, ["b", "nonsense"])
    assert [(p.name, p.asked) for p in found.packs] == [("a", False), ("b", True)]
    with pytest.raises(UserError, match="I don't know these packs"):
        await stage.bot.settings.set_packs(GUILD, ["nonsense"])
    assert await stage.database.read(packs_of, GUILD) == ["b"]
    await stage.bot.settings.set_packs(GUILD, ["a", "b"])
    assert await stage.database.read(packs_of, GUILD) is None


async def test_two_managers_and_double_clicks(stage: Stage) -> None:
    """Simultaneous changes are all stored, and a repeated one has no further effect."""
    other = stage.process()
    await asyncio.gather(
        stage.bot.settings.set_starters(GUILD, LEARNERS),
        other.settings.announce_suggestions(GUILD, CHANNEL),
        stage.bot.settings.set_starters(GUILD, LEARNERS),
        other.settings.set_zone(GUILD, "Europe/Berlin"),
        stage.bot.settings.announce_suggestions(GUILD, CHANNEL),
    )
    assert await stage.database.read(servers.server, GUILD) == Server(
        GUILD, "Europe/Berlin", LEARNERS, CHANNEL
    )
