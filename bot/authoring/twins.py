"""Finds items that ask the same thing in other words, within one pack or across packs."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import combinations

from msgspec import Struct

from bot.questions.model import Item

LEAST = 0.8
"""The minimum likeness of twins. Readers of the third edition called seven pairs the same question:
five score more, and so do seven pairs that share a subject only."""
_RARE_SHARE, _RARE = 12, 8
_SHARED = 3
_NUMBER_WEIGHT = 0.5


class Twins(Struct, frozen=True):
    """Two items by their positions in the sequence, and the rare words that both have."""

    first: int
    later: int
    likeness: float
    shared: tuple[str, ...]


class _Words(Struct, frozen=True):
    """The stems of the words in each part of an item."""

    prompt: Set[str]
    key: Set[str]
    wrong: Set[str]
    explanation: Set[str]

    @property
    def asked(self) -> Set[str]:
        return self.prompt | self.key


def find_twins(items: Sequence[Item]) -> list[Twins]:
    """Return pairs alike in prompt, key, wrong choices and explanation, the most alike first.

    Rare words weigh more, and numbers half as much, since sums share numbers by chance. Only pairs
    with three rare words in common are compared. Siblings are alike but ask different things.
    """
    parts = [_words_of(item) for item in items]
    seen = Counter(word for part in parts for word in part.asked)
    weight = {
        word: math.log(len(items) / number) * (_NUMBER_WEIGHT if word[0].isdigit() else 1)
        for word, number in seen.items()
    }
    found = []
    for (one, other), shared in _candidates(parts, seen).items():
        likeness = _likeness(parts[one], parts[other], weight)
        if likeness >= LEAST and not are_siblings(items[one], items[other]):
            found.append(Twins(one, other, likeness, tuple(sorted(shared))))
    return sorted(found, key=lambda pair: (-pair.likeness, pair.first, pair.later))


def are_siblings(one: Item, other: Item) -> bool:
    """Return whether two items offer the same choices and each has a different right one."""
    offered = [{choice.text for choice in item.choices} for item in (one, other)]
    right = [{choice.text for choice in item.choices if choice.correct} for item in (one, other)]
    return bool(offered[0]) and offered[0] == offered[1] and not right[0] & right[1]


def _candidates(
    parts: Sequence[_Words], seen: Mapping[str, int]
) -> dict[tuple[int, int], list[str]]:
    """Return the pairs that share three rare words, with these words."""
    rare = max(_RARE, len(parts) // _RARE_SHARE)
    holders: dict[str, list[int]] = defaultdict(list)
    for number, part in enumerate(parts):
        for word in part.asked:
            if seen[word] <= rare:
                holders[word].append(number)
    shared: dict[tuple[int, int], list[str]] = defaultdict(list)
    for word, numbers in holders.items():
        for pair in combinations(numbers, 2):
            shared[pair].append(word)
    return {pair: words for pair, words in shared.items() if len(words) >= _SHARED}


def _likeness(one: _Words, other: _Words, weight: Mapping[str, float]) -> float:
    """Return a likeness from 0 to 2.5; the factors say how much each part counts."""
    return (
        _overlap(one.prompt, other.prompt, weight)
        + 0.6 * _overlap(one.key, other.key, weight)
        + 0.6 * _overlap(one.explanation, other.explanation, weight)
        + 0.3 * _overlap(one.wrong, other.wrong, weight)
    )


def _overlap(one: Set[str], other: Set[str], weight: Mapping[str, float]) -> float:
    """Return the weight of the shared words as a share of all words, from 0 to 1."""

    def total(words: Set[str]) -> float:
        return sum(weight.get(word, _UNASKED) for word in words)

    return 2 * total(one & other) / (total(one) + total(other) or 1)


_UNASKED = 6.0
"""The weight of a word that no prompt and no key has."""


def _words_of(item: Item) -> _Words:
    right = [choice.text for choice in item.choices if choice.correct] or [
        *item.accept[:3],
        *item.lines,
    ]
    wrong = [choice.text for choice in item.choices if not choice.correct]
    wrong += [decoy.text for decoy in item.decoys]
    return _Words(
        prompt=frozenset(stems(item.prompt)),
        key=frozenset(stems(" ".join(right))),
        wrong=frozenset(stems(" ".join(wrong))),
        explanation=frozenset(stems(item.explanation)),
    )


def stems(text: str) -> Iterator[str]:
    """Yield the stems of a text's meaningful words, and its numbers."""
    for word in _WORD.findall(text.casefold().replace("’", "'")):
        if word not in _EMPTY and (len(word) > 1 or word.isdigit()):
            yield _stem(word)


_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d[\d,.]*\d|\d")


def _stem(word: str) -> str:
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending) + instead
    return word


_ENDINGS = (("'s", ""), ("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", ""))
_EMPTY = frozenset(
    re.findall(
        r"\S+",
        """
        a about after all also an and another any are as at be been before between both but by called can common do
        does don't during each following for from give had has have he hold holds how if in into is it it's its just
        less may might more most name no not number of on one only or other out over own per same she should so some
        statements such than that the their them then these they this those three to true two up usual very was were
        what when where which while who why will with without would you your answer
        """,
    )
)
