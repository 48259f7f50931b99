"""Which questions are asked where: for every server its packs and its own questions, loaded when they are needed.

What is loaded is cached for as long as it is used and fits. The database says with each look whether it is still true,
so no process shows what another one has changed. A transaction never loads a bank: it raises `NotLoaded`, and is run
again once the bank is in the cache.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from bot.core.database import Connection, NotLoaded
from bot.core.limits import DIRECT_ROWS, DIRECT_SERVERS
from bot.questions import own, store
from bot.questions.model import Bank

_MOST_BANKS, _MOST_ROWS = 500, 32_000
"""Servers' banks in the cache, and own topics and items in all of them: some 30 MB for 10,000.

Those of two members in direct messages fit, whatever their servers have.
"""
_MOST_JOINED = 20
"""Joined banks in the cache: their items are those of the servers' banks, so each takes some 2 MB."""
_IDLE_SECONDS = 1800.0

Marks = tuple[tuple[int, int], ...]
"""Servers' ids, each with the mark that changes with its bank."""


@dataclass(slots=True)
class _Kept:
    mark: int
    bank: Bank
    rows: int
    used: float


@dataclass(frozen=True, slots=True)
class _Joined:
    """The bank of several servers; `servers` are those whose questions are in it."""

    servers: frozenset[int]
    bank: Bank


class Banks:
    """The banks of all servers, for several threads at a time.

    `packs` are asked everywhere; `servers_of` returns the servers on which a member has answered.
    """

    def __init__(
        self,
        packs: Bank,
        servers_of: Callable[[Connection, int], Collection[int]],
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self.packs = packs
        self._servers_of = servers_of
        self._seconds = seconds
        self._kept: OrderedDict[int, _Kept] = OrderedDict()
        self._joined: OrderedDict[Marks, _Joined] = OrderedDict()
        """Each only for as long as the banks of its servers are cached."""
        self._lock = threading.Lock()

    def of(self, conn: Connection, guild_id: int) -> Bank:
        """Return what is asked on a server, and what is known there."""
        mark = store.bank_mark(conn, guild_id)
        bank = self.packs if mark is None else self._cached(guild_id, mark)
        if bank is None:
            raise NotLoaded(partial(self._read, guild_id=guild_id))
        return bank

    def of_member(self, conn: Connection, user_id: int, guild_id: int | None) -> Bank:
        """Return what is asked of a member in private: on a server what that asks, else what all of theirs do.

        Theirs are the newest of those on which they have ever answered, up to `DIRECT_SERVERS` and
        `DIRECT_ROWS`: the bot has no list of members.
        """
        if guild_id is not None:
            return self.of(conn, guild_id)
        marks = self._marks_for(conn, user_id)
        bank = self._cached_together(marks) if marks else self.packs
        if bank is None:
            raise NotLoaded(partial(self._read_together, user_id=user_id))
        return bank

    def _marks_for(self, conn: Connection, user_id: int) -> Marks:
        return store.bank_marks(conn, self._servers_of(conn, user_id), DIRECT_SERVERS)

    def holding(self, conn: Connection, ids: Iterable[str]) -> Bank:
        """Return a bank that knows these items and topics: the packs, with those of servers' own that are named.

        It is made of the rows of those alone. Call this in a read, as there may be many.
        """
        numbers: dict[int, set[int]] = {}
        for an_id in ids:
            server = own.server_of(an_id)
            if server is not None and (number := own.number_of(server, an_id)) is not None:
                numbers.setdefault(server, set()).add(number)
        topics: list[own.OwnTopic] = []
        items: list[own.OwnItem] = []
        for server, wanted in sorted(numbers.items()):
            found = store.own_items_numbered(conn, server, wanted)
            topics += store.own_topics_with(conn, server, wanted, {row.topic_id for row in found})
            items += found
        return own.bank_of(
            self.packs, None, list({row.topic_id: row for row in topics}.values()), items
        )

    def _cached(self, guild_id: int, mark: int) -> Bank | None:
        with self._lock:
            kept = self._kept.get(guild_id)
            if kept is None or kept.mark != mark:
                return None
            self._use(guild_id)
            return kept.bank

    def _cached_together(self, marks: Marks) -> Bank | None:
        with self._lock:
            joined = self._joined.get(marks)
            if joined is None:
                return None
            self._joined.move_to_end(marks)
            for guild_id in joined.servers:
                self._use(guild_id)
            return joined.bank

    def _use(self, guild_id: int) -> None:
        self._kept[guild_id].used = self._seconds()
        self._kept.move_to_end(guild_id)

    def _read(self, conn: Connection, guild_id: int) -> Callable[[], Bank]:
        """Read a server's rows, unless its bank is cached by now; return what makes the bank of them."""
        mark = store.bank_mark(conn, guild_id)
        bank = self.packs if mark is None else self._cached(guild_id, mark)
        if mark is None or bank is not None:
            return lambda: bank or self.packs
        packs = store.packs_of(conn, guild_id)
        topics, items = store.own_topics_of(conn, guild_id), store.own_items_of(conn, guild_id)

        def make() -> Bank:
            made = _indexed(own.bank_of(self.packs, packs, topics, items))
            self._keep(guild_id, _Kept(mark, made, len(topics) + len(items), self._seconds()))
            return made

        return make

    def _read_together(self, conn: Connection, user_id: int) -> Callable[[], Bank]:
        """Read the rows of a member's servers; return what makes one bank of them."""
        marks = self._marks_for(conn, user_id)
        if (bank := self._cached_together(marks)) is not None:
            return lambda: bank
        servers = _fitting(store.count_own_rows(conn, [guild_id for guild_id, _ in marks]))
        made_by = [self._read(conn, guild_id) for guild_id in servers]

        def make() -> Bank:
            banks = [make_one() for make_one in made_by]
            joined = _indexed(
                own.together([self.packs, *(bank for bank in banks if bank is not self.packs)])
            )
            with self._lock:
                if self._kept.keys() >= set(servers):
                    self._joined[marks] = _Joined(frozenset(servers), joined)
                    while len(self._joined) > _MOST_JOINED:
                        self._joined.popitem(last=False)
            return joined

        return make

    def _keep(self, guild_id: int, kept: _Kept) -> None:
        with self._lock:
            self._forget(guild_id)
            self._kept[guild_id] = kept
            self._let_go()

    def _forget(self, guild_id: int) -> None:
        self._kept.pop(guild_id, None)
        for marks in [
            marks for marks, joined in self._joined.items() if guild_id in joined.servers
        ]:
            del self._joined[marks]

    def _let_go(self) -> None:
        """Drop what nobody has used for a while, and the longest unused until the rest fits; the newest stays."""
        held, oldest = (
            sum(kept.rows for kept in self._kept.values()),
            self._seconds() - _IDLE_SECONDS,
        )
        while len(self._kept) > 1:
            guild_id, kept = next(iter(self._kept.items()))
            if len(self._kept) <= _MOST_BANKS and held <= _MOST_ROWS and kept.used >= oldest:
                return
            held -= kept.rows
            self._forget(guild_id)


def _fitting(rows: Mapping[int, int]) -> Collection[int]:
    """Return the servers whose rows fit into `DIRECT_ROWS`, the first in any case."""
    taken: dict[int, int] = {}
    for guild_id, number in rows.items():
        if not taken or sum(taken.values()) + number <= DIRECT_ROWS:
            taken[guild_id] = number
    return taken


def _indexed(bank: Bank) -> Bank:
    """Make a bank's look-ups, in the thread that loads it rather than where others wait."""
    _ = bank.items, bank.topics, bank.open_topics, bank.section_titles
    return bank
