"""A click on a question, and the refusal of a second answer."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from bot.core.errors import UserError


class Click(Struct, frozen=True):
    """A click on a question; `at` is Discord's time.

    For an answer, `picks` are positions as shown, and `text` is what was typed. `roles` are the
    member's roles, highest first.
    """

    question_id: int
    message_id: int
    guild_id: int | None
    channel_id: int | None
    user_id: int
    at: datetime
    picks: tuple[int, ...] = ()
    text: str | None = None
    roles: tuple[int, ...] = ()


class AlreadyAnswered(UserError):
    """The member has answered before; the first answer counts. `at` is when it was given."""

    def __init__(self, sentence: str, at: datetime) -> None:
        super().__init__(sentence)
        self.at = at
