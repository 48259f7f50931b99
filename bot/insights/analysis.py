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

from bot.insights.cards import Doubt, Insights, Judged, WeakTopic
from bot.insights.rules import FEWEST_ANSWERS, FEWEST_OTHERS, WEAK, WEAKEST, Given, wrong_majority
from bot.questions.answers import decode_picks
from bot.questions.model import Bank, Item


def analyze(
    bank: Bank,
    given: Iterable[Given],
    *,
    reports: Mapping[str, int],
    asked: Collection[str],
    hidden: Collection[str],
) -> Insights:
    """Analyze the answers to the questions of a bank.

    `reports` counts reports by item or topic. `asked` are items that were ever asked. `hidden`
    items are in play, so nothing may be said about them.
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
        if len(answers) >= FEWEST_ANSWERS
    ]
    doubtful = sorted((j for j in judged if j.doubt), key=lambda j: j.lead, reverse=True)
    doubtful_ids = {j.item.id for j in doubtful}
    reported = [(i, n) for i, n in reports.items() if i in bank.asked or i in bank.open_topics]
    easy = [j for j in judged if j.too_easy]
    hard = [j for j in judged if j.too_hard]
    return Insights(
        answers=len(known),
        most=max(map(len, by_item.values()), default=0),
        judged=tuple(judged),
        easy=tuple(sorted(easy, key=lambda j: (-j.share, -j.answers))),
        hard=tuple(sorted(hard, key=lambda j: (j.share, -j.answers))),
        doubtful=tuple(doubtful),
        reported=tuple(sorted(reported, key=lambda pair: (-pair[1], pair[0]))),
        unasked=tuple(item for item in bank.asked.values() if item.id not in asked),
        weakest=_weakest(bank, (g for g in known if g.item_id not in doubtful_ids)),
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
    """Judge an item by its answers, oldest first; only each member's first one can cause doubt."""
    first = {g.user_id: g for g in reversed(answers)}
    skilled = [
        (g, skill)
        for g in first.values()
        if (skill := skills.without(g.user_id, item.id)) is not None
    ]
    return Judged(item, len(answers), sum(g.correct for g in answers), _doubt(item, skilled))


def _doubt(item: Item, skilled: Sequence[tuple[Given, float]]) -> Doubt | None:
    """Return the strongest doubt about an item's key, from answers with their members' skills."""
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


def _weakest(bank: Bank, known: Iterable[Given]) -> tuple[WeakTopic, ...]:
    """Return the topics with the lowest shares of right answers."""
    topics = _group(known, lambda g: bank.asked[g.item_id].topic_id)
    counted = (
        WeakTopic(t, bank.topics[t].title, len(a), sum(g.correct for g in a))
        for t, a in topics.items()
    )
    weak = [w for w in counted if w.answers >= FEWEST_ANSWERS and 100 * w.right < WEAK * w.answers]
    return tuple(sorted(weak, key=lambda w: (w.right / w.answers, -w.answers))[:WEAKEST])


def _group(given: Iterable[Given], key: Callable[[Given], str]) -> dict[str, list[Given]]:
    groups: dict[str, list[Given]] = defaultdict(list)
    for g in given:
        groups[key(g)].append(g)
    return groups
