"""Which questions are asked where: for every server its packs and its own questions, loaded when they are needed.

What is loaded is kept for as long as it is used and fits; the database says with each look whether it is still true,
so no process shows what another one has changed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from time import monotonic

from bot.core.database import Connection
from bot.questions import own, store
from bot.questions.model import Bank

_MOST_BANKS, _MOST_ITEMS = 500, 15_000
"""How many servers' banks are kept, and how many own topics and items in all of them: some 3 KB each."""
_IDLE_SECONDS = 1800.0
_MOST_SERVERS = 25
"""Of how many servers the own questions are asked of a member in direct messages."""


@dataclass(slots=True)
class _Kept:
    mark: int
    bank: Bank
    items: int
    used: float


class Banks:
    """See the module. Used by the threads of the database, several at a time. `packs` are the questions of all."""

    def __init__(self, packs: Bank, seconds: Callable[[], float] = monotonic) -> None:
        self.packs = packs
        self._seconds = seconds
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, conn: Connection, guild_id: int) -> Bank:
        """What is asked on a server, and what is known there."""
        mark = store.bank_mark(conn, guild_id)
        return self.packs if mark is None else self._loaded(conn, guild_id, mark)

    def of_member(self, conn: Connection, user_id: int, guild_id: int | None) -> Bank:
        """What is asked of a member in private: on a server what that asks, else what all of theirs do.

        Theirs are those on which they have ever answered: the bot has no list of members.
        """
        if guild_id is not None:
            return self.of(conn, guild_id)
        marks = store.bank_marks_for(conn, user_id, _MOST_SERVERS)
        banks = [self._loaded(conn, server, mark) for server, mark in marks]
        own_ones = [bank for bank in banks if bank is not self.packs]
        return own.together([self.packs, *own_ones]) if own_ones else self.packs

    def holding(self, conn: Connection, ids: Iterable[str]) -> Bank:
        """What knows these items and topics: the packs, and the banks of the servers whose own they are."""
        servers = {server for an_id in ids if (server := own.server_of(an_id)) is not None}
        banks = [self.of(conn, server) for server in sorted(servers)]
        return own.together([self.packs, *banks]) if banks else self.packs

    def _loaded(self, conn: Connection, guild_id: int, mark: int) -> Bank:
        with self._lock:
            kept = self._kept.get(guild_id)
            if kept is not None and kept.mark == mark:
                kept.used = self._seconds()
                self._kept.move_to_end(guild_id)
                return kept.bank
        topics, items = store.own_topics_of(conn, guild_id), store.own_items_of(conn, guild_id)
        bank = own.bank_of(self.packs, store.packs_of(conn, guild_id), topics, items)
        with self._lock:
            self._kept[guild_id] = _Kept(mark, bank, len(topics) + len(items), self._seconds())
            self._kept.move_to_end(guild_id)
            self._let_go()
        return bank

    def _let_go(self) -> None:
        """Drop what nobody has used for a while, and the longest unused until the rest fits; the newest stays."""
        held, oldest = sum(kept.items for kept in self._kept.values()), self._seconds() - _IDLE_SECONDS
        while len(self._kept) > 1:
            guild_id, kept = next(iter(self._kept.items()))
            if len(self._kept) <= _MOST_BANKS and held <= _MOST_ITEMS and kept.used >= oldest:
                return
            held -= kept.items
            del self._kept[guild_id]
