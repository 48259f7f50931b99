"""Caches of servers' banks, which join packs with own questions, and of own questions' pictures.

Each look-up of a bank compares the bank's mark in the database with that of the cached bank, so changes by
other processes are seen at once. A transaction never loads a bank: it raises `NotLoaded`, and runs
again once the bank is in the cache.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from time import monotonic

from msgspec import Struct

from bot.chat.pictures import PictureCache
from bot.core.database import Connection, Database, NotLoaded
from bot.core.limits import DIRECT_BYTES, DIRECT_SERVERS
from bot.questions import own, store
from bot.questions.model import Bank, Topic

_MOST_BYTES = 68 << 20
"""Limit of the memory of all cached banks.

It is high enough for two members in direct messages, however large their servers' banks are: own
questions of `DIRECT_BYTES` count up to 34 MiB.
"""
_IDLE_SECONDS = 1800.0
_MOST_PICTURE_BYTES = 8 << 20
"""Limit of the cached pictures of all servers together: enough for 27 of the largest."""

Marks = tuple[tuple[int, int], ...]
"""Pairs of a server's id and its bank's mark, which every change of the bank replaces."""


class _Cached(Struct):
    """A server's bank, with the bytes of memory that it takes."""

    mark: int
    bank: Bank
    memory: int
    used_at: float


class _Joined(Struct, frozen=True):
    """The joined bank of several servers, and the bytes that it takes in addition to theirs."""

    servers: frozenset[int]
    bank: Bank
    memory: int


class Banks:
    """A thread-safe cache of all servers' banks.

    `packs` is the bank of servers without changes; `servers_of` returns the servers where a member
    has answered.
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
        self._cached: OrderedDict[int, _Cached] = OrderedDict()
        self._joined: OrderedDict[Marks, _Joined] = OrderedDict()
        """A joined bank is dropped with the first bank of its servers that is dropped."""
        self._lock = threading.Lock()

    def of(self, conn: Connection, guild_id: int) -> Bank:
        """Return a server's bank."""
        return self.with_mark(guild_id, store.bank_mark(conn, guild_id))

    def with_mark(self, guild_id: int, mark: int | None) -> Bank:
        """Return a server's bank; `mark` was just read from `server_banks`."""
        bank = self.packs if mark is None else self._lookup(guild_id, mark)
        if bank is None:
            raise NotLoaded(partial(self._load, guild_id=guild_id))
        return bank

    def of_member(self, conn: Connection, user_id: int, guild_id: int | None) -> Bank:
        """Return the bank for a member's private questions.

        On a server this is the server's bank. In direct messages it joins those of the servers
        where the member has ever answered, newest first, up to `DIRECT_SERVERS` and `DIRECT_BYTES`.
        """
        if guild_id is not None:
            return self.of(conn, guild_id)
        marks = self._marks_for(conn, user_id)
        bank = self._lookup_joined(marks) if marks else self.packs
        if bank is None:
            raise NotLoaded(partial(self._load_joined, user_id=user_id))
        return bank

    def _marks_for(self, conn: Connection, user_id: int) -> Marks:
        return store.bank_marks(conn, self._servers_of(conn, user_id), DIRECT_SERVERS)

    def holding(self, conn: Connection, ids: Iterable[str]) -> Bank:
        """Return the packs' bank plus those of servers' own items and topics that are named.

        Only the rows of the named ones are read. Call this in a read, since there may be many.
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
        distinct = {row.topic_id: row for row in topics}
        return own.bank_of(self.packs, None, list(distinct.values()), items)

    def open_question(self, conn: Connection, topic_id: str) -> Topic | None:
        """Return the topic that an open question was about, or the step of a case."""
        if "." in topic_id:
            return self.packs.step(topic_id)
        return self.holding(conn, [topic_id]).topics.get(topic_id)

    def _lookup(self, guild_id: int, mark: int) -> Bank | None:
        with self._lock:
            cached = self._cached.get(guild_id)
            if cached is None or cached.mark != mark:
                return None
            self._mark_used(guild_id)
            return cached.bank

    def _lookup_joined(self, marks: Marks) -> Bank | None:
        with self._lock:
            joined = self._joined.get(marks)
            if joined is None:
                return None
            self._joined.move_to_end(marks)
            for guild_id in joined.servers:
                self._mark_used(guild_id)
            return joined.bank

    def _mark_used(self, guild_id: int) -> None:
        self._cached[guild_id].used_at = self._seconds()
        self._cached.move_to_end(guild_id)

    def _load(self, conn: Connection, guild_id: int) -> Callable[[], Bank]:
        """Read a server's rows; return a function that makes the bank, outside the transaction."""
        mark = store.bank_mark(conn, guild_id)
        bank = self.packs if mark is None else self._lookup(guild_id, mark)
        if mark is None or bank is not None:
            return lambda: bank or self.packs
        packs = store.packs_of(conn, guild_id)
        rows = store.own_rows_of(conn, guild_id)

        def make() -> Bank:
            made = _indexed(own.bank_of(self.packs, packs, rows.topics, rows.items))
            memory = rows.memory + _memory_of_look_ups(made)
            self._add(guild_id, _Cached(mark, made, memory, self._seconds()))
            return made

        return make

    def _load_joined(self, conn: Connection, user_id: int) -> Callable[[], Bank]:
        """Read the rows of a member's servers; return a function that makes the joined bank."""
        marks = self._marks_for(conn, user_id)
        if (bank := self._lookup_joined(marks)) is not None:
            return lambda: bank
        servers = _fitting(store.own_sizes(conn, [guild_id for guild_id, _ in marks]))
        makers = [self._load(conn, guild_id) for guild_id in servers]

        def make() -> Bank:
            banks = [make_one() for make_one in makers]
            others = [bank for bank in banks if bank is not self.packs]
            joined = _indexed(own.join_banks([self.packs, *others]))
            with self._lock:
                if self._cached.keys() >= set(servers):
                    memory = _memory_of_look_ups(joined)
                    self._joined[marks] = _Joined(frozenset(servers), joined, memory)
                    self._evict()
            return joined

        return make

    def _add(self, guild_id: int, cached: _Cached) -> None:
        with self._lock:
            self._drop(guild_id)
            self._cached[guild_id] = cached
            self._evict()

    def _drop(self, guild_id: int) -> None:
        self._cached.pop(guild_id, None)
        outdated = [key for key, joined in self._joined.items() if guild_id in joined.servers]
        for marks in outdated:
            del self._joined[marks]

    def _evict(self) -> None:
        """Drop idle banks, then the least recently used ones until the rest fits."""
        idle_since = self._seconds() - _IDLE_SECONDS
        while len(self._joined) > 1 and self._memory() > _MOST_BYTES:
            self._joined.popitem(last=False)
        while len(self._cached) > 1:
            guild_id, cached = next(iter(self._cached.items()))
            if cached.used_at >= idle_since and self._memory() <= _MOST_BYTES:
                return
            self._drop(guild_id)

    def _memory(self) -> int:
        kept: list[_Cached | _Joined] = [*self._cached.values(), *self._joined.values()]
        return sum(each.memory for each in kept)


def _fitting(sizes: Mapping[int, int]) -> Collection[int]:
    """Return the servers whose rows fit into `DIRECT_BYTES`, and always the first one."""
    taken: dict[int, int] = {}
    for guild_id, size in sizes.items():
        if not taken or sum(taken.values()) + size <= DIRECT_BYTES:
            taken[guild_id] = size
    return taken


def _memory_of_look_ups(bank: Bank) -> int:
    """Return how many bytes the look-ups of a bank take; they have the items of packs too."""
    look_ups = bank.items, bank.asked, bank.topics, bank.asked_topics, bank.open_topics
    return sum({id(each): sys.getsizeof(each) for each in look_ups}.values())


def _indexed(bank: Bank) -> Bank:
    """Build a bank's look-ups now, in the loading thread, so that no transaction has to."""
    _ = bank.items, bank.topics, bank.open_topics, bank.section_titles
    return bank


class OwnPictures:
    """A cache of pictures. A server's file always has the same content, so it never gets old."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cache = PictureCache(_MOST_PICTURE_BYTES)

    async def load(self, guild_id: int, file: str) -> bytes | None:
        """Return a server's picture; None if it is gone."""
        key = f"{guild_id}/{file}"
        content = self._cache.get(key)
        if content is None:
            found = await self._database.read(store.own_pictures_of, guild_id, [file])
            content = found.get(file)
            if content is not None:
                self._cache.add(key, content)
        return content
