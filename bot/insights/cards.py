"""The values that the pages of `/bank insights` show."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from bot.insights.rules import EASY, HARD
from bot.questions.model import Item


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

    @property
    def too_easy(self) -> bool:
        return 100 * self.right >= EASY * self.answers

    @property
    def too_hard(self) -> bool:
        return 100 * self.right < HARD * self.answers


class WeakTopic(Struct, frozen=True):
    """A topic with few right answers."""

    topic_id: str
    title: str
    answers: int
    right: int


class Insights(Struct, frozen=True):
    """All results; each list begins with the most striking entry.

    `most` is the largest number of answers to one item. `reported` has ids of items, or of topics
    for their open questions, with the number of reports.
    """

    answers: int
    most: int
    judged: tuple[Judged, ...]
    easy: tuple[Judged, ...]
    hard: tuple[Judged, ...]
    doubtful: tuple[Judged, ...]
    reported: tuple[tuple[str, int], ...]
    unasked: tuple[Item, ...]
    weakest: tuple[WeakTopic, ...]


def count_by_tenth(judged: Iterable[Judged]) -> tuple[int, ...]:
    """Count the items in each tenth of the share of right answers, from none to all."""
    counts = [0] * 10
    for j in judged:
        counts[min(9, 10 * j.right // j.answers)] += 1
    return tuple(counts)
