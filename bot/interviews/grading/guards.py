"""What keeps answers that say nothing from being paid, and hints on the form of an answer.

A guard lowers a score only for a form that honest answers hardly ever have (one in 256 as measured): notes, formulas,
contrasts and digressions are honest. Bounds stand in the gaps between labelled answers in ten voices and the attacks on
the bank's topics.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from enum import StrEnum

from bot.interviews.grading.rubric import Rubric
from bot.interviews.grading.words import Sentence


class Flag(StrEnum):
    """A hint on the form of an answer."""

    EMPTY = "empty"
    CUT = "cut"
    COPIED = "copied"
    LIST = "list"
    TERSE = "terse"
    NEGATED = "negated"
    STRAYS = "strays"


LEAST_GRAMMAR, LEAST_TOGETHER = 0.06, 0.24
"""Share of words that hold a text together, without and with "and" and articles. Prose has 0.12 and 0.26 or more."""
TERSE = 0.12
"""The latter share up to which a text is notes."""
SHORT_LIST, LEAST_WORDS = 8, 20
"""Words from which bare terms, and anything else, are judged: a short note needs no grammar."""
BORROWED, COMMON = 0.8, 0.75
"""Shares of content words from model answer and points, and from all phrasings, that no notes have (0.2 to 0.55, and
0.45 to 0.7)."""
LEAST_SIGNS = 0.36
"""Colons, arrows, brackets and numbers a word: notes have 0.4 to 0.8, strung terms seldom more than this."""
MOSTLY = 0.7
"""Share of sentences denied outright from which an answer denies rather than explains."""
ASIDE, MOST_ASIDE = 0.3, 0.55
"""How much more of a sentence belongs to another topic than to this, and the share of such sentences: honest answers
have up to 0.45, the right answer among three others 0.65 or more."""


def is_stuffed(sentences: Sequence[Sentence], rubric: Rubric) -> bool:
    """Whether an answer strings terms together: no grammar, and hardly a word of its own, where all of them are taken
    from the model answer or nothing relates them."""
    length = sum(sentence.length for sentence in sentences)
    grammar = sum(sentence.grammar for sentence in sentences)
    together = grammar + sum(sentence.glue for sentence in sentences)
    if length < LEAST_WORDS:
        return length >= SHORT_LIST and together == 0
    if grammar >= LEAST_GRAMMAR * length and together >= LEAST_TOGETHER * length:
        return False
    own = [
        word.stem
        for sentence in sentences
        for word in sentence.words
        if word.stem not in rubric.asked
    ]
    if sum(stem in rubric.taught for stem in own) >= BORROWED * len(own):
        return True
    common = sum(rubric.topic in rubric.topics.get(stem, ()) for stem in own) >= COMMON * len(own)
    return (
        common
        and is_terse(sentences)
        and sum(sentence.signs for sentence in sentences) < LEAST_SIGNS * length
    )


def is_terse(sentences: Sequence[Sentence]) -> bool:
    """Whether an answer is notes rather than sentences."""
    length = sum(sentence.length for sentence in sentences)
    return sum(sentence.grammar + sentence.glue for sentence in sentences) < TERSE * length


def is_copy(sentences: Iterable[Sentence], question: Set[str]) -> bool:
    """Whether an answer has half of the question's content words and no other. A short answer may choose among them."""
    said = {word.stem for sentence in sentences for word in sentence.words}
    return said <= question and 2 * len(said) >= len(question)


def denies(sentences: Sequence[Sentence]) -> bool:
    """Whether nearly every sentence holds a negation and no contrast, in an answer of three or more."""
    whole = {sentence.number for sentence in sentences}
    flat = {s.number for s in sentences if s.negation} - {s.number for s in sentences if s.contrast}
    return len(whole) >= 3 and len(flat) >= MOSTLY * len(whole)


def strays(sentences: Sequence[Sentence], rubric: Rubric) -> bool:
    """Whether a longer answer is mostly sentences about other topics; small talk and examples are about none."""
    judged = [sentence for sentence in sentences if len(sentence.words) > 3]
    if len(judged) < 6 or not rubric.topics:
        return False
    aside = 0
    for sentence in judged:
        worth = {word.stem: rubric.background.rarity(word.stem) for word in sentence.words}
        fit = {rubric.topic: 0.0}
        for stem, weight in worth.items():
            for one in rubric.topics.get(stem, ()):
                fit[one] = fit.get(one, 0.0) + weight
        aside += max(fit.values()) - fit[rubric.topic] >= ASIDE * sum(worth.values())
    return aside >= MOST_ASIDE * len(judged)


def fault(sentences: Sequence[Sentence], rubric: Rubric) -> Flag | None:
    """What is wrong with the form of a whole answer, so that it says nothing at all."""
    if not any(sentence.words for sentence in sentences):
        return Flag.EMPTY
    if is_copy(sentences, rubric.asked):
        return Flag.COPIED
    return Flag.LIST if is_stuffed(sentences, rubric) else None
