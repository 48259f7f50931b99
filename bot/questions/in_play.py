"""Which questions are in play: asked somewhere, and not revealed yet.

Several features ask questions, and none may show the answer to one that another has not revealed.
So `bot.app` makes one `InPlay` of the queries that these features have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import (
    CompoundSelect,
    Connection,
    CursorResult,
    Select,
    and_,
    bindparam,
    exists,
    select,
    union,
    union_all,
)

from bot.core.tables import prepared

_MEMBER, _SERVER = (bindparam(name, type_=sa.BigInteger) for name in ("member", "server"))


class InPlay:
    """Answers what is in play on a server, anywhere, and on the servers of a member.

    `sources`: by name ("round") a query for guild_id, item_id, topic_id (of an open question),
    source_id and, if that is known, `until`, the time of the reveal, of what is not revealed yet.
    `answered`: a query for user_id, source and source_id of the answers that members were told
    the result of. `servers`: queries for user_id and guild_id of servers where a member has
    answered; `seen`: of servers where they were only seen. `private`: a query for guild_id and
    topic_id of open questions whose key points are ticked by number, but that are not public.
    `uncounted`: a query for guild_id and item_id of what is revealed, but not counted yet.
    """

    def __init__(
        self,
        sources: Mapping[str, Select[Any]],
        *,
        answered: Select[Any],
        servers: Sequence[Select[Any]],
        seen: Sequence[Select[Any]],
        private: Select[Any],
        uncounted: Select[Any],
    ) -> None:
        self._sources = sources
        self._answered = answered
        self._servers = servers
        self._seen = seen
        self._private = private
        self._uncounted = uncounted
        self._here: dict[tuple[str, ...], Callable[..., CursorResult[Any]]] = {}
        self._anywhere = _items_of(list(sources.values()))
        self._hidden = {
            here: _items_of([self._unanswered(name, here=here) for name in sources])
            for here in (False, True)
        }

    def items(self, conn: Connection, guild_id: int, *sources: str) -> set[str]:
        """Return the items in play on a server: of these sources, or of all."""
        if sources not in self._here:

            def build(guild_id: int) -> CompoundSelect[Any]:
                queries = (self._sources[name] for name in sources or self._sources)
                return _items_of(
                    [q.where(q.selected_columns.guild_id == guild_id) for q in queries]
                )

            self._here[sources] = prepared(build)
        return set(self._here[sources](conn, guild_id).scalars())

    def keys_in_use(self, conn: Connection, guild_id: int) -> set[str]:
        """Return the ids of a server's items and topics whose key must not change now.

        They are asked now, or are about to be: members' answers are judged by the key, and only later
        it is shown to them. Private questions of one member are not among them, because each answer is
        judged and shown by the same key.
        """
        found = self.items(conn, guild_id)
        late = self._uncounted.where(self._uncounted.selected_columns.guild_id == guild_id)
        found.update(conn.execute(late.with_only_columns(late.selected_columns.item_id)).scalars())
        for query in (*self._sources.values(), self._private):
            columns = query.selected_columns
            topics = query.with_only_columns(columns.topic_id).where(columns.guild_id == guild_id)
            found.update(conn.execute(topics.where(columns.topic_id.is_not(None))).scalars())
        return found

    def items_anywhere(self, conn: Connection) -> set[str]:
        """Return the items in play on some server."""
        return set(conn.execute(self._anywhere).scalars())

    def items_hidden_from(self, conn: Connection, user_id: int, guild_id: int | None) -> set[str]:
        """Return the items that a member must not be asked in private now.

        They are in play on one of the member's servers and not answered by them. These servers are
        the one where they ask, and those where they have ever answered or been seen: the bot has no
        list of members. To hide what any server asks would let strangers take questions from
        everybody's practice.
        """
        query = self._hidden[guild_id is not None]
        return set(conn.execute(query, {"member": user_id, "server": guild_id}).scalars())

    def items_kept_from(self, conn: Connection, user_id: int, guild_id: int) -> set[str]:
        """Return the items whose answers a member must not bring about on a server.

        They are in play there, or hidden from the member.
        """
        return self.items(conn, guild_id) | self.items_hidden_from(conn, user_id, guild_id)

    def _unanswered(self, source: str, *, here: bool) -> Select[Any]:
        query = self._on_servers(source, here=here)
        columns, own = query.selected_columns, self._answered.selected_columns
        this = and_(
            own.source == source, own.source_id == columns.source_id, own.user_id == _MEMBER
        )
        return query.where(~exists(self._answered.with_only_columns(own.user_id).where(this)))

    def topics(
        self, conn: Connection, user_id: int, guild_id: int | None
    ) -> dict[str, datetime | None]:
        """Return the topics whose open question is in play on a member's servers, as for items.

        Each topic has the time of its last reveal, None if that is not known.
        """
        found: dict[str, datetime | None] = {}
        given = {"member": user_id, "server": guild_id}
        for source in self._sources:
            query = self._on_servers(source, here=guild_id is not None)
            columns = query.selected_columns
            until = columns["until"] if "until" in columns else sa.null().label("until")
            for row in conn.execute(query.with_only_columns(columns.topic_id, until), given):
                if row.topic_id is not None:
                    known = found.get(row.topic_id, row.until)
                    found[row.topic_id] = max(known, row.until) if known and row.until else None
        return found

    def _on_servers(self, source: str, *, here: bool) -> Select[Any]:
        """Return the query for what a source has in play on a member's servers.

        `here`: include the server where the member asks.
        """
        query = self._sources[source]
        servers: list[Any] = [select(_SERVER)] if here else []
        for known in [*self._servers, *self._seen]:
            own = known.selected_columns
            servers.append(known.with_only_columns(own.guild_id).where(own.user_id == _MEMBER))
        return query.where(query.selected_columns.guild_id.in_(union_all(*servers)))

    def servers_of(self, conn: Connection, user_id: int) -> set[int]:
        """Return the servers where a member has ever answered."""
        found: set[int] = set()
        for known in self._servers:
            own = known.selected_columns
            query = known.with_only_columns(own.guild_id).where(own.user_id == user_id)
            found.update(conn.execute(query).scalars())
        return found


def _items_of(queries: Sequence[Select[Any]]) -> CompoundSelect[Any]:
    """Return each item once: a thousand servers ask few more of them than ten do."""
    items = [(query, query.selected_columns.item_id) for query in queries]
    return union(*(query.with_only_columns(item).where(item.is_not(None)) for query, item in items))
