"""Kept in memory only: texts that could not be stored, and starters whose game may not begin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

_MAX_DRAFTS = 200
Notify = Callable[[str], Awaitable[None]]

KEPT_FOR = timedelta(minutes=15)
"""Discord accepts edits of a reply for this long.

https://discord.com/developers/docs/interactions/receiving-and-responding
"""


class Drafts:
    """The latest text of each member for each form, by the form's id.

    Drafts are kept in memory, because the database has just refused them. Only the newest 200 are
    kept, and only in this process; the member has also received their text back in a reply.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[int, str], str] = {}

    def save(self, user_id: int, form: str, text: str) -> None:
        """Save a text; it replaces an earlier one."""
        self._texts.pop((user_id, form), None)
        self._texts[user_id, form] = text
        if len(self._texts) > _MAX_DRAFTS:
            del self._texts[next(iter(self._texts))]

    def discard(self, user_id: int, form: str) -> None:
        """Delete a text that was stored, or that the member gave up."""
        self._texts.pop((user_id, form), None)

    def get(self, user_id: int, form: str) -> str:
        """Return a member's draft for a form, empty if there is none."""
        return self._texts.get((user_id, form), "")

    def forget_member(self, user_id: int) -> None:
        """Delete all drafts of a member who wants everything erased."""
        self._texts = {key: text for key, text in self._texts.items() if key[0] != user_id}

    def forget_server(self, guild_id: int) -> None:
        """Do nothing: drafts belong to members, not to servers."""


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
