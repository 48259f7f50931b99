"""The choices of members."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.core import servers as guilds
from bot.core.database import Database
from bot.members import store

ALWINA, BOB = 101, 102


async def test_the_zone_of_a_member(database: Database) -> None:
    """It is the one they chose, else that of a server that has seen them, else UTC.

    Only a choice makes UTC known, because each server has it before it is set up.
    """

    def fill(conn: Connection) -> None:
        guilds.set_zone(conn, 9, "Europe/Berlin")
        guilds.set_zone(conn, 7, "UTC")
        guilds.set_zone(conn, 10, "Asia/Dubai")
        store.set_zone(conn, 1, "Asia/Tokyo")
        store.set_names(conn, {(7, 3): "Cleo", (9, 3): "Cleo", (10, 3): "Cleo", (10, 1): "Alwina"})

    await database.write(fill)
    for place in (7, 9, 10, None):
        assert await database.read(store.zone_of, 1, place) == "Asia/Tokyo"
        assert await database.read(store.zone_of, 3, place) == "Europe/Berlin"
    assert await database.read(store.zone_of, 2, 9) == "Europe/Berlin"
    assert await database.read(store.zone_of, 2, 8) == "UTC"
    assert await database.read(store.zone_of, 2, None) == "UTC"
    await database.write(store.set_zone, 4, "UTC")
    known = [await database.read(store.known_zone, user_id, 7) for user_id in (1, 2, 3, 4)]
    assert known == ["Asia/Tokyo", None, "Europe/Berlin", "UTC"]


async def test_a_first_zone_is_stored_once(database: Database) -> None:
    """The first zone stays until the member chooses another; UTC is not stored."""

    async def kept(user_id: int, zone: str) -> str:
        await database.write(store.set_zone_if_unset, user_id, zone)
        return await database.read(store.zone_of, user_id, None)

    await database.write(store.set_shows_profile, BOB, True)
    for user_id in (ALWINA, BOB):  # without and with a row
        found = [
            await kept(user_id, zone) for zone in ("UTC", "Asia/Tokyo", "Europe/Berlin", "UTC")
        ]
        assert found == ["UTC", "Asia/Tokyo", "Asia/Tokyo", "Asia/Tokyo"]
    await database.write(store.set_zone, ALWINA, "UTC")
    assert await kept(ALWINA, "Europe/Berlin") == "UTC"
    assert await database.read(store.shows_profile, BOB)
