"""The optional part of the score: static word embeddings (wordllama), which see that "parameters" is near "weights".

The vector of a passage is the sum of its words' vectors, weighted as in the lexical part (so that the question's words
are demoted), less the mean over the question's own key points: all of them are about one subject, and what they share
does not tell them apart. What that gains is measured in docs/grading.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from importlib.resources import files
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from bot.interviews.grading.words import Word

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vector = npt.NDArray[np.float32]

SIZE = 256
LOWEST, HIGHEST = -0.15, 0.6
"""Cosines that count as 0 and as 1."""
MOST_KNOWN = 10_000
"""Words whose vectors are kept, 1 KB each; then the store starts anew."""


class Semantic:
    """Embeds words; one object serves all questions and answers."""

    def __init__(self, embed: Callable[[list[str]], Any]) -> None:
        """`embed` gives one row of floats for each word."""
        self._embed = embed
        self._known: dict[str, Vector] = {}

    @classmethod
    def load(cls) -> Semantic | None:
        """The model that comes with the package wordllama, or None where that is not installed. Nothing is downloaded.

        Raises FileNotFoundError if the package lacks its model.
        """
        if find_spec("wordllama") is None:
            return None
        from wordllama import WordLlama

        # The package looks for its own tokenizer in a folder that it does not have; as its cache it finds both files.
        own = files("wordllama")
        return cls(WordLlama.load(config="l2_supercat", dim=SIZE, cache_dir=own, disable_download=True).embed)

    def similarities(
        self,
        texts: Sequence[Sequence[Word]],
        phrasings: Sequence[Sequence[Sequence[Word]]],
        weights: Mapping[str, float],
    ) -> list[list[float]]:
        """For each point and text how near the text is to the nearest of the point's phrasings, from 0 to 1."""
        import numpy as np

        known = self._embedded({word.text for words in (*texts, *chain(*phrasings)) for word in words})
        points = [np.array([_vector(words, known, weights) for words in own]) for own in phrasings]
        given = np.array([_vector(words, known, weights) for words in texts])
        if len(points) > 1:
            centre = np.mean([rows.mean(axis=0) for rows in points if len(rows)], axis=0)
            points, given = [rows - centre if len(rows) else rows for rows in points], given - centre
        given = _unit(given)
        near = (_unit(rows) @ given.T if len(rows) else np.full((1, len(texts)), LOWEST) for rows in points)
        return [np.clip((rows.max(axis=0) - LOWEST) / (HIGHEST - LOWEST), 0, 1).tolist() for rows in near]

    def _embedded(self, words: Set[str]) -> dict[str, Vector]:
        """The vectors of words; those not seen lately are embedded in one go."""
        import numpy as np

        known = {word: vector for word in words if (vector := self._known.get(word)) is not None}
        new = sorted(words - known.keys())
        if new:
            rows = np.asarray(self._embed(new), dtype=np.float32)
            known.update(zip(new, rows, strict=True))
            if len(self._known) + len(new) > MOST_KNOWN:
                self._known = {}
            self._known.update(known)
        return known


def _vector(words: Sequence[Word], known: Mapping[str, Vector], weights: Mapping[str, float]) -> Vector:
    """The unit vector of a text."""
    import numpy as np

    if not words:
        return np.zeros(SIZE, dtype=np.float32)
    return _unit(np.sum([known[word.text] * weights.get(word.stem, 1.0) for word in words], axis=0))


def _unit(vectors: Vector) -> Vector:
    import numpy as np

    lengths: Vector = np.linalg.norm(vectors, axis=-1, keepdims=True) + np.float32(1e-9)
    return vectors / lengths
