"""The page of a topic, as a member may read it now."""

from __future__ import annotations

from bot.answers import store as answer_log
from bot.boards.rules import page_of_topic, progress
from bot.core.context import Context
from bot.core.database import Connection, reading
from bot.members.store import zone_of
from bot.memory import store as memory
from bot.questions.bank import check_topic
from bot.study import rules
from bot.study.rules import InPlay, StudyPage


class Studies:
    """`now` gives UTC."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    @reading
    def page(
        self, conn: Connection, user_id: int, guild_id: int | None, topic_id: str
    ) -> StudyPage | InPlay:
        """What a member reads about a topic of the server, or in direct messages; refuses one that is not there."""
        bank, now = self._banks.of_member(conn, user_id, guild_id), self._now()
        check_topic(bank, topic_id)
        topic = bank.asked_topics[topic_id]
        hidden = self._in_play.topics(conn, user_id, guild_id)
        if topic_id in hidden:
            return rules.in_play(topic, hidden[topic_id], now)
        cards, zone = memory.cards_of(conn, user_id), zone_of(conn, user_id, guild_id)
        ratings = answer_log.latest_ratings(conn, user_id)
        return StudyPage(
            topic=topic,
            section=bank.section_titles[topic.section_id],
            asks_openly=topic_id in bank.open_topics,
            progress=progress(bank, cards, ratings, zone, now, memory.suspended(conn, user_id))[
                topic_id
            ],
            items=rules.items_of(topic, cards, zone, now),
            list_page=page_of_topic(bank, topic_id),
        )
