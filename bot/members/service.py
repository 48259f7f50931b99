"""The choices of members, which hold on every server and in direct messages."""

from __future__ import annotations

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.zones import parse_zone
from bot.members import store


class Members:
    """Changes the choices of members."""

    def __init__(self, context: Context) -> None:
        self._database = context.database

    async def show_stats(self, user_id: int, shows: bool) -> None:
        """Show others all of a member's /stats, or only points, answers and streak."""
        await self._database.write(store.set_shows_stats, user_id, shows)


def choose_zone(conn: Connection, user_id: int, guild_id: int | None, zone: str | None) -> str:
    """Store the zone that a member typed, or for None the one that their days follow now.

    Returns its IANA name. Their days follow it from now on; times that were already computed stay.
    """
    chosen = parse_zone(zone or store.zone_of(conn, user_id, guild_id)).key
    store.set_zone(conn, user_id, chosen)
    return chosen
