"""The values of a server's own questions, of suggestions and reports, and of insights."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from bot.questions.check import Place, Problem
from bot.questions.model import Bank, Item
from bot.questions.own import OwnItem, OwnTopic, Sums

DEFAULT_TOPIC = "From our members"
"""The topic of an accepted suggestion, unless who accepts it names another."""
MAX_COUNTED = 100
"""Limit for counting what waits; beyond it, views show "100+"."""


class OwnQuestion(Struct, frozen=True):
    """One of a server's own questions; `topic` is its topic's title."""

    row: OwnItem
    item: Item
    topic: str


class QuestionPage(Struct, frozen=True):
    """One of a server's own questions, with what can be done about it.

    `otherwise` is how many past answers its key would judge differently. `change` is the id of the
    change that has just been stored. `replaced` says that it is a new question in place of an old one.
    """

    own: OwnQuestion
    otherwise: int
    change: int | None
    replaced: bool


class Change(Struct, frozen=True):
    """How a form changed own questions: their rows before, none for a new one, and after."""

    before: tuple[OwnItem, ...]
    after: tuple[OwnItem, ...]
    at: datetime


class Listing(Struct, frozen=True):
    """One page, counted from 0, of the own questions found; `found` is how many there are."""

    page: int
    pages: int
    found: int
    shown: tuple[OwnQuestion, ...]


class Own(Struct, frozen=True):
    """Rows of a server's own topics and items, with all that a change of them needs to know.

    They may be all rows, or those that a form is about; `elsewhere` are the sums of the others.
    `first` is the first free number. `mark` is the mark of the bank when the rows were read.
    """

    packs: Bank
    guild_id: int = 0
    topics: Sequence[OwnTopic] = ()
    items: Sequence[OwnItem] = ()
    pictures: Collection[str] = ()
    elsewhere: Sums = Sums()
    first: int = 1
    mark: int | None = None


class TopicNames(Struct, frozen=True):
    """The id and the title of a topic, and those of its section."""

    id: str
    title: str
    section_id: str
    section_title: str


class Draft(Struct, frozen=True):
    """A file that was read, as a bank's document; `where` translates paths to places in the file.

    The document may break any rule if there are `problems`.
    """

    document: dict[str, Any]
    where: Place
    problems: tuple[Problem, ...] = ()


class Merge(Struct, frozen=True):
    """The result of a merge: what to store, and how many items are new, changed and unchanged.

    `retired` are the numbers of items that new ones replace, and `last` is the last number in use.
    `rekeyed` has the words of changed items with another key by id, and `rekeyed_topics` those of
    topics. `total` is how many items are asked now.
    """

    topics: tuple[OwnTopic, ...]
    items: tuple[OwnItem, ...]
    retired: tuple[int, ...]
    added: int
    changed: int
    same: int
    rekeyed: Mapping[str, str]
    rekeyed_topics: Mapping[str, str]
    last: int
    total: int


class Checked(Struct, frozen=True):
    """A document of own questions with its problems, and how it changes the server's.

    `formulas` are pairs of a place and a new formula, which are still to be drawn. `pictures` are
    the new pictures by the names of their files.
    """

    merge: Merge | None
    """None if there are problems."""
    problems: tuple[Problem, ...]
    formulas: tuple[tuple[str, str], ...]
    pictures: Mapping[str, bytes]


class Export(Struct, frozen=True):
    """A server's questions as a file; CSV leaves out pictures, and code to put in order."""

    ending: str
    content: bytes
    pictures_left_out: int = 0
    orders_left_out: int = 0


class SuggestionState(StrEnum):
    """The state of a suggestion. Decided ones are kept until their author has read the verdict."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class WaitingKind(StrEnum):
    """The kinds of things that wait for a moderator."""

    SUGGESTION = "suggestion"
    REPORT = "report"


class Form(Struct, frozen=True):
    """A question as somebody wrote it in a form, whether to suggest, add or edit it.

    `answer` and `wrong` have the right answers and the wrong ones, one a line; without wrong ones
    the answer is typed. `topic` is a topic's title; empty if the question exists already.
    """

    prompt: str
    answer: str
    wrong: str
    why: str
    source: str = ""
    topic: str = ""

    @property
    def text(self) -> str:
        """All that was written as one text, given back to the author if the form is refused."""
        written = (self.prompt, self.answer, self.wrong, self.why, self.source)
        return "\n\n".join(filter(None, written))


class Extras(Struct, frozen=True):
    """The form for code, a formula and a picture; empty fields take them out.

    `alt` says what the picture shows. `upload` is the file of a new picture, unchecked.
    """

    code: str
    language: str
    formula: str
    alt: str
    upload: bytes | None = None

    @property
    def text(self) -> str:
        """All that was written as one text, given back to the author if the form is refused."""
        return "\n\n".join(filter(None, (self.code, self.formula, self.alt)))


class Suggestion(Struct, frozen=True):
    """A question that a member suggested."""

    id: int
    user_id: int
    prompt: str
    answer: str
    wrong: str
    why: str
    source: str

    @property
    def form(self) -> Form:
        written = (self.prompt, self.answer, self.wrong, self.why, self.source)
        return Form(*written, topic=DEFAULT_TOPIC)


class SuggestionVerdict(Struct, frozen=True):
    """The decision about a suggestion, for its author."""

    id: int
    prompt: str
    state: SuggestionState
    reason: str | None


class WaitingCounts(Struct, frozen=True):
    """The number of suggestions and reports waiting on a server, each up to `MAX_COUNTED`."""

    suggestions: int
    reports: int

    @property
    def total(self) -> int:
        return self.suggestions + self.reports


class WaitingSuggestion(Struct, frozen=True):
    """A suggestion to decide on. `author` is the member's name, if it is known."""

    suggestion: Suggestion
    author: str | None
    waiting: WaitingCounts


class WaitingReport(Struct, frozen=True):
    """A report to decide on. An open question has a `prompt` but no `item`.

    `shipped` means that the question is part of a pack. `own` is the server's own question, unless
    it is retired. `hidden` means that it is being asked and the reader has not answered it yet.
    """

    id: int
    text: str
    prompt: str
    item: Item | None
    shipped: bool
    own: OwnItem | None
    hidden: bool
    waiting: WaitingCounts


class Given(Struct, frozen=True):
    """An answer to a revealed question; `answer` is encoded as in `bot.questions.answers`."""

    item_id: str
    user_id: int
    answer: str
    correct: bool
    at: datetime


class Doubt(Struct, frozen=True):
    """Why an item is doubtful.

    `choice` is the wrong choice that beats the right one; None for other kinds of items, if skilled
    members miss them. `wrong` and `right` count answers of the more skilled half.
    """

    choice: int | None
    wrong: int
    right: int


class Judged(Struct, frozen=True):
    """An item with enough answers."""

    item: Item
    answers: int
    right: int
    doubt: Doubt | None = None

    @property
    def share(self) -> float:
        """The share of right answers."""
        return self.right / self.answers

    @property
    def lead(self) -> float:
        """The lead of the wrong answer, as a share of the more skilled half."""
        doubt = self.doubt
        return (doubt.wrong - doubt.right) / (doubt.wrong + doubt.right) if doubt else 0.0


class TopicResult(Struct, frozen=True):
    """How a topic was answered."""

    topic_id: str
    title: str
    answers: int
    right: int


class Insights(Struct, frozen=True):
    """All results; each list begins with the most striking entry.

    `reported` has ids of items, or of topics for their open questions, with the number of reports.
    `topics` is the number of topics with enough answers, `weakest` those of them that go worst.
    """

    answers: int
    easy: tuple[Judged, ...]
    hard: tuple[Judged, ...]
    doubtful: tuple[Judged, ...]
    reported: tuple[tuple[str, int], ...]
    topics: int
    weakest: tuple[TopicResult, ...]
