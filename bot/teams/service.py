"""Managers choose which roles are teams; what those are called is kept, so that boards of the past can name them."""

from __future__ import annotations

from collections.abc import Collection

from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_TEAMS
from bot.teams import store


class Teams:
    """`here` are the roles that a server has: a team whose role is not among them was deleted while nobody heard."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._now = context.now

    @writing
    def add(
        self, conn: Connection, guild_id: int, role_id: int, name: str, here: Collection[int]
    ) -> list[int]:
        """Make a role a team from now on; returns all teams."""
        if role_id == guild_id:
            raise UserError("Everyone has that role, so it can't be a team. Pick another one.")
        servers.lock(conn, guild_id)  # two managers at once must not add one too many
        teams = self._present(conn, guild_id, here)
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
        """Make a role a team no more; what it has won stays on the boards. Returns all teams."""
        if not store.remove(conn, guild_id, [role_id], self._now()):
            raise UserError(f"<@&{role_id}> isn't a team. See the teams with </team list>.")
        return store.ids(conn, guild_id)

    @reading
    def all_of(self, conn: Connection, guild_id: int, here: Collection[int]) -> list[int]:
        """The teams of a server."""
        return [role_id for role_id in store.ids(conn, guild_id) if role_id in here]

    @writing
    def note(self, conn: Connection, guild_id: int, role_id: int, name: str, *, gone: bool) -> None:
        """A role has another name, or is gone; if it was a team, boards go on naming it."""
        store.rename(conn, guild_id, role_id, name)
        if gone:
            store.remove(conn, guild_id, [role_id], self._now())

    def _present(self, conn: Connection, guild_id: int, here: Collection[int]) -> list[int]:
        """The teams of a server, after those are removed whose roles it has no more."""
        gone = [role_id for role_id in store.ids(conn, guild_id) if role_id not in here]
        store.remove(conn, guild_id, gone, self._now())
        return store.ids(conn, guild_id)
