"""What members wrote that could not be stored, so that the form which they open again has it already."""

from __future__ import annotations

_KEPT = 200


class Drafts:
    """The latest text of each member for each form, by the form's own id.

    It is kept in memory, for the database has just refused it, and until it is stored or two hundred later ones came. A
    member who opens the form again elsewhere than with this process still has the text that was handed back to them.
    """

    def __init__(self) -> None:
        self._texts: dict[tuple[int, str], str] = {}

    def keep(self, user_id: int, form: str, text: str) -> None:
        """Keep a text in place of an earlier one."""
        self._texts.pop((user_id, form), None)
        self._texts[user_id, form] = text
        if len(self._texts) > _KEPT:
            del self._texts[next(iter(self._texts))]

    def drop(self, user_id: int, form: str) -> None:
        """The text is stored, or given up."""
        self._texts.pop((user_id, form), None)

    def of(self, user_id: int, form: str) -> str:
        """What a member wrote into a form that was not stored; nothing if there is nothing."""
        return self._texts.get((user_id, form), "")

    def forget_member(self, user_id: int) -> None:
        """The member wants everything erased."""
        self._texts = {key: text for key, text in self._texts.items() if key[0] != user_id}

    def forget_server(self, guild_id: int) -> None:
        """Texts belong to members, on whatever server."""
