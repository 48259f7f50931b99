"""The choices of members."""

from __future__ import annotations

from bot.members.service import choose_zone
from bot.members.store import zone_of
from tests.stage import BOB, GUILD, Stage


async def test_without_a_zone_the_present_one_stays(stage: Stage) -> None:
    """The zone that a member's days follow becomes their own, so a server's change no longer moves it."""
    await stage.bot.settings.set_zone(GUILD, "Europe/Berlin")
    assert await stage.database.write(choose_zone, BOB, GUILD, None) == "Europe/Berlin"
    await stage.bot.settings.set_zone(GUILD, "Asia/Tokyo")
    assert await stage.database.read(zone_of, BOB, GUILD) == "Europe/Berlin"
