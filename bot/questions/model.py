"""The question bank as frozen values. `bot.questions.check` checks a file and makes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

LETTERS = "ABCDEF"


@dataclass(frozen=True, slots=True)
class Choice:
    text: str
    correct: bool
    why: str


@dataclass(frozen=True, slots=True)
class Item:
    """One closed question. `choices` is empty for typed items, `accept` for all others."""

    id: str
    topic_id: str
    kind: str
    difficulty: int
    prompt: str
    explanation: str
    choices: tuple[Choice, ...] = ()
    accept: tuple[str, ...] = ()
    formula: str | None = None
    spoken: str | None = None
    """The formula in words."""
    reference: int | None = None
    """Which of its topic's references, counted from 0, holds the fact; None if none does."""

    @property
    def level(self) -> str:
        """Its difficulty in words: easy is 1 and 2, medium 3, hard 4 and 5."""
        return "easy" if self.difficulty < 3 else "medium" if self.difficulty == 3 else "hard"

    @property
    def right(self) -> frozenset[int]:
        """Indexes of the right choices."""
        return frozenset(i for i, choice in enumerate(self.choices) if choice.correct)


@dataclass(frozen=True, slots=True)
class KeyPoint:
    text: str
    accept: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong statement, other ways to word it, what is right instead, and the key point it contradicts, from 1."""

    text: str
    accept: tuple[str, ...]
    why: str
    point: int


@dataclass(frozen=True, slots=True)
class FollowUp:
    when: str
    question: str
    hint: str | None = None
    """What a good answer says."""


@dataclass(frozen=True, slots=True)
class Reference:
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A subject with its open interview question and its closed items."""

    id: str
    section_id: str
    number: int | None
    title: str
    question: str
    answer: str
    key_points: tuple[KeyPoint, ...]
    follow_ups: tuple[FollowUp, ...]
    references: tuple[Reference, ...]
    items: tuple[Item, ...]
    misconceptions: tuple[Misconception, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    topics: tuple[Topic, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """The questions of one file, which is called by its name."""

    name: str
    bank: Bank


@dataclass(frozen=True)
class Bank:
    """Questions, with look-ups by id. `packs` are those that it was put together from, if any were.

    `sections` hold what is asked. `beside` are topics and items that are known, but not asked (any more), for whoever
    met them before; `silent` are topics whose open question is not asked. `topics` and `items` know them all.
    """

    title: str
    sections: tuple[Section, ...]
    packs: tuple[Pack, ...] = ()
    beside: tuple[Section, ...] = ()
    silent: frozenset[str] = frozenset()

    @classmethod
    def of(cls, packs: Sequence[Pack]) -> Bank:
        """Several packs as one bank; a section that two of them have is one, with the topics of both."""
        titles: dict[str, str] = {}
        topics: dict[str, list[Topic]] = {}
        for section in (section for pack in packs for section in pack.bank.sections):
            titles.setdefault(section.id, section.title)
            topics.setdefault(section.id, []).extend(section.topics)
        sections = (
            Section(section_id, title, tuple(topics[section_id]))
            for section_id, title in titles.items()
        )
        return cls(" · ".join(pack.bank.title for pack in packs), tuple(sections), tuple(packs))

    @cached_property
    def topics(self) -> Mapping[str, Topic]:
        """Every topic that is known, in the form in which it is asked, if it is."""
        known = {topic.id: topic for section in self.beside for topic in section.topics}
        return known | self.asked_topics if known else self.asked_topics

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Every item that is known."""
        known = {
            i.id: i for section in self.beside for topic in section.topics for i in topic.items
        }
        return known | self.asked if known else self.asked

    @cached_property
    def asked_topics(self) -> dict[str, Topic]:
        return {topic.id: topic for section in self.sections for topic in section.topics}

    @cached_property
    def asked(self) -> dict[str, Item]:
        """The items that are asked."""
        return {item.id: item for topic in self.asked_topics.values() for item in topic.items}

    @cached_property
    def open_topics(self) -> Mapping[str, Topic]:
        """The topics whose open question is asked."""
        return {
            t.id: t for t in self.asked_topics.values() if t.question and t.id not in self.silent
        }

    @cached_property
    def section_titles(self) -> Mapping[str, str]:
        return {section.id: section.title for section in (*self.sections, *self.beside)}

    def topic_of(self, item: Item) -> Topic:
        return self.topics[item.topic_id]

    def section_of(self, item: Item) -> str:
        """Title of the section in which the item stands."""
        return self.section_titles[self.topic_of(item).section_id]

    def search(self, text: str, limit: int = 25) -> list[Topic]:
        """Topics whose title, id, number or section holds every word of `text`; matches at a title's start first."""
        words = text.casefold().split()
        found: list[tuple[int, Topic]] = []
        for topic in self.asked_topics.values():
            title = topic.title.casefold()
            hay = f"{title} {topic.id} {topic.number or ''} {self.section_titles[topic.section_id].casefold()}"
            if all(word in hay for word in words):
                rank = (
                    0
                    if title.startswith(text.casefold())
                    else 1
                    if all(w in title for w in words)
                    else 2
                )
                found.append((rank, topic))
        return [topic for _, topic in sorted(found, key=lambda f: f[0])[:limit]]
