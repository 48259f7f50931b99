"""Tells whether a passage is nearer to a key point or to its opposite.

An opposite uses most of the words of what it contradicts, so words alone don't decide. Three
differences are summed, each between the nearest opposite and the nearest phrasing: the words in the
same sense, their order ("prefill … compute" against "prefill … memory"), and the words that only
one side uses. Whoever is wrong about one point is often wrong about others, so the mean of an
answer's other points counts as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from bot.interviews.grading.words import Word

WORDS_ODDS, ORDER_ODDS, SIDES_ODDS, BASE_ODDS = 5.0, 1.9, 2.6, 0.36
"""Coefficients of a logistic regression on labelled answers: the three differences, and the
intercept."""
OTHERS_FACTOR = 1.7
"""Weight of the mean of the answer's other points, against 1 for the point itself."""
WINDOW = 4
"""Words that are this far apart are taken to be said of each other."""

Pair = tuple[str, str]


class Statement(Struct, frozen=True):
    """A sentence to compare: the sense and weight of its stems, and of its pairs of stems."""

    senses: Mapping[str, bool]
    weights: Mapping[str, float]
    pairs: Mapping[Pair, float]
    length: float
    """The length of the vector of pairs."""

    @classmethod
    def of(cls, words: Sequence[Word], rarity: Callable[[str], float]) -> Statement:
        weights = {word.stem: rarity(word.stem) for word in words}
        pairs: dict[Pair, float] = {}
        for first, word in enumerate(words):
            for distance, other in enumerate(words[first + 1 : first + 1 + WINDOW], start=1):
                if other.stem != word.stem:
                    weight = weights[word.stem] * weights[other.stem] / distance
                    pair = word.stem, other.stem
                    pairs[pair] = pairs.get(pair, 0.0) + weight
        length = math.sqrt(sum(weight**2 for weight in pairs.values()))
        return cls({word.stem: word.negated for word in words}, weights, pairs, length)

    def overlap(self, other: Statement) -> float:
        """Return the share of both statements' words that they have in common in the same sense."""
        both = sum(
            weight
            for stem, weight in self.weights.items()
            if other.senses.get(stem) is self.senses[stem]
        )
        total = sum(self.weights.values()) + sum(other.weights.values())
        return 2 * both / total if total else 0.0

    def order(self, other: Statement) -> float:
        """Return the cosine of both statements' pairs of words."""
        if not self.length or not other.length:
            return 0.0
        both = sum(
            weight * other.pairs[pair] for pair, weight in self.pairs.items() if pair in other.pairs
        )
        return both / (self.length * other.length)


class Sides(Struct, frozen=True):
    """The ways to word a key point, and those to word its opposite, with the texts of these.

    `answer` are the sentences of the model answer, which are right, too.
    """

    phrasings: Sequence[Statement]
    answer: Sequence[Statement]
    opposites: Sequence[Statement]
    texts: Sequence[str]

    def nearest(self, passages: Sequence[Statement]) -> tuple[int, str]:
        """Return the passage, by index, and the opposite that come nearest to each other."""
        scores = {
            (number, text): passage.overlap(one) + passage.order(one)
            for number, passage in enumerate(passages)
            for one, text in zip(self.opposites, self.texts, strict=True)
        }
        return max(scores, key=lambda pair: scores[pair])

    def odds(self, passage: Statement) -> float:
        """Return the log-odds that a passage says the opposite, judged by itself."""
        right = [*self.phrasings, *self.answer]
        words = _most(passage.overlap, self.opposites) - _most(passage.overlap, right)
        order = _most(passage.order, self.opposites) - _most(passage.order, right)
        ours = {stem for one in self.phrasings for stem in one.weights}
        theirs = {stem for one in self.opposites for stem in one.weights}
        only = sum(
            weight * ((stem in theirs) - (stem in ours)) for stem, weight in passage.weights.items()
        )
        sides = only / max(1.0, sum(passage.weights.values()))
        return BASE_ODDS + WORDS_ODDS * words + ORDER_ODDS * order + SIDES_ODDS * sides


def _most(compare: Callable[[Statement], float], statements: Iterable[Statement]) -> float:
    return max(map(compare, statements), default=0.0)


def likelihoods(passages: Mapping[int, Statement], sides: Sequence[Sides]) -> dict[int, float]:
    """Return the likelihood that an answer says the opposite, for each point with a passage.

    Points without opposites in the bank have none.
    """
    odds = {n: sides[n].odds(one) for n, one in passages.items() if sides[n].opposites}
    total = sum(odds.values())
    return {
        n: 1 / (1 + math.exp(-(own + OTHERS_FACTOR * (total - own) / max(1, len(odds) - 1))))
        for n, own in odds.items()
    }
