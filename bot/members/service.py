"""Notes what members are called, from what they do anyway."""

from __future__ import annotations

from bot.core.context import Context
from bot.members import store

_REMEMBERED = 20_000


class Names:
    """Stores a member's name when it is new or has changed; the latest names are remembered and cost nothing."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._known: dict[tuple[int, int], str] = {}

    async def note(self, guild_id: int, user_id: int, name: str) -> None:
        """Keep what a member is called on a server now."""
        member, name = (guild_id, user_id), name.replace("\x00", "")[: store.MAX_NAME]
        if self._known.get(member) == name:
            return
        self._known[member] = name
        if len(self._known) > _REMEMBERED:
            del self._known[next(iter(self._known))]
        try:
            await self._database.write_one(store.set_name, guild_id, user_id, name)
        except BaseException:
            self._known.pop(member, None)
            raise
