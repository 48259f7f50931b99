"""The questions of a server: the packs that are asked there, and its own items and topics, as one bank.

An own item or topic has a name, which its server gave it, and an id, by which everything else knows it: the server's
number and the row's own. No pack and no other server can have it, as ids in packs have no two hyphens in a row.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.questions.check import make_item, make_topic
from bot.questions.model import Bank, Item, Section, Topic

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_BETWEEN = "--"


@dataclass(frozen=True, slots=True)
class OwnTopic:
    """A topic that a server has items or an open question in. `content` is JSON: what a bank's file says beside that.

    `topic_id` is a pack's where the topic is one of a pack's; its section and title then stand in for the pack's,
    should the pack go.
    """

    guild_id: int
    number: int
    name: str
    topic_id: str
    section: str
    section_title: str
    title: str
    content: str


@dataclass(frozen=True, slots=True)
class OwnItem:
    """An item of a server. `content` is JSON: the item as in a bank's file, without its id."""

    guild_id: int
    number: int
    name: str
    topic_id: str
    retired: bool
    content: str

    @property
    def item_id(self) -> str:
        return own_id(self.guild_id, self.number)


IN_SQL = f"'%{_BETWEEN}%'"
"""What ids of own items look like, for conditions of indexes that hold nothing else."""


def own_id(guild_id: int, number: int) -> str:
    """The id of a server's item or topic."""
    return f"{_base36(guild_id)}{_BETWEEN}{_base36(number)}"


def is_own(an_id: str) -> bool:
    """Whether an id is that of some server's own item or topic."""
    return _BETWEEN in an_id


def server_of(an_id: str) -> int | None:
    """The server whose own item or topic has this id; None for one of a pack."""
    server, between, _ = an_id.partition(_BETWEEN)
    return int(server, 36) if between else None


def number_of(guild_id: int, an_id: str) -> int | None:
    """The number of a server's own item or topic, by its id; None for anybody else's id."""
    server, _, number = an_id.partition(_BETWEEN)
    return int(number, 36) if number and server == _base36(guild_id) else None


def _base36(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


def item_of(row: OwnItem) -> Item:
    """An own item as everything else knows it."""
    return make_item({**json.loads(row.content), "id": row.item_id}, row.topic_id)


def topic_of(row: OwnTopic, section_id: str) -> Topic:
    """An own topic, without its items."""
    content: dict[str, Any] = {
        "question": "",
        "answer": "",
        "key_points": [],
        "follow_ups": [],
        "references": [],
    }
    content |= json.loads(row.content)
    return make_topic({**content, "id": row.topic_id, "title": row.title, "items": []}, section_id)


def bank_of(
    packs: Bank,
    chosen: Collection[str] | None,
    topics: Sequence[OwnTopic] = (),
    items: Iterable[OwnItem] = (),
) -> Bank:
    """What is asked on a server, in the packs' order, and beside it what is known there, but not asked (any more).

    `chosen` are the packs that are asked; None stands for all, and so does a choice of which nothing is left.
    """
    silent = _left_out(packs, chosen)
    asked: dict[str, list[Item]] = {}
    retired: dict[str, list[Item]] = {}
    for row in items:
        (retired if row.retired else asked).setdefault(row.topic_id, []).append(item_of(row))
    if not (silent or asked or retired or topics):
        return packs
    shelf = _Shelf(packs)
    for topic in packs.topics.values():
        own = tuple(asked.pop(topic.id, ()))
        if topic.id in silent:
            shelf.keep(topic)
            if own:
                shelf.ask(replace(topic, items=own))
        else:
            shelf.ask(replace(topic, items=topic.items + own) if own else topic)
        if topic.id in retired:
            shelf.keep(replace(topic, items=tuple(retired.pop(topic.id))))
    for mine in topics:
        if mine.topic_id in packs.topics:
            continue
        topic = topic_of(mine, shelf.section(mine))
        own = tuple(asked.get(mine.topic_id, ()))
        is_asked = bool(own or topic.question)
        if is_asked:
            shelf.ask(replace(topic, items=own))
        if mine.topic_id in retired or not is_asked:
            shelf.keep(replace(topic, items=tuple(retired.get(mine.topic_id, ()))))
    return Bank(
        packs.title,
        shelf.sections(shelf.asked),
        packs.packs,
        shelf.sections(shelf.kept),
        frozenset(silent),
    )


def together(banks: Sequence[Bank]) -> Bank:
    """The questions of several servers, for a member of all of them: what is asked on any of them is asked."""
    first, *others = banks
    sections: dict[str, tuple[str, dict[str, Topic]]] = {}
    for bank in banks:
        for section in bank.sections:
            _, topics = sections.setdefault(section.id, (section.title, {}))
            for topic in section.topics:
                before = topics.get(topic.id)
                topics[topic.id] = topic if before is None else _joined(before, topic)
    asked = tuple(
        Section(name, title, tuple(topics.values())) for name, (title, topics) in sections.items()
    )
    beside = tuple(section for bank in banks for section in bank.beside)
    silent = first.silent.intersection(*(bank.silent for bank in others))
    return Bank(first.title, asked, first.packs, beside, silent)


def _joined(one: Topic, other: Topic) -> Topic:
    items = {item.id: item for item in (*one.items, *other.items)}
    return one if len(items) == len(one.items) else replace(one, items=tuple(items.values()))


def _left_out(packs: Bank, chosen: Collection[str] | None) -> set[str]:
    """The topics of packs that are not asked."""
    left = [pack for pack in packs.packs if chosen is not None and pack.name not in chosen]
    if len(left) == len(packs.packs):
        return set()
    return {topic_id for pack in left for topic_id in pack.bank.topics}


class _Shelf:
    """Topics by section, those that are asked and those that are only kept."""

    def __init__(self, packs: Bank) -> None:
        self._titles = dict(packs.section_titles)
        self.asked: dict[str, list[Topic]] = {}
        self.kept: dict[str, list[Topic]] = {}

    def ask(self, topic: Topic) -> None:
        self.asked.setdefault(topic.section_id, []).append(topic)

    def keep(self, topic: Topic) -> None:
        self.kept.setdefault(topic.section_id, []).append(topic)

    def section(self, mine: OwnTopic) -> str:
        """The id of an own topic's section: a pack's, or one that no other server's is taken for."""
        if mine.section in self._titles:
            return mine.section
        section_id = f"{_base36(mine.guild_id)}{_BETWEEN}{mine.section}"
        self._titles.setdefault(section_id, mine.section_title)
        return section_id

    def sections(self, of: Mapping[str, list[Topic]]) -> tuple[Section, ...]:
        return tuple(
            Section(name, title, tuple(of[name]))
            for name, title in self._titles.items()
            if name in of
        )
