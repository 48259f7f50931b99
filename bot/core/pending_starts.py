"""Callbacks that notify members whose round or challenge could not be posted."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

Notify = Callable[[str], Awaitable[None]]

KEPT_FOR = timedelta(minutes=15)
"""Discord accepts edits of a reply for this long.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""


class PendingStarts:
    """Rounds or challenges whose first message is not posted yet, and their starters, by row id.

    They are kept in memory only, so after a restart a starter is not notified.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._kept: dict[int, tuple[datetime, int, Notify]] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, row_id: int, user_id: int, notify: Notify) -> None:
        """Keep `notify`, which shows the starter a sentence, until the row's message is posted."""
        self._drop_old()
        self._kept[row_id] = (self._now(), user_id, notify)

    def remove(self, row_id: int) -> None:
        """Forget the row's starter, because its message is posted."""
        self._kept.pop(row_id, None)

    async def notify(self, row_id: int, sentence: str) -> None:
        """Show the row's starter a sentence, if that is still possible."""
        self._drop_old()
        if kept := self._kept.pop(row_id, None):
            await kept[2](sentence)

    def forget_member(self, user_id: int) -> None:
        """Forget a member who wants everything erased."""
        self._kept = {row_id: kept for row_id, kept in self._kept.items() if kept[1] != user_id}

    def forget_server(self, _guild_id: int) -> None:
        """Forget old starters: a server is erased days after its last starter could be notified."""
        self._drop_old()

    def _drop_old(self) -> None:
        oldest = self._now() - KEPT_FOR
        self._kept = {row_id: kept for row_id, kept in self._kept.items() if kept[0] > oldest}
