"""How to tell members that what they started could not be posted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

Tell = Callable[[str], Awaitable[None]]

KEPT_FOR = timedelta(minutes=15)
"""Discord takes edits of a reply for so long: https://discord.com/developers/docs/interactions/receiving-and-responding"""


class Starters:
    """The starters of rounds or challenges whose first message is not posted yet, by the id of the row.

    They are kept in memory only: after a restart a starter is not told.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: dict[int, tuple[datetime, int, Tell]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, row_id: int, user_id: int, tell: Tell) -> None:
        """Keep `tell`, which takes a sentence for the starter, until the row's message is posted."""
        self._drop_old()
        self._kept[row_id] = (self._now(), user_id, tell)

    def drop(self, row_id: int) -> None:
        """Forget the row's starter, who needs to be told nothing any more."""
        self._kept.pop(row_id, None)

    async def tell(self, row_id: int, sentence: str) -> None:
        """Tell the row's starter, if this process still can."""
        self._drop_old()
        if kept := self._kept.pop(row_id, None):
            await kept[2](sentence)

    def forget_member(self, user_id: int) -> None:
        """Forget a member who wants everything erased."""
        self._kept = {row_id: kept for row_id, kept in self._kept.items() if kept[1] != user_id}

    def forget_server(self, _guild_id: int) -> None:
        """Forget the starters of a server that was erased, which is days after the last one could be told."""
        self._drop_old()

    def _drop_old(self) -> None:
        oldest = self._now() - KEPT_FOR
        self._kept = {row_id: kept for row_id, kept in self._kept.items() if kept[0] > oldest}
