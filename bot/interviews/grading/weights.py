"""How much a word tells: inverse document frequency.

Two frequencies count. Among the key points of the question itself a word that stands in all of them does not tell them
apart. In a background, for example a whole question bank, a word that stands everywhere tells little about anything.
Words of the question are discounted, since they come to everyone's pen (without that, a copied question gets two thirds
of the marks on Mohler's data).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

QUESTION_DISCOUNT = 0.25
LEAST = 0.2
"""Share of its weight that a word keeps however often it occurs."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Document frequencies of stems in a background. An empty one weighs all words alike."""

    documents: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Iterable[Set[str]]) -> Weights:
        """Count in how many texts, given as their stems, each stem stands."""
        documents = list(texts)
        return cls(len(documents), Counter(stem for document in documents for stem in document))

    def rarity(self, stem: str) -> float:
        """From LEAST for a word of every document to 1 for a word of none."""
        if not self.documents:
            return 1.0
        seen = self.counts.get(stem, 0)
        share = math.log((self.documents + 1) / (seen + 1)) / math.log(self.documents + 1)
        return LEAST + (1 - LEAST) * share


def weigh(
    points: Iterable[frozenset[str]], question: frozenset[str], background: Weights
) -> dict[str, float]:
    """The weight, above 0 and at most 1, of every stem that occurs in the key points or the question."""
    documents = list(points)
    local = Weights.of(documents) if len(documents) > 1 else Weights()
    return {
        stem: local.rarity(stem)
        * background.rarity(stem)
        * (QUESTION_DISCOUNT if stem in question else 1.0)
        for stem in question.union(*documents)
    }
