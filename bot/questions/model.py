"""The question bank as frozen values, and reports about it. `bot.questions.check` makes a bank."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import cache, cached_property

import msgspec
from msgspec import Struct
from msgspec.structs import replace

LETTERS = "ABCDEF"
PIECE_LETTERS = "ABCDEFGHIJ"
"""The letters of lines of code on a card, with those that don't belong."""
PLACING_SECONDS = 4
"""Seconds to find a line of code and put it in its place, besides reading it."""
USUAL_WEIGHT = 2
LOGITS_A_LEVEL = 0.8
"""The step from one difficulty of the bank to the next, on the Rasch scale."""
_READ_A_SECOND = 15
"""Characters of a question that members read in a second."""
_GUESSED_SET = 0.05
"""The chance to guess a set of right choices."""
_GIST = {"typed": 200, "multiple": 100, "order": 100}
"""Characters that two sentences may have, by kind, to be shown in place of the first alone."""
_SENTENCE_END = re.compile(
    r"(?<!\b[A-Za-z]\.)(?<! al\.| vs\.| cf\.| No\.|e\.g\.|i\.e\.|Fig\.|etc\.)(?<!\.\.\.)"
    r"(?:(?<=[.!?])|(?<=[.!?][\"”)]))\s+(?=[^\sa-z])"
)
"""Between two sentences. Where that isn't sure, for example after a single letter, there is none."""


class Choice(Struct, frozen=True):
    text: str
    correct: bool
    why: str


class Decoy(Struct, frozen=True):
    """A line that doesn't belong into a piece of code; `why` says what mistake it would be."""

    text: str
    why: str


LEVELS = ("easy", "medium", "hard")
"""The difficulty of items in words."""


def rasch_level(difficulty: float) -> str:
    """Return a difficulty on the Rasch scale in words.

    An average member knows an item of difficulty 0 with a probability of one half, and one of
    difficulty 1 as well as a member of ability 1 knows an item of difficulty 2.
    """
    middle = LOGITS_A_LEVEL / 2
    return "easy" if difficulty < -middle else "hard" if difficulty > middle else "medium"


@cache
def level_of(difficulty: int) -> str:
    """Return a difficulty from 1 to 5 in words."""
    return rasch_level(_on_rasch_scale(difficulty))


def _on_rasch_scale(difficulty: int) -> float:
    return LOGITS_A_LEVEL * (difficulty - 3)


class ItemPicture(Struct, frozen=True):
    """The picture of a server's own item: what it shows in words, and the name of its file."""

    alt: str
    file: str


class Item(Struct, frozen=True):
    """A closed question: `choices` to pick from, `accept` if it is typed, or `lines` to put in order."""

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
    code: str | None = None
    """Something to read below the prompt: code, a config, a log, a trace or a table."""
    language: str | None = None
    """The language for colouring the code, such as `python`; None for plain text."""
    picture: ItemPicture | None = None
    unit: str | None = None
    """The unit of a typed number; one typed without a unit is taken to be in it."""
    tolerance: int = 0
    """The most percent that a typed number may differ from the first accepted one."""
    as_of: str | None = None
    """The year and month when a fact that ages was checked, such as `2026-05`."""
    reference: int | None = None
    """The index of the topic's reference that is the source of the fact, if any."""
    lines: tuple[str, ...] = ()
    """The lines of a piece of code in a right order."""
    decoys: tuple[Decoy, ...] = ()
    orders: tuple[str, ...] = ()
    """Other right orders of `lines`, as answers are stored, such as `0213456`."""

    @property
    def pieces(self) -> tuple[str, ...]:
        """All that members choose lines from: those of the code, then the decoys."""
        return (*self.lines, *(decoy.text for decoy in self.decoys))

    @property
    def offered(self) -> range:
        """The indexes of the choices, or of `pieces`: what a card shuffles."""
        return range(len(self.choices or self.pieces))

    @property
    def right_orders(self) -> tuple[str, ...]:
        """All right orders of `lines`, as answers are stored; the bank's own is the first."""
        return ("".join(map(str, range(len(self.lines)))), *self.orders)

    @property
    def level(self) -> str:
        """The difficulty in words: 1 and 2 are easy, 3 is medium, 4 and 5 are hard."""
        return level_of(self.difficulty)

    @property
    def expected_difficulty(self) -> float:
        """The difficulty on the Rasch scale."""
        return _on_rasch_scale(self.difficulty)

    @property
    def guessing(self) -> float:
        """The probability that somebody who doesn't know the answer gets it right."""
        if self.kind in {"typed", "order"}:
            return 0.0
        return 1 / len(self.choices) if self.kind == "choice" else _GUESSED_SET

    @property
    def reading_ms(self) -> int:
        """The milliseconds that it takes to read the prompt with the choices or lines of code."""
        texts = (self.prompt, *(choice.text for choice in self.choices), *self.pieces)
        return sum(map(len, texts)) * 1000 // _READ_A_SECOND

    @property
    def right(self) -> frozenset[int]:
        """The indexes of the right choices."""
        return frozenset(i for i, choice in enumerate(self.choices) if choice.correct)

    @property
    def gist(self) -> str:
        """Why its answer is right, in one or two whole sentences.

        It is the reason for the right choice; if there is none or several are right, the beginning of the explanation.
        """
        if self.kind == "choice":
            reason = next(choice.why for choice in self.choices if choice.correct)
            if not self.explanation.startswith(reason.removesuffix("…")):  # a form cuts a long one
                return reason
        first, *more = _SENTENCE_END.split(self.explanation, maxsplit=2)
        two = self.explanation[: len(first) + 1 + len(more[0])] if more else ""
        return two if more and len(two) <= _GIST.get(self.kind, 0) else first

    @property
    def beyond_gist(self) -> str:
        """The explanation without its sentences that are the gist; empty if it has no others."""
        return self.explanation.removeprefix(self.gist).strip()

    @property
    def mark(self) -> int:
        """A number that changes with what is asked and with what is right."""
        choices = [(choice.text, choice.correct) for choice in self.choices]
        shown = self.kind, self.prompt, self.code, self.formula, self.picture, choices, self.pieces
        return _mark(shown, len(self.lines), self.accept, self.unit, self.tolerance, self.orders)


class KeyPoint(Struct, frozen=True):
    """A statement that an answer must make, other ways to word it, and sentences that contradict it.

    The first of these opposites is short, because members see it below the key point.
    """

    text: str
    accept: tuple[str, ...]
    opposites: tuple[str, ...] = ()


class Misconception(Struct, frozen=True):
    """A wrong statement with other wordings of it.

    `why` says what is right instead; `point` is the key point that it contradicts, counted from 1.
    """

    text: str
    accept: tuple[str, ...]
    why: str
    point: int


class FollowUp(Struct, frozen=True):
    when: str
    question: str
    hint: str | None = None
    """A good answer."""


class Reference(Struct, frozen=True):
    title: str
    url: str


class Topic(Struct, frozen=True, dict=True):
    """A subject with an open interview question and closed items; a server's own may lack either."""

    id: str
    section_id: str
    number: int | None
    title: str
    question: str = ""
    answer: str = ""
    key_points: tuple[KeyPoint, ...] = ()
    follow_ups: tuple[FollowUp, ...] = ()
    references: tuple[Reference, ...] = ()
    items: tuple[Item, ...] = ()
    misconceptions: tuple[Misconception, ...] = ()
    weight: int = USUAL_WEIGHT
    """How often interviews ask about it: 1 sometimes, 2 often, 3 nearly always."""
    setting: str = ""
    """Words that lead to the question; empty for all but steps of cases."""

    @cached_property
    def levels(self) -> Mapping[float, int]:
        """The number of its items by difficulty on the Rasch scale."""
        return Counter(item.expected_difficulty for item in self.items)

    @property
    def mark(self) -> int:
        """A number that changes with the key points, which are ticked by their number."""
        return _mark([point.text for point in self.key_points])


def _mark(*values: object) -> int:
    return zlib.crc32(msgspec.json.encode(values))


class Report(Struct, frozen=True):
    """A member's report of a fault in an item, or in the open question of a topic."""

    id: int
    item_id: str
    text: str
    at: datetime


class TopicOfWeek(Struct, frozen=True):
    """A server's topic of the week, the date it was chosen, and its items not asked since then."""

    topic: Topic
    began: date
    unasked: frozenset[str]


class Section(Struct, frozen=True):
    id: str
    title: str
    topics: tuple[Topic, ...]


class Case(Struct, frozen=True):
    """A scenario in steps, each of them a topic with an open question and without items.

    The first step's `setting` is the interviewer's opening; that of each later one carries on from a
    good answer to the step before. A step's id is the case's, a dot, and its number from 1.
    `topics` are the ids of the bank's topics that the case leans on.
    """

    id: str
    title: str
    area: str
    topics: tuple[str, ...]
    steps: tuple[Topic, ...]


class Pack(Struct, frozen=True):
    """The questions of one file, named after the file."""

    name: str
    bank: Bank


class Bank(Struct, frozen=True, dict=True):
    """Questions with look-ups by id.

    `sections` hold the questions that are asked, `retired` those of a server that are not asked any
    more but stay readable for members who answered them. `silent` are ids of topics whose open question is
    not asked. `packs` are the packs the bank was joined from, if any. `cases` belong to no server, so
    only the bank of all packs has them.
    """

    title: str
    sections: tuple[Section, ...]
    packs: tuple[Pack, ...] = ()
    retired: tuple[Section, ...] = ()
    silent: frozenset[str] = frozenset()
    cases: tuple[Case, ...] = ()

    @classmethod
    def join(cls, packs: Sequence[Pack]) -> Bank:
        """Join packs to one bank."""
        banks = [pack.bank for pack in packs]
        return cls(
            title=" · ".join(bank.title for bank in banks),
            sections=joined_sections(banks),
            packs=tuple(packs),
        )

    @cached_property
    def topics(self) -> Mapping[str, Topic]:
        """All topics by id, the retired ones too."""
        retired = {topic.id: topic for section in self.retired for topic in section.topics}
        return retired | self.asked_topics if retired else self.asked_topics

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """All items by id, the retired ones too."""
        retired = {
            i.id: i for section in self.retired for topic in section.topics for i in topic.items
        }
        return retired | self.asked if retired else self.asked

    @cached_property
    def asked_topics(self) -> dict[str, Topic]:
        return {topic.id: topic for section in self.sections for topic in section.topics}

    @cached_property
    def asked(self) -> dict[str, Item]:
        """The items that are asked, by id."""
        return {item.id: item for topic in self.asked_topics.values() for item in topic.items}

    @cached_property
    def reading_seconds(self) -> Mapping[str, float]:
        """The seconds that it takes to read each item, by id."""
        return {item_id: item.reading_ms / 1000 for item_id, item in self.items.items()}

    @cached_property
    def open_topics(self) -> Mapping[str, Topic]:
        """The topics whose open question is asked."""
        return {
            t.id: t for t in self.asked_topics.values() if t.question and t.id not in self.silent
        }

    @cached_property
    def section_titles(self) -> Mapping[str, str]:
        return {section.id: section.title for section in (*self.sections, *self.retired)}

    def case(self, case_id: str | None) -> Case | None:
        return next((case for case in self.cases if case.id == case_id), None)

    def step(self, step_id: str) -> Topic | None:
        """Return a step of a case by its id."""
        case = self.case(step_id.partition(".")[0])
        steps = case.steps if case is not None else ()
        return next((step for step in steps if step.id == step_id), None)

    def only(self, topic_ids: Container[str]) -> Bank:
        """Return the bank with these topics only."""
        sections = []
        for section in self.sections:
            topics = tuple(topic for topic in section.topics if topic.id in topic_ids)
            if topics:
                sections.append(replace(section, topics=topics))
        return Bank(self.title, tuple(sections))

    def topic_of(self, item: Item) -> Topic:
        return self.topics[item.topic_id]

    def section_of(self, item: Item) -> str:
        """Return the title of the item's section."""
        return self.section_titles[self.topic_of(item).section_id]

    def search(self, text: str, limit: int = 25) -> list[Topic]:
        """Return topics with every word in title, id, number or section, best matches first."""
        start = text.casefold()
        words = start.split()
        found: list[tuple[int, Topic]] = []
        for topic in self.asked_topics.values():
            title = topic.title.casefold()
            section = self.section_titles[topic.section_id].casefold()
            searched = f"{title} {topic.id} {topic.number or ''} {section}"
            if all(word in searched for word in words):
                in_title = all(word in title for word in words)
                found.append((0 if title.startswith(start) else 1 if in_title else 2, topic))
        return [topic for _, topic in sorted(found, key=lambda each: each[0])[:limit]]


def joined_sections(banks: Iterable[Bank]) -> tuple[Section, ...]:
    """Return the sections of banks. Sections with the same id become one, and so do topics."""
    sections: dict[str, tuple[str, dict[str, Topic]]] = {}
    for bank in banks:
        for section in bank.sections:
            _, topics = sections.setdefault(section.id, (section.title, {}))
            for topic in section.topics:
                before = topics.get(topic.id)
                topics[topic.id] = topic if before is None else _with_items_of(before, topic)
    return tuple(
        Section(section_id, title, tuple(topics.values()))
        for section_id, (title, topics) in sections.items()
    )


def _with_items_of(topic: Topic, other: Topic) -> Topic:
    items = {item.id: item for item in (*topic.items, *other.items)}
    if len(items) == len(topic.items):
        return topic
    return replace(topic, items=tuple(items.values()))
