"""Finds sentences that state a known misconception about a question.

A sentence counts only if it says nearly all of a misconception with the same parity, little else,
and clearly less of any right statement. It is better to miss an error than to correct somebody who
is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from bot.interviews.grading.lexicon import word_set
from bot.interviews.grading.matching import IndexedAnswer, Passage
from bot.interviews.grading.rubric import Rubric, WrongStatement
from bot.interviews.grading.words import Sentence, fold

MIN_RECALL, MIN_LEAD = 0.75, 0.15
"""Minimum recall of a misconception, and its minimum lead over any right statement."""
MIN_SHARE = 0.3
"""Minimum share of the sentence's words that belong to the misconception."""
MAX_DENIED = 0.15
"""Maximum share of it with the wrong parity."""
_QUALIFIERS = word_set("all always any only same never more most both than before after without")
_ALIKE = {"every": "all", "each": "all"}


class Mistake(Struct, frozen=True):
    """A sentence, by index, and the misconception that it states."""

    sentence: int
    statement: WrongStatement


def find_mistakes(
    sentences: Sequence[Sentence], answer: IndexedAnswer, rubric: Rubric
) -> list[Mistake]:
    """Return at most one mistake per sentence and per misconception, none where things are
    contrasted."""
    best: dict[int, tuple[float, WrongStatement]] = {}
    passages = [range(n, n + 1) for n in range(len(sentences))]
    for statement in rubric.wrong_statements:
        for n, match in enumerate(
            answer.recall(statement.words, rubric.statement_weights, passages)
        ):
            likely = (
                match.confidence >= MIN_RECALL
                and match.denied <= MAX_DENIED
                and not sentences[n].contrast
            )
            better = likely and match.confidence > best.get(n, (0.0,))[0]
            if better and _states(sentences[n], statement, rubric):
                best[n] = match.confidence, statement
    right = _right_recall(answer, rubric, [passages[n] for n in best])
    found = (
        Mistake(n, statement)
        for (n, (confidence, statement)), other in zip(best.items(), right, strict=True)
        if confidence - other >= MIN_LEAD
    )
    return list({mistake.statement.why: mistake for mistake in found}.values())


def _right_recall(
    answer: IndexedAnswer, rubric: Rubric, passages: Sequence[Passage]
) -> list[float]:
    """Return each passage's highest recall of a right statement."""
    most = [0.0] * len(passages)
    for statement in rubric.right_statements if passages else ():
        for n, match in enumerate(answer.recall(statement, rubric.statement_weights, passages)):
            if match.denied < 2 * MAX_DENIED:
                most[n] = max(most[n], match.confidence)
    return most


def _states(sentence: Sentence, statement: WrongStatement, rubric: Rubric) -> bool:
    """Whether a sentence that has a misconception's words states it, and little else."""
    weight = sum(rubric.statement_weights[stem] for stem in {word.stem for word in statement.words})
    if weight < MIN_SHARE * sum(rubric.background.rarity(word.stem) for word in sentence.words):
        return False
    return qualifiers(statement.text) <= qualifiers(sentence.text)


def qualifiers(text: str) -> frozenset[str]:
    """Return the words that generalize or compare.

    They aren't content, but they decide whether a statement is true.
    """
    return _QUALIFIERS & {_ALIKE.get(word, word) for word in re.findall(r"[a-z]+", fold(text))}
