"""Long texts of members that could not be stored, so that the reopened form contains them."""

from __future__ import annotations

_MAX_DRAFTS = 200


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
