"""The topics with a member's progress."""

from __future__ import annotations

from bot.answers.store import latest_ratings
from bot.core.context import Context
from bot.core.database import Connection, reading, reading_long
from bot.core.errors import UserError
from bot.members.store import zone_of
from bot.memory.progress import progress
from bot.memory.service import knowledge
from bot.questions.bank import check_topic
from bot.topics.model import TopicList


class Topics:
    """Reads how members are doing in their topics."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    @reading_long
    def all(self, conn: Connection, user_id: int, guild_id: int | None) -> TopicList:
        """Return the topics of a server, or those that a member is asked in direct messages."""
        return self._read(conn, user_id, guild_id)

    @reading
    def with_topic(
        self, conn: Connection, user_id: int, guild_id: int | None, topic_id: str
    ) -> TopicList:
        """Return the topics; refuse if the one with this id is unknown or can't be read now."""
        found = self._read(conn, user_id, guild_id)
        check_topic(found.bank, topic_id)
        if topic_id in self._in_play.topics(conn, user_id, guild_id):
            raise UserError(
                "That topic is being asked on one of your servers right now. "
                "You can read up on it again once that closes."
            )
        return found

    def _read(self, conn: Connection, user_id: int, guild_id: int | None) -> TopicList:
        bank = self._banks.of_member(conn, user_id, guild_id)
        zone = zone_of(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, self._now())
        existing = self._banks.holding(conn, known.set_aside).items.keys()
        return TopicList(
            bank=bank,
            progress=progress(known, latest_ratings(conn, user_id)),
            set_aside=len(known.set_aside & existing),
        )
