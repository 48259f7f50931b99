"""What answers say about questions: too easy, too hard, doubtful, and the topics in which a group is weakest.

An item is doubtful if a wrong choice beats the right one among members who are good otherwise, which is how a wrong key
or an ambiguous wording shows. How good a member is otherwise is their share of right answers to everything else, so
that the item does not vouch for itself (S. Henrysson, "Correction of item-total correlations in item analysis",
Psychometrika 28, 1963). A wrong choice is compared with the right one among those who picked either of them, by the
point-biserial correlation, as Y. Attali and T. Fraenkel advise ("The point-biserial as a discrimination index for
distractors in multiple-choice items", Journal of Educational Measurement 37, 2000).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import copysign, inf, sqrt
from statistics import fmean, median, pstdev

from bot.questions.answers import decode_picks
from bot.questions.model import Bank, Item

FEWEST_ANSWERS = 20
"""Answers to an item, or in a topic, from which on something is said of it."""
EASY, HARD = 90, 30
"""Percent of right answers from which an item is too easy, and below which it is too hard."""
WEAK = 75
"""Percent of right answers below which a topic is worth another round."""
_WEAKEST = 3
_FEWEST_OTHERS = 5
"""Answers to other items that it takes to say how good a member is otherwise."""
_FEWEST_MEMBERS = 6
_EVIDENCE = 2.0
"""Standard errors from which on a difference is not taken for luck."""


@dataclass(frozen=True, slots=True)
class Given:
    """An answer to a question that is revealed; `answer` as in `bot.questions.answers`."""

    item_id: str
    user_id: int
    answer: str
    correct: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why an item is doubtful.

    `choice` is the wrong choice that beats the right one; None for an item of another kind, which those who are good
    otherwise miss. `wrong` and `right` count the answers of the better half.
    """

    choice: int | None
    wrong: int
    right: int


@dataclass(frozen=True, slots=True)
class Judged:
    """How an item was answered."""

    item: Item
    answers: int
    right: int
    doubt: Doubt | None = None

    @property
    def too_easy(self) -> bool:
        return 100 * self.right >= EASY * self.answers

    @property
    def too_hard(self) -> bool:
        return 100 * self.right < HARD * self.answers


@dataclass(frozen=True, slots=True)
class WeakTopic:
    """How a group does in a topic."""

    topic_id: str
    title: str
    answers: int
    right: int


@dataclass(frozen=True, slots=True)
class Insights:
    """All that is said: `judged` have enough answers, `most` is how many the item with the most of them has.

    Each list begins with what stands out most. `reported` are ids of items, or of topics for their open questions, with
    the number of reports.
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


def look_at(
    bank: Bank,
    given: Iterable[Given],
    *,
    reports: Mapping[str, int],
    asked: Collection[str],
    hidden: Collection[str],
) -> Insights:
    """What is to be said of the questions that are asked.

    `reports` count by item or topic, `asked` are items that were ever asked, and `hidden` those in play just now, of
    which nothing may be said.
    """
    known = sorted(
        (g for g in given if g.item_id in bank.asked and g.item_id not in hidden),
        key=lambda g: g.at,
    )
    by_item = _grouped(known, lambda g: g.item_id)
    goodness = _Goodness(known)
    judged = [
        judge(bank.asked[item_id], answers, goodness)
        for item_id, answers in by_item.items()
        if len(answers) >= FEWEST_ANSWERS
    ]
    doubted = {j.item.id for j in judged if j.doubt}
    return Insights(
        answers=len(known),
        most=max(map(len, by_item.values()), default=0),
        judged=tuple(judged),
        easy=tuple(
            sorted((j for j in judged if j.too_easy), key=lambda j: (-_share(j), -j.answers))
        ),
        hard=tuple(
            sorted((j for j in judged if j.too_hard), key=lambda j: (_share(j), -j.answers))
        ),
        doubtful=tuple(sorted((j for j in judged if j.doubt), key=_lead, reverse=True)),
        reported=tuple(
            sorted(
                (
                    (i, count)
                    for i, count in reports.items()
                    if i in bank.asked or i in bank.open_topics
                ),
                key=lambda reported: (-reported[1], reported[0]),
            )
        ),
        unasked=tuple(item for item in bank.asked.values() if item.id not in asked),
        weakest=_weakest(bank, (g for g in known if g.item_id not in doubted)),
    )


def judge(item: Item, answers: Sequence[Given], goodness: _Goodness) -> Judged:
    """How an item was answered, the oldest answer first. Of each member the first one tells whether it is doubtful."""
    first = {g.user_id: g for g in reversed(answers)}
    scored = [
        (g, share)
        for g in first.values()
        if (share := goodness.without(g.user_id, item.id)) is not None
    ]
    return Judged(item, len(answers), sum(g.correct for g in answers), _doubt(item, scored))


class _Goodness:
    """Members' shares of right answers."""

    def __init__(self, given: Iterable[Given]) -> None:
        self._all: dict[int, list[int]] = defaultdict(lambda: [0, 0])
        self._of_item: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
        for g in given:
            for sums in (self._all[g.user_id], self._of_item[g.user_id, g.item_id]):
                sums[0] += 1
                sums[1] += g.correct

    def without(self, user_id: int, item_id: str) -> float | None:
        """A member's share of right answers to everything but an item; None if those are too few."""
        answers, right = self._all[user_id]
        own, own_right = self._of_item[user_id, item_id]
        return (right - own_right) / (answers - own) if answers - own >= _FEWEST_OTHERS else None


def _doubt(item: Item, scored: Sequence[tuple[Given, float]]) -> Doubt | None:
    """The strongest doubt about an item's key, by answers with how good their members are otherwise."""
    if item.kind != "choice":
        found = _beaten([share for _, share in scored], [not g.correct for g, _ in scored])
        return Doubt(None, *found) if found else None
    right = next(iter(item.right))
    picked = [(next(iter(decode_picks(g.answer)), None), share) for g, share in scored]
    doubts = []
    for wrong in range(len(item.choices)):
        if wrong == right:
            continue
        either = [(pick, share) for pick, share in picked if pick in {wrong, right}]
        found = _beaten([share for _, share in either], [pick == wrong for pick, _ in either])
        if found:
            doubts.append(Doubt(wrong, *found))
    return max(doubts, key=lambda doubt: doubt.wrong - doubt.right, default=None)


def _beaten(scores: Sequence[float], wrong: Sequence[bool]) -> tuple[int, int] | None:
    """How many of the better half are wrong and right, if being wrong beats being right there and it is not luck.

    It must not be the weaker ones either who are drawn to it: that is a hard question, not a doubtful one.
    """
    if len(scores) < _FEWEST_MEMBERS:
        return None
    middle = median(scores)
    better = [is_wrong for score, is_wrong in zip(scores, wrong, strict=True) if score >= middle]
    missed, hit = sum(better), len(better) - sum(better)
    correlation = point_biserial(scores, wrong)
    if missed <= hit or (correlation is not None and correlation < 0):
        return None
    lead = (missed - hit) / sqrt(missed + hit)
    return (
        (missed, hit) if max(lead, t_value(correlation or 0.0, len(scores))) >= _EVIDENCE else None
    )


def point_biserial(scores: Sequence[float], marked: Sequence[bool]) -> float | None:
    """The correlation of a score with a mark: -1 to 1, and None where all scores or all marks are the same.

    r = (M1 - M0) / s * sqrt(p * q), with the means of those with and without the mark, the standard deviation of all,
    and the shares p and q of both (J. Lev, "The point biserial coefficient of correlation", Annals of Mathematical
    Statistics 20, 1949).
    """
    with_mark = [score for score, mark in zip(scores, marked, strict=True) if mark]
    without = [score for score, mark in zip(scores, marked, strict=True) if not mark]
    if not with_mark or not without or (spread := pstdev(scores)) < 1e-9:
        return None
    shares = len(with_mark) * len(without) / len(scores) ** 2
    return max(-1.0, min(1.0, (fmean(with_mark) - fmean(without)) / spread * sqrt(shares)))


def t_value(correlation: float, number: int) -> float:
    """How many standard errors a correlation of so many pairs lies from none (Student's t, as Lev shows)."""
    rest = 1 - correlation**2
    return correlation * sqrt((number - 2) / rest) if rest > 1e-12 else copysign(inf, correlation)


def columns(judged: Iterable[Judged]) -> tuple[int, ...]:
    """How many items lie in each tenth of the shares of right answers, from none to all."""
    found = [0] * 10
    for j in judged:
        found[min(9, 10 * j.right // j.answers)] += 1
    return tuple(found)


def _weakest(bank: Bank, known: Iterable[Given]) -> tuple[WeakTopic, ...]:
    """The topics that go worst, by answers whose key nobody doubts."""
    topics = _grouped(known, lambda g: bank.asked[g.item_id].topic_id)
    made = (
        WeakTopic(t, bank.topics[t].title, len(a), sum(g.correct for g in a))
        for t, a in topics.items()
    )
    weak = [w for w in made if w.answers >= FEWEST_ANSWERS and 100 * w.right < WEAK * w.answers]
    return tuple(sorted(weak, key=lambda w: (w.right / w.answers, -w.answers))[:_WEAKEST])


def _grouped(given: Iterable[Given], key: Callable[[Given], str]) -> dict[str, list[Given]]:
    groups: dict[str, list[Given]] = defaultdict(list)
    for g in given:
        groups[key(g)].append(g)
    return groups


def _share(judged: Judged) -> float:
    return judged.right / judged.answers


def _lead(judged: Judged) -> float:
    """By how much of the better half the wrong answer is ahead."""
    doubt = judged.doubt
    return (doubt.wrong - doubt.right) / (doubt.wrong + doubt.right) if doubt else 0.0
