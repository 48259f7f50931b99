"""The values that rounds and challenges share. Both are games."""

from __future__ import annotations

from msgspec import Struct

from bot.questions.model import Item


class GameOptions(Struct, frozen=True):
    """The options of a game.

    Without a topic, it has questions of all topics. Without a difficulty, which is a level's name,
    it begins easy and climbs.
    """

    questions: int
    topic_id: str | None = None
    difficulty: str | None = None

    def allows(self, item: Item) -> bool:
        """Return whether an item may be asked with these options."""
        return self.difficulty in {None, item.level} and self.topic_id in {None, item.topic_id}


class Starter(Struct, frozen=True, kw_only=True):
    """The member who starts a game, and where. `manages` says whether they manage the server."""

    guild_id: int
    channel_id: int
    user_id: int
    name: str | None = None
    roles: tuple[int, ...] = ()
    manages: bool = False


class GameQuestion(Struct, frozen=True):
    """A question that a game asked, in the order of choices that a member saw."""

    id: int
    item_id: str
    choice_order: str
