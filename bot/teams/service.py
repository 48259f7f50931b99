"""Managers choose which roles are teams. Names are stored, so that old boards can show them."""

from __future__ import annotations

from collections.abc import Collection

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_TEAMS
from bot.teams import store


class Teams:
    """The teams of servers.

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
        deleted = [team for team in store.ids(conn, guild_id) if team not in existing]
        store.remove(conn, guild_id, deleted, self._now())
        teams = store.ids(conn, guild_id)
        if role_id in teams:
            raise UserError(f"<@&{role_id}> is a team already. See all of them with </team list>.")
        if len(teams) >= MAX_TEAMS:
            raise UserError(
                f"This server has {len(teams)} teams, as many as it can. Remove one with </team remove> first."
            )
        store.add(conn, guild_id, role_id, name)
        return store.ids(conn, guild_id)

    @writing
    def remove(self, conn: Connection, guild_id: int, role_id: int) -> list[int]:
        """Stop a role from being a team, and return all teams. Its points stay on the boards."""
        if not store.remove(conn, guild_id, [role_id], self._now()):
            raise UserError(f"<@&{role_id}> isn't a team. See the teams with </team list>.")
        return store.ids(conn, guild_id)

    @reading
    def current(self, conn: Connection, guild_id: int, existing: Collection[int]) -> list[int]:
        """Return the teams of a server whose roles exist."""
        return [role_id for role_id in store.ids(conn, guild_id) if role_id in existing]

    @writing
    def update_role(
        self, conn: Connection, guild_id: int, role_id: int, name: str, *, deleted: bool
    ) -> None:
        """Store the new name of a role, or that it was deleted, if it is a team."""
        store.rename(conn, guild_id, role_id, name)
        if deleted:
            store.remove(conn, guild_id, [role_id], self._now())
