"""The weight of a word in a comparison: inverse document frequency.

It is computed twice. A word in all key points of a question doesn't tell them apart, and a word
that is common in the background, for example a question bank, tells little about anything. Words of
the question are discounted because every answer uses them. Without that, a copied question gets two
thirds of the marks on Mohler's data.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Set

from msgspec import Struct, field

QUESTION_DISCOUNT = 0.25
MIN_RARITY = 0.2
"""Share of its weight that a word keeps however common it is."""


class Weights(Struct, frozen=True):
    """Document frequencies of stems in a background.

    With no documents, all words weigh the same.
    """

    documents: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def count(cls, texts: Iterable[Set[str]]) -> Weights:
        """Count the texts, given as sets of stems, that contain each stem."""
        documents = list(texts)
        return cls(len(documents), Counter(stem for document in documents for stem in document))

    def rarity(self, stem: str) -> float:
        """Return `MIN_RARITY` for a word of every document, up to 1 for a word of none."""
        if not self.documents:
            return 1.0
        occurrences = self.counts.get(stem, 0)
        share = math.log((self.documents + 1) / (occurrences + 1)) / math.log(self.documents + 1)
        return MIN_RARITY + (1 - MIN_RARITY) * share


def weigh(
    points: Iterable[frozenset[str]], question: frozenset[str], background: Weights
) -> dict[str, float]:
    """Return the weight, above 0 and at most 1, of each stem of key points and question."""
    documents = list(points)
    local = Weights.count(documents) if len(documents) > 1 else Weights()
    return {
        stem: local.rarity(stem)
        * background.rarity(stem)
        * (QUESTION_DISCOUNT if stem in question else 1.0)
        for stem in question.union(*documents)
    }
