"""What members decided about themselves."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.core import servers as guilds
from bot.core.database import Database
from bot.members import store
from bot.members import store as members

ALWINA, BOB = 101, 102


async def test_what_a_member_shows(database: Database) -> None:
    """Nothing until they say so; the last word counts, for this member only."""
    assert await database.read(store.shows_stats, ALWINA) is False
    for shows in (True, True, False, True):
        await database.write(store.set_shows_stats, ALWINA, shows)
        assert await database.read(store.shows_stats, ALWINA) is shows
    assert await database.read(store.shows_stats, BOB) is False


async def test_whose_days(database: Database) -> None:
    """A member's days follow the zone they chose, else that of a server, wherever they ask, else UTC."""

    def fill(conn: Connection) -> None:
        guilds.set_zone(conn, 9, "Europe/Berlin")
        guilds.set_zone(conn, 7, "UTC")
        guilds.set_zone(conn, 10, "Asia/Dubai")
        members.set_zone(conn, 1, "Asia/Tokyo")
        members.set_names(
            conn, {(7, 3): "Cleo", (9, 3): "Cleo", (10, 3): "Cleo", (10, 1): "Alwina"}
        )

    await database.write(fill)
    for place in (7, 9, 10, None):
        assert await database.read(members.zone_of, 1, place) == "Asia/Tokyo"
        assert await database.read(members.zone_of, 3, place) == "Europe/Berlin"
    assert await database.read(members.zone_of, 2, 9) == "Europe/Berlin"
    assert await database.read(members.zone_of, 2, 8) == "UTC"
    assert await database.read(members.zone_of, 2, None) == "UTC"


async def test_a_zone_is_kept_once(database: Database) -> None:
    """The first zone stays, whatever comes later, until the member names another; UTC may yet become a zone."""

    async def kept(user_id: int, zone: str) -> str:
        await database.write(members.keep_zone, user_id, zone)
        return await database.read(members.zone_of, user_id, None)

    await database.write(members.set_shows_stats, BOB, True)
    for user_id in (ALWINA, BOB):  # without and with a row
        found = [
            await kept(user_id, zone) for zone in ("UTC", "Asia/Tokyo", "Europe/Berlin", "UTC")
        ]
        assert found == ["UTC", "Asia/Tokyo", "Asia/Tokyo", "Asia/Tokyo"]
    await database.write(members.set_zone, ALWINA, "UTC")
    assert await kept(ALWINA, "Europe/Berlin") == "UTC"
    assert await database.read(members.shows_stats, BOB)
