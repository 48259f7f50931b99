"""Judge questions by their answers: too easy, too hard or doubtful; and find weak topics.

An item is doubtful if a wrong choice beats the right one among members who are otherwise good,
which is how a wrong key or an ambiguous wording shows. A member's skill is their share of right
answers to all other items, so that an item can't vouch for itself (S. Henrysson, "Correction of
item-total correlations in item analysis", Psychometrika 28, 1963). A wrong choice is compared with
the right one among those who picked either, by the point-biserial correlation, as Y. Attali and
T. Fraenkel advise ("The point-biserial as a discrimination index for distractors in
multiple-choice items", Journal of Educational Measurement 37, 2000).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from math import copysign, inf, sqrt
from statistics import fmean, median, pstdev

from bot.bank.model import Doubt, Given, Insights, Judged, TopicResult
from bot.questions.answers import decode_picks
from bot.questions.model import Bank, Item

FEWEST_ANSWERS = 20
"""An item with fewer answers is not judged."""
FEWEST_OF_TOPIC = 5
"""A topic with fewer answers is not judged."""
FEWEST_PEOPLE = 3
"""Answers of fewer members are not judged, because their own could be read from the figures."""
EASY = 90
"""An item is too easy from this percentage of right answers."""
HARD = 30
"""An item is too hard below this percentage of right answers."""
WEAK = 75
"""A topic is weak below this percentage of right answers."""
WEAKEST = 3
"""The number of weak topics shown."""
FEWEST_OTHERS = 5
"""A member with fewer answers to other items has no skill."""
_FEWEST_MEMBERS = 6
_SIGNIFICANT = 2.0
"""A difference of this many standard errors is not chance."""


def analyze(
    bank: Bank,
    given: Iterable[Given],
    *,
    reports: Mapping[str, int],
    hidden: Collection[str],
) -> Insights:
    """Analyze the answers to the questions of a bank.

    `reports` counts reports by item or topic. `hidden` items are in play, so nothing may be said
    about them.
    """
    known = sorted(
        (g for g in given if g.item_id in bank.asked and g.item_id not in hidden),
        key=lambda g: g.at,
    )
    by_item = _group(known, lambda g: g.item_id)
    skills = _Skills(known)
    judged = [
        _judge(bank.asked[item_id], answers, skills)
        for item_id, answers in by_item.items()
        if len(answers) >= FEWEST_ANSWERS and _people(answers) >= FEWEST_PEOPLE
    ]
    doubtful = sorted((j for j in judged if j.doubt), key=lambda j: j.lead, reverse=True)
    doubtful_ids = {j.item.id for j in doubtful}
    by_topic = _group(
        (g for g in known if g.item_id not in doubtful_ids),
        lambda g: bank.asked[g.item_id].topic_id,
    )
    topics = enough(
        {
            topic_id: (len(answers), sum(g.correct for g in answers), _people(answers))
            for topic_id, answers in by_topic.items()
        },
        bank,
    )
    reported = [(i, n) for i, n in reports.items() if i in bank.asked or i in bank.open_topics]
    easy = [j for j in judged if 100 * j.right >= EASY * j.answers]
    hard = [j for j in judged if 100 * j.right < HARD * j.answers]
    return Insights(
        answers=len(known),
        easy=tuple(sorted(easy, key=lambda j: (-j.share, -j.answers))),
        hard=tuple(sorted(hard, key=lambda j: (j.share, -j.answers))),
        doubtful=tuple(doubtful),
        reported=tuple(sorted(reported, key=lambda pair: (-pair[1], pair[0]))),
        topics=len(topics),
        weakest=weakest(topics),
    )


class _Skills:
    """Members' shares of right answers."""

    def __init__(self, given: Iterable[Given]) -> None:
        self._answers = Counter[tuple[int, str | None]]()
        self._right = Counter[tuple[int, str | None]]()
        for g in given:
            for key in ((g.user_id, None), (g.user_id, g.item_id)):
                self._answers[key] += 1
                self._right[key] += g.correct

    def without(self, user_id: int, item_id: str) -> float | None:
        """Return a member's share of right answers to all other items; None if those are few."""
        answers = self._answers[user_id, None] - self._answers[user_id, item_id]
        right = self._right[user_id, None] - self._right[user_id, item_id]
        return right / answers if answers >= FEWEST_OTHERS else None


def _judge(item: Item, answers: Sequence[Given], skills: _Skills) -> Judged:
    """Judge an item by its answers, oldest first; only members' first ones are about its key."""
    first = {g.user_id: g for g in reversed(answers)}
    skilled = [
        (g, skill)
        for g in first.values()
        if (skill := skills.without(g.user_id, item.id)) is not None
    ]
    return Judged(
        item=item,
        answers=len(answers),
        right=sum(g.correct for g in answers),
        doubt=_doubt(item, skilled),
    )


def _doubt(item: Item, skilled: Sequence[tuple[Given, float]]) -> Doubt | None:
    """Return the strongest doubt about an item's key, from answers with their members' skills.

    There is none about code in order: most wrong orders are just that.
    """
    if item.kind == "order":
        return None
    if item.kind != "choice":
        found = wrong_majority([skill for _, skill in skilled], [not g.correct for g, _ in skilled])
        return Doubt(None, *found) if found else None
    right = next(iter(item.right))
    picked = [(next(iter(decode_picks(g.answer)), None), skill) for g, skill in skilled]
    doubts = []
    for wrong in range(len(item.choices)):
        if wrong == right:
            continue
        either = [(pick, skill) for pick, skill in picked if pick in {wrong, right}]
        found = wrong_majority(
            [skill for _, skill in either], [pick == wrong for pick, _ in either]
        )
        if found:
            doubts.append(Doubt(wrong, *found))
    return max(doubts, key=lambda doubt: doubt.wrong - doubt.right, default=None)


def enough(figures: Mapping[str, tuple[int, int, int]], bank: Bank) -> list[TopicResult]:
    """Return the topics that the bank asks with enough answers of enough members.

    `figures` are (answers, right answers, members) by topic.
    """
    return [
        TopicResult(topic_id, bank.asked_topics[topic_id].title, answers, right)
        for topic_id, (answers, right, members) in figures.items()
        if topic_id in bank.asked_topics and answers >= FEWEST_OF_TOPIC and members >= FEWEST_PEOPLE
    ]


def weakest(topics: Iterable[TopicResult]) -> tuple[TopicResult, ...]:
    """Return the weak ones of some topics, those with the lowest shares of right answers first."""
    weak = [w for w in topics if 100 * w.right < WEAK * w.answers]
    return tuple(
        sorted(weak, key=lambda w: (w.right / w.answers, -w.answers, w.topic_id))[:WEAKEST]
    )


def _people(given: Iterable[Given]) -> int:
    return len({g.user_id for g in given})


def _group(given: Iterable[Given], key: Callable[[Given], str]) -> dict[str, list[Given]]:
    groups: dict[str, list[Given]] = defaultdict(list)
    for g in given:
        groups[key(g)].append(g)
    return groups


def wrong_majority(skills: Sequence[float], wrong: Sequence[bool]) -> tuple[int, int] | None:
    """Return how many of the more skilled half are wrong and right, if the wrong ones win there.

    Return None if that may be chance, or if less skilled members are even more often wrong: such
    an item is hard, not doubtful.
    """
    if len(skills) < _FEWEST_MEMBERS:
        return None
    middle = median(skills)
    better = [is_wrong for skill, is_wrong in zip(skills, wrong, strict=True) if skill >= middle]
    missed = sum(better)
    hit = len(better) - missed
    correlation = point_biserial(skills, wrong)
    if missed <= hit or (correlation is not None and correlation < 0):
        return None
    lead = (missed - hit) / sqrt(missed + hit)
    evidence = max(lead, t_value(correlation or 0.0, len(skills)))
    return (missed, hit) if evidence >= _SIGNIFICANT else None


def point_biserial(scores: Sequence[float], marked: Sequence[bool]) -> float | None:
    """Return the correlation of a score with a mark, from -1 to 1.

    Return None if all scores or all marks are equal. r = (M1 - M0) / s * sqrt(p * q), with the
    means of those with and without the mark, the standard deviation of all, and the shares p and q
    of both (J. Lev, "The point biserial coefficient of correlation", Annals of Mathematical
    Statistics 20, 1949).
    """
    with_mark = [score for score, mark in zip(scores, marked, strict=True) if mark]
    without = [score for score, mark in zip(scores, marked, strict=True) if not mark]
    if not with_mark or not without or (spread := pstdev(scores)) < 1e-9:
        return None
    shares = len(with_mark) * len(without) / len(scores) ** 2
    return max(-1.0, min(1.0, (fmean(with_mark) - fmean(without)) / spread * sqrt(shares)))


def t_value(correlation: float, number: int) -> float:
    """Return how many standard errors a correlation of `number` pairs is away from zero.

    This is Student's t, as Lev shows.
    """
    rest = 1 - correlation**2
    return correlation * sqrt((number - 2) / rest) if rest > 1e-12 else copysign(inf, correlation)
