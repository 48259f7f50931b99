"""A server's teams, and the zone that a member chooses."""

from __future__ import annotations

from collections.abc import Collection

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_TEAMS
from bot.core.zones import parse_zone
from bot.members import store


def choose_zone(conn: Connection, user_id: int, guild_id: int | None, zone: str | None) -> str:
    """Store the zone that a member typed, or for None the one that their days follow now.

    Returns its IANA name. Their days follow it from now on; times that were already computed stay.
    """
    chosen = parse_zone(zone or store.zone_of(conn, user_id, guild_id)).key
    store.set_zone(conn, user_id, chosen)
    return chosen


class Teams:
    """Which roles of a server are teams. Names are stored, so that old boards can show them.

    `existing` are the roles that a server has. A team whose role is not among them was deleted
    while the bot was away.
    """

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._now = context.now

    @writing
    def add(
        self, conn: Connection, guild_id: int, role_id: int, name: str, existing: Collection[int]
    ) -> list[int]:
        """Make a role a team from now on; return all teams."""
        if role_id == guild_id:
            raise UserError("Everyone has that role, so it can't be a team. Pick another one.")
        servers.lock(conn, guild_id)  # two managers at once must not exceed the limit
        deleted = [team for team in store.teams_of(conn, guild_id) if team not in existing]
        store.remove_teams(conn, guild_id, deleted, self._now())
        teams = store.teams_of(conn, guild_id)
        if role_id in teams:
            raise UserError(f"<@&{role_id}> is a team already. Pick another role.")
        if len(teams) >= MAX_TEAMS:
            raise UserError(
                f"This server has {len(teams)} teams, as many as it can. Remove one first."
            )
        store.add_team(conn, guild_id, role_id, name)
        return store.teams_of(conn, guild_id)

    @writing
    def remove(self, conn: Connection, guild_id: int, role_id: int) -> list[int]:
        """Stop a role from being a team, and return all teams. Its points stay on the boards."""
        if not store.remove_teams(conn, guild_id, [role_id], self._now()):
            raise UserError("That role is no team now. See </settings> for those that are.")
        return store.teams_of(conn, guild_id)

    @reading
    def current(self, conn: Connection, guild_id: int, existing: Collection[int]) -> list[int]:
        """Return the teams of a server whose roles exist."""
        return [role_id for role_id in store.teams_of(conn, guild_id) if role_id in existing]

    @writing
    def update_role(
        self, conn: Connection, guild_id: int, role_id: int, name: str, *, deleted: bool
    ) -> None:
        """Store the new name of a role, or that it was deleted, if it is a team."""
        store.rename_team(conn, guild_id, role_id, name)
        if deleted:
            store.remove_teams(conn, guild_id, [role_id], self._now())
