"""Joins a server's packs with its own items and topics to one bank.

An own item or topic has a name, which is unique on its server, and a globally unique id made of the
server's id and the row's number. Ids in packs never contain two hyphens in a row, so no id of a
pack can equal one of these.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, msgpack
from msgspec.structs import replace

from bot.core.limits import OWN_ROW_BYTES
from bot.questions.check import make_item, make_topic
from bot.questions.model import Bank, Item, Section, Topic, joined_sections

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SEPARATOR = "--"


class OwnTopic(Struct, frozen=True):
    """A topic with own items or an own open question; `content` is JSON with the remaining fields.

    If the topic is a pack's, `topic_id` is the pack's id, and section and title replace the pack's
    if the pack is removed.
    """

    guild_id: int
    number: int
    name: str
    topic_id: str
    section: str
    section_title: str
    title: str
    content: str


class OwnItem(Struct, frozen=True):
    """An own item; `content` is JSON: the item as in a bank's file, without its id."""

    guild_id: int
    number: int
    name: str
    topic_id: str
    retired: bool
    content: str

    @property
    def item_id(self) -> str:
        return own_id(self.guild_id, self.number)

    @property
    def picture(self) -> str | None:
        """The name of its picture's file."""
        if '"picture"' not in self.content:  # most items have none
            return None
        picture = json.loads(self.content).get("picture")
        return None if picture is None else str(picture["file"])


class Sums(Struct, frozen=True):
    """The number of own items that a server asks, that of its own topics, and the bytes of all rows."""

    asked: int = 0
    topics: int = 0
    size: int = 0

    def without(self, others: Sums) -> Sums:
        """Return the sums of the other rows."""
        return Sums(self.asked - others.asked, self.topics - others.topics, self.size - others.size)


def size_of(row: OwnTopic | OwnItem) -> int:
    """Return the bytes that a row counts for `MAX_OWN_BYTES`."""
    text = row.content
    return OWN_ROW_BYTES + (len(text) if text.isascii() else len(text.encode()))


def sums_of(topics: Collection[OwnTopic], items: Collection[OwnItem]) -> Sums:
    """Return the sums of some rows of a server."""
    asked = sum(not row.retired for row in items)
    return Sums(asked, len(topics), sum(map(size_of, topics)) + sum(map(size_of, items)))


class OwnRows(Struct, frozen=True):
    """All rows of a server, packed: one emoji in a text makes it four times as large in memory.

    `memory` is how many bytes they take unpacked, as parts of a bank.
    """

    packed_topics: Sequence[bytes]
    packed_items: Sequence[bytes]
    memory: int

    @classmethod
    def of(cls, topics: Iterable[OwnTopic], items: Iterable[OwnItem]) -> OwnRows:
        """Pack rows one by one."""
        memory = 0

        def pack(row: OwnTopic | OwnItem) -> bytes:
            nonlocal memory
            memory += sys.getsizeof(row.content) + _ROW_MEMORY
            return msgpack.encode(row)

        return cls([pack(row) for row in topics], [pack(row) for row in items], memory)

    @property
    def topics(self) -> list[OwnTopic]:
        return [msgpack.decode(row, type=OwnTopic) for row in self.packed_topics]

    @property
    def items(self) -> Iterator[OwnItem]:
        """The items, unpacked one by one."""
        return (msgpack.decode(row, type=OwnItem) for row in self.packed_items)


_ROW_MEMORY = 1_000
"""Bytes of memory that an item or topic of a bank takes in addition to its texts."""

IN_SQL = f"'%{_SEPARATOR}%'"
"""A LIKE pattern for ids of own items, for conditions of partial indexes."""


def own_id(guild_id: int, number: int) -> str:
    """Return the id of a server's own item or topic."""
    return f"{_base36(guild_id)}{_SEPARATOR}{_base36(number)}"


def is_own(an_id: str) -> bool:
    """Return whether an id belongs to some server's own item or topic."""
    return _SEPARATOR in an_id


def server_of(an_id: str) -> int | None:
    """Return the server whose own item or topic has this id; None for an id of a pack."""
    server, separator, _ = an_id.partition(_SEPARATOR)
    return int(server, 36) if separator else None


def number_of(guild_id: int, an_id: str) -> int | None:
    """Return the number in the id of a server's own item or topic; None for any other id."""
    server, _, number = an_id.partition(_SEPARATOR)
    return int(number, 36) if number and server == _base36(guild_id) else None


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def item_of(row: OwnItem) -> Item:
    """Make the item of a row."""
    return make_item({**json.loads(row.content), "id": row.item_id}, row.topic_id)


def topic_of(row: OwnTopic, section_id: str) -> Topic:
    """Make the topic of a row, without items."""
    content = {**json.loads(row.content), "id": row.topic_id, "title": row.title, "items": []}
    return make_topic(content, section_id)


def bank_of(
    packs: Bank,
    chosen: Collection[str] | None,
    topics: Sequence[OwnTopic] = (),
    items: Iterable[OwnItem] = (),
) -> Bank:
    """Make a server's bank, with topics in the packs' order.

    `chosen` are the names of the packs that are asked. None means all; so does a choice of packs
    that have all been removed.
    """
    silent = _unchosen_topics(packs, chosen)
    asked: dict[str, list[Item]] = {}
    retired: dict[str, list[Item]] = {}
    for row in items:
        (retired if row.retired else asked).setdefault(row.topic_id, []).append(item_of(row))
    if not (silent or asked or retired or topics):
        return packs
    builder = _BankBuilder(packs)
    for topic in packs.topics.values():
        own = tuple(asked.pop(topic.id, ()))
        if topic.id in silent:
            builder.add_retired(topic)
            if own:
                builder.add_asked(replace(topic, items=own))
        else:
            builder.add_asked(replace(topic, items=topic.items + own) if own else topic)
        if topic.id in retired:
            builder.add_retired(replace(topic, items=tuple(retired.pop(topic.id))))
    for own_topic in topics:
        if own_topic.topic_id in packs.topics:
            continue
        topic = topic_of(own_topic, builder.section_id(own_topic))
        own = tuple(asked.get(own_topic.topic_id, ()))
        is_asked = bool(own or topic.question)
        if is_asked:
            builder.add_asked(replace(topic, items=own))
        if own_topic.topic_id in retired or not is_asked:
            builder.add_retired(replace(topic, items=tuple(retired.get(own_topic.topic_id, ()))))
    return Bank(
        title=packs.title,
        sections=builder.sections(builder.asked),
        packs=packs.packs,
        retired=builder.sections(builder.retired),
        silent=frozenset(silent),
    )


def join_banks(banks: Sequence[Bank]) -> Bank:
    """Join the banks of a member's servers: a question that is asked on any of them is asked."""
    first, *others = banks
    return Bank(
        title=first.title,
        sections=joined_sections(banks),
        packs=first.packs,
        retired=tuple(section for bank in banks for section in bank.retired),
        silent=first.silent.intersection(*(bank.silent for bank in others)),
    )


def _unchosen_topics(packs: Bank, chosen: Collection[str] | None) -> set[str]:
    """Return the ids of the topics in packs that are not asked."""
    unchosen = [pack for pack in packs.packs if chosen is not None and pack.name not in chosen]
    if len(unchosen) == len(packs.packs):
        return set()
    return {topic_id for pack in unchosen for topic_id in pack.bank.topics}


class _BankBuilder:
    """Collects asked and retired topics by section."""

    def __init__(self, packs: Bank) -> None:
        self._titles = dict(packs.section_titles)
        self.asked: dict[str, list[Topic]] = {}
        self.retired: dict[str, list[Topic]] = {}

    def add_asked(self, topic: Topic) -> None:
        self.asked.setdefault(topic.section_id, []).append(topic)

    def add_retired(self, topic: Topic) -> None:
        self.retired.setdefault(topic.section_id, []).append(topic)

    def section_id(self, row: OwnTopic) -> str:
        """Return the id of an own topic's section: a pack's, or a globally unique one."""
        if row.section in self._titles:
            return row.section
        section_id = f"{_base36(row.guild_id)}{_SEPARATOR}{row.section}"
        self._titles.setdefault(section_id, row.section_title)
        return section_id

    def sections(self, topics: Mapping[str, list[Topic]]) -> tuple[Section, ...]:
        return tuple(
            Section(section_id, title, tuple(topics[section_id]))
            for section_id, title in self._titles.items()
            if section_id in topics
        )
