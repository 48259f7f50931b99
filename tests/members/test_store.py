"""What members decided about themselves."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.core import servers as guilds
from bot.core.database import Database
from bot.members import store
from bot.members import store as members

ADA, BOB = 101, 102


async def test_what_a_member_shows(database: Database) -> None:
    """Nothing until they say so; the last word counts, for this member only."""
    assert await database.read(store.shows_stats, ADA) is False
    for shows in (True, True, False, True):
        await database.write(store.set_shows_stats, ADA, shows)
        assert await database.read(store.shows_stats, ADA) is shows
    assert await database.read(store.shows_stats, BOB) is False


async def test_whose_days(database: Database) -> None:
    """A member's days follow their own zone, else the server's, else UTC."""

    def fill(conn: Connection) -> None:
        guilds.set_zone(conn, 9, "Europe/Berlin")
        members.set_zone(conn, 1, "Asia/Tokyo")

    await database.write(fill)
    assert await database.read(members.zone_of, 1, 9) == "Asia/Tokyo"
    assert await database.read(members.zone_of, 2, 9) == "Europe/Berlin"
    assert await database.read(members.zone_of, 2, 8) == "UTC"
    assert await database.read(members.zone_of, 2, None) == "UTC"
