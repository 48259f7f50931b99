"""The messages of pairs that are to be sent, and their content.

They are stored in the transaction of the change that they report. `bot.pairs.work` sends them, so
a restart loses and repeats nothing.
"""

from __future__ import annotations

from typing import Any, Protocol

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.errors import UserError
from bot.members.store import names_of
from bot.pairs import store
from bot.pairs.cards import PairMessage
from bot.pairs.rules import MessageKind, Pair, PairState, Search, Turn
from bot.pairs.store import Unsent
from bot.questions.model import Topic


class Views(Protocol):
    """Makes the messages of pairs, as `bot.pairs.views` does."""

    def welcome(self, search: Search, /) -> Any: ...
    def message(self, card: PairMessage, /) -> Any: ...


class Messages:
    """Stores the messages of pairs, and describes those that are to be sent."""

    def __init__(self, context: Context) -> None:
        self._banks = context.banks
        self._now = context.now

    def say(
        self,
        conn: Connection,
        pair: Pair,
        kind: MessageKind,
        number: int = 0,
        *,
        direct: bool = False,
    ) -> None:
        """Store a message for both: one in their thread or, with `direct`, one to each."""
        if pair.thread_id is None or direct:
            for search in store.searches_of(conn, pair):
                self.tell(conn, search, kind, pair.id, number)
            return
        now = self._now()
        store.add_message(
            conn,
            guild_id=pair.guild_id,
            channel_id=pair.thread_id,
            kind=kind,
            pair_id=pair.id,
            number=number,
            created_at=now,
            due_at=now,
        )

    def tell(
        self,
        conn: Connection,
        search: Search,
        kind: MessageKind,
        pair_id: int | None,
        number: int = 0,
    ) -> None:
        """Store a direct message, if the member's channel is known."""
        if search.direct_id is None:
            return
        now = self._now()
        store.add_message(
            conn,
            guild_id=search.guild_id,
            channel_id=search.direct_id,
            user_id=search.user_id,
            kind=kind,
            pair_id=pair_id,
            number=number,
            created_at=now,
            due_at=now,
        )

    def describe(self, conn: Connection, unsent: Unsent) -> PairMessage | None:
        """Return what a message says; None if its pair was erased. Refuse if its topic was removed."""
        pair = store.get(conn, unsent.pair_id) if unsent.pair_id else None
        if pair is None and unsent.kind is not MessageKind.EXPIRED:
            return None
        search = store.search_of(conn, unsent.user_id) if unsent.user_id else None
        looks_until = search.ends_at if search and search.pair_id is None else None
        if pair is None:
            return PairMessage(
                unsent.id, unsent.kind, 0, (None, None), unsent.created_at, now=False
            )
        names = names_of(conn, pair.guild_id, pair.members)
        turn = store.turn(conn, pair.id, unsent.number) if unsent.number else None
        topic = self.topic(conn, pair, turn) if turn else None
        titles = self._banks.of(conn, pair.guild_id).section_titles
        return PairMessage(
            message_id=unsent.id,
            kind=unsent.kind,
            pair_id=pair.id,
            names=(names.get(pair.first_id), names.get(pair.second_id)),
            starts_at=pair.starts_at,
            answer_by=pair.due_at if pair.state is PairState.PROPOSED else None,
            now=pair.starts_at <= unsent.created_at,
            partner=names.get(pair.other(unsent.user_id)) if unsent.user_id else None,
            wanted=self.wanted(conn, pair),
            thread=pair.thread,
            ending=pair.ending,
            looks_until=looks_until,
            number=unsent.number,
            asks=pair.asker(unsent.number) == unsent.user_id if unsent.user_id else None,
            asker=names.get(pair.asker(unsent.number)),
            answerer=names.get(pair.answerer(unsent.number)),
            topic=topic,
            section=titles.get(topic.section_id, "") if topic else "",
            ticks=ticks_of(turn, topic) if turn and topic else frozenset(),
            answered=sum(each.done_at is not None for each in store.turns_of(conn, pair.id)),
        )

    def wanted(self, conn: Connection, pair: Pair) -> tuple[str, ...]:
        """Return the titles of the topics that a pair's members asked for, each once."""
        bank = self._banks.of(conn, pair.guild_id)
        searches = store.searches_of(conn, pair)
        topics = (bank.topics.get(search.topic_id or "") for search in searches)
        return tuple(dict.fromkeys(topic.title for topic in topics if topic))

    def topic(self, conn: Connection, pair: Pair, turn: Turn) -> Topic:
        """Return the topic of a question; refuse one that was removed."""
        topic = self._banks.of(conn, pair.guild_id).topics.get(turn.topic_id)
        if topic is None:
            raise UserError("This question was removed. Press End, and look again with </pair>.")
        return topic


def ticks_of(turn: Turn, topic: Topic) -> frozenset[int]:
    """Return the ticked key points, without those that the topic has lost since."""
    return frozenset(map(int, turn.ticks)) & frozenset(range(len(topic.key_points)))
