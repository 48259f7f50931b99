"""The list of topics, and the page of one, with a member's progress."""

from __future__ import annotations

from bot.answers.store import latest_ratings
from bot.core.context import Context
from bot.core.database import Connection, reading, reading_long
from bot.members.store import zone_of
from bot.memory.progress import progress
from bot.memory.service import knowledge
from bot.questions.bank import check_topic
from bot.study.cards import InPlay, StudyPage, TopicList, in_play, item_progress
from bot.study.rules import page_of_topic


class Studies:
    """Reads what members study."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    @reading_long
    def topics(self, conn: Connection, user_id: int, guild_id: int | None) -> TopicList:
        """Return the topics of a server, or those that a member is asked in direct messages."""
        bank = self._banks.of_member(conn, user_id, guild_id)
        zone = zone_of(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, self._now())
        existing = self._banks.holding(conn, known.set_aside).items.keys()
        return TopicList(
            bank=bank,
            progress=progress(known, latest_ratings(conn, user_id)),
            set_aside=len(known.set_aside & existing),
        )

    @reading
    def page(
        self, conn: Connection, user_id: int, guild_id: int | None, topic_id: str
    ) -> StudyPage | InPlay:
        """Return the page of a topic, or why it can't be read now; refuses an unknown topic."""
        bank = self._banks.of_member(conn, user_id, guild_id)
        now = self._now()
        check_topic(bank, topic_id)
        topic = bank.asked_topics[topic_id]
        hidden = self._in_play.topics(conn, user_id, guild_id)
        if topic_id in hidden:
            return in_play(topic, hidden[topic_id], now)
        zone = zone_of(conn, user_id, guild_id)
        known = knowledge(conn, user_id, bank, zone, now)
        return StudyPage(
            topic=topic,
            section=bank.section_titles[topic.section_id],
            asks_openly=topic_id in bank.open_topics,
            progress=progress(known, latest_ratings(conn, user_id))[topic_id],
            items=item_progress(topic, known.cards, zone, now),
            list_page=page_of_topic(bank, topic_id),
        )
