"""What keeps answers that say nothing from being paid.

Each guard looks at the form of an answer or at how much of it is about the question, never at single topics. Unguarded,
a list of the right keywords, a dump of many answers and an answer with each sentence denied are all worth what a full
answer is. The bounds stand where prose ends: they were read off model answers of the bank, Mohler's and ArgKP's texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from enum import StrEnum

from bot.interviews.grading.weights import Weights
from bot.interviews.grading.words import Sentence


class Flag(StrEnum):
    """A hint on the form of an answer."""

    EMPTY = "empty"
    CUT = "cut"
    COPIED = "copied"
    LIST = "list"
    NEGATED = "negated"
    STRAYS = "strays"


LEAST_GLUE, LEAST_GLUE_TOGETHER = 0.08, 0.14
"""Share of words that hold a text together, in one sentence and in several. Prose has 0.25 to 0.5, lists up to 0.1."""
LEAST_GRAMMAR = 0.04
"""The same without "and" and articles, which terms can be strung on. Prose has 0.12 to 0.4."""
MOST_COMMAS, LEAST_WITH_COMMAS = 0.3, 0.25
"""Commas a word that make a list of a text with little to hold it together. Prose has 0.06, rarely 0.2."""
SHORT_LIST, LEAST_WORDS, LEAST_WORDS_TOGETHER = 8, 12, 16
"""Words from which bare terms, one sentence and several are judged: a short bullet point needs no grammar."""
WORDS_A_POINT = 3
"""Content words that a sentence needs for each point that it covers."""
MOSTLY = 0.7
"""Share of sentences with a negation from which an answer denies rather than explains. Prose has 0.2, rarely 0.6."""
LEAST_OF_SUBJECT = 0.28
"""Mean share of a sentence's words that stand in the question or its points. Full answers have 0.35 to 0.8."""
ABOUT = 0.3
"""The same share for a single sentence that is about the question."""
MOST_ASIDE, MOST_ASIDE_SHARE = 8, 0.35
"""How many sentences, and what share of them, may be about something else."""


def is_list(sentence: Sentence) -> bool:
    """Whether a sentence is a list of terms."""
    return sentence.length >= LEAST_WORDS and (
        sentence.grammar + sentence.glue < LEAST_GLUE * sentence.length or _strung([sentence])
    )


def are_list(sentences: Sequence[Sentence]) -> bool:
    """Whether several sentences, or bullet points, are together no more than terms."""
    length = sum(sentence.length for sentence in sentences)
    grammar = sum(sentence.grammar for sentence in sentences)
    together = grammar + sum(sentence.glue for sentence in sentences)
    if length < LEAST_WORDS_TOGETHER:
        return length >= SHORT_LIST and together == 0
    return grammar < LEAST_GRAMMAR * length or together < LEAST_GLUE_TOGETHER * length or _strung(sentences)


def _strung(sentences: Iterable[Sentence]) -> bool:
    length = commas = together = 0
    for sentence in sentences:
        length += sentence.length
        commas += sentence.commas
        together += sentence.grammar + sentence.glue
    return commas > MOST_COMMAS * length and together < LEAST_WITH_COMMAS * length


def is_copy(sentences: Iterable[Sentence], question: Set[str]) -> bool:
    """Whether an answer has half of the question's content words and no other. A short answer may choose among them."""
    said = {word.stem for sentence in sentences for word in sentence.words}
    return said <= question and 2 * len(said) >= len(question)


def most_points(sentence: Sentence) -> int:
    """How many points a sentence has words for."""
    return max(1, len(sentence.words) // WORDS_A_POINT)


def denies(sentences: Sequence[Sentence]) -> bool:
    """Whether nearly every sentence holds a negation, in an answer of three or more."""
    whole: dict[int, bool] = {}
    for sentence in sentences:
        whole[sentence.number] = whole.get(sentence.number, False) or sentence.negation
    return len(whole) >= 3 and sum(whole.values()) >= MOSTLY * len(whole)


def strays(sentences: Sequence[Sentence], subject: Set[str], weights: Weights) -> bool:
    """Whether a longer answer is mostly about something else: another question, or many questions at once."""
    shares = [_share(sentence, subject, weights) for sentence in sentences if len(sentence.words) > 3]
    if len(shares) < 6:
        return False
    aside = sum(share < ABOUT for share in shares)
    return sum(shares) < LEAST_OF_SUBJECT * len(shares) or (
        aside >= MOST_ASIDE and aside >= MOST_ASIDE_SHARE * len(shares)
    )


def _share(sentence: Sentence, subject: Set[str], weights: Weights) -> float:
    """How much of a sentence's weight lies in words of the subject."""
    worth = [(weights.rarity(word.stem), word.stem in subject) for word in sentence.words]
    return sum(weight for weight, inside in worth if inside) / sum(weight for weight, _ in worth)


def fault(sentences: Sequence[Sentence], question: Set[str]) -> Flag | None:
    """What is wrong with the form of a whole answer, so that it says nothing at all."""
    if not any(sentence.words for sentence in sentences):
        return Flag.EMPTY
    if are_list(sentences) or all(map(is_list, sentences)):
        return Flag.LIST
    if is_copy(sentences, question):
        return Flag.COPIED
    return None
