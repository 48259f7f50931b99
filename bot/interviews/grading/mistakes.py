"""Sentences that say what people get wrong about a question.

A sentence is taken for a misconception of the bank only if it says nearly all of one in the same sense, little else,
and clearly less of any right statement: better to miss an error than to correct somebody who is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from bot.interviews.grading.lexicon import words
from bot.interviews.grading.matching import Answer
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
    found: dict[int, tuple[float, Mistake]] = {}
    passages = [range(n, n + 1) for n in range(len(sentences))]

    @cache  # all misconceptions that a sentence may say are held against the same right statements
    def right(number: int) -> float:
        found = (answer.recall(one, rubric.told, [passages[number]])[0] for one in rubric.right)
        return max((match.confidence for match in found if match.denied < 2 * AGAINST), default=0.0)

    for wrong in rubric.wrong:
        for n, match in enumerate(answer.recall(wrong.words, rubric.told, passages)):
            likely = match.confidence >= LEAST and match.denied <= AGAINST and not sentences[n].contrast
            better = likely and match.confidence > found.get(n, (0.0,))[0]
            if better and _says(sentences[n], wrong, rubric) and match.confidence - right(n) >= AHEAD:
                found[n] = match.confidence, Mistake(n, wrong)
    return list({mistake.wrong.why: mistake for _, mistake in found.values()}.values())


def _says(sentence: Sentence, wrong: Wrong, rubric: Rubric) -> bool:
    """Whether a sentence that has a misconception's words says it, and not much more."""
    own = sum(rubric.told[stem] for stem in {word.stem for word in wrong.words})
    if own < FILLED * sum(rubric.background.rarity(word.stem) for word in sentence.words):
        return False
    return qualifiers(wrong.text) <= qualifiers(sentence.text)


def qualifiers(text: str) -> frozenset[str]:
    """The words that make a statement sweeping or compare: not content, yet they decide whether it is true."""
    return _QUALIFIERS & {_ALIKE.get(word, word) for word in re.findall(r"[a-z]+", fold(text))}
