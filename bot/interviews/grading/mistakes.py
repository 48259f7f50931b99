"""Sentences that say what people get wrong about a question.

A sentence is taken for a misconception of the bank only if it says nearly all of one in the same sense, little else,
and clearly less of any right statement: better to miss an error than to correct somebody who is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.interviews.grading.lexicon import words
from bot.interviews.grading.matching import Answer, Passage
from bot.interviews.grading.rubric import Rubric, Wrong
from bot.interviews.grading.words import Sentence, fold

LEAST, AHEAD = 0.75, 0.15
"""Least recall of a misconception, and by how much it must exceed that of any right statement."""
FILLED = 0.3
"""Least share of the sentence's words that the misconception accounts for."""
AGAINST = 0.15
"""Share of it that may have the wrong parity."""
_QUALIFIERS = words("all always any only same never more most both than before after without")
_ALIKE = {"every": "all", "each": "all"}


@dataclass(frozen=True, slots=True)
class Mistake:
    """A sentence, by index, and the misconception it says."""

    number: int
    wrong: Wrong


def mistakes(sentences: Sequence[Sentence], answer: Answer, rubric: Rubric) -> list[Mistake]:
    """At most one for each sentence and each misconception. A sentence that sets things against each other has none."""
    best: dict[int, tuple[float, Wrong]] = {}
    passages = [range(n, n + 1) for n in range(len(sentences))]
    for wrong in rubric.wrong:
        for n, match in enumerate(answer.recall(wrong.words, rubric.told, passages)):
            likely = (
                match.confidence >= LEAST and match.denied <= AGAINST and not sentences[n].contrast
            )
            better = likely and match.confidence > best.get(n, (0.0,))[0]
            if better and _says(sentences[n], wrong, rubric):
                best[n] = match.confidence, wrong
    right = _right(answer, rubric, [passages[n] for n in best])
    found = (
        Mistake(n, wrong)
        for (n, (confidence, wrong)), other in zip(best.items(), right, strict=True)
        if confidence - other >= AHEAD
    )
    return list({mistake.wrong.why: mistake for mistake in found}.values())


def _right(answer: Answer, rubric: Rubric, passages: Sequence[Passage]) -> list[float]:
    """Return how much each passage says of the right statement that it says most of."""
    most = [0.0] * len(passages)
    for statement in rubric.right if passages else ():
        for n, match in enumerate(answer.recall(statement, rubric.told, passages)):
            if match.denied < 2 * AGAINST:
                most[n] = max(most[n], match.confidence)
    return most


def _says(sentence: Sentence, wrong: Wrong, rubric: Rubric) -> bool:
    """Whether a sentence that has a misconception's words says it, and not much more."""
    own = sum(rubric.told[stem] for stem in {word.stem for word in wrong.words})
    if own < FILLED * sum(rubric.background.rarity(word.stem) for word in sentence.words):
        return False
    return qualifiers(wrong.text) <= qualifiers(sentence.text)


def qualifiers(text: str) -> frozenset[str]:
    """The words that make a statement sweeping or compare: not content, yet they decide whether it is true."""
    return _QUALIFIERS & {_ALIKE.get(word, word) for word in re.findall(r"[a-z]+", fold(text))}
