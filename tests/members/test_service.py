"""The choices of members."""

from __future__ import annotations

import pytest

from bot.core.errors import UserError
from bot.members.service import choose_zone
from bot.members.store import zone_of
from tests.stage import ALWINA, BOB, GUILD, Stage


async def test_a_zone_that_was_typed(stage: Stage) -> None:
    """It is stored under its IANA name, and the member's days follow it."""
    assert await stage.database.write(choose_zone, ALWINA, GUILD, "asia/tokyo") == "Asia/Tokyo"
    assert await stage.database.read(zone_of, ALWINA, None) == "Asia/Tokyo"
    with pytest.raises(UserError, match="I don't know the time zone"):
        await stage.database.write(choose_zone, ALWINA, GUILD, "Atlantis")
    assert await stage.database.read(zone_of, ALWINA, None) == "Asia/Tokyo"


async def test_without_a_zone_the_present_one_stays(stage: Stage) -> None:
    """The zone that a member's days follow becomes their own, so a server's change no longer moves it."""
    await stage.bot.settings.set_zone(GUILD, "Europe/Berlin")
    assert await stage.database.write(choose_zone, BOB, GUILD, None) == "Europe/Berlin"
    await stage.bot.settings.set_zone(GUILD, "Asia/Tokyo")
    assert await stage.database.read(zone_of, BOB, GUILD) == "Europe/Berlin"
