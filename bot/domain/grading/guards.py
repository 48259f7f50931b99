"""What keeps answers that say nothing from being paid.

Each guard looks at the form of an answer, never at single topics. On Mohler's data and this bank, unguarded, a list of the
right keywords or a dump of many answers is worth as much as a full answer.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from enum import StrEnum

from bot.domain.grading.words import Sentence

LEAST_GRAMMAR = 0.12
"""Share of function words below which a run of words is a list. English prose has 0.35 to 0.5."""
SHORT = 5
"""Runs with fewer words are judged by the answer as a whole: a short bullet point needs no grammar."""
WORDS_A_POINT = 3
"""Content words that a passage needs for each point that it covers."""
LONG = 14
"""Number of sentences from which an answer has to keep to the subject."""
LEAST_ON_TOPIC = 0.5


class Flag(StrEnum):
    """A hint on the form of an answer."""

    EMPTY = "empty"
    CUT = "cut"
    COPIED = "copied"
    LIST = "list"
    NEGATED = "negated"
    STRAYS = "strays"


def is_list(sentence: Sentence) -> bool:
    """Whether a run of words is held together by nothing."""
    return sentence.length >= SHORT and sentence.grammar < LEAST_GRAMMAR * sentence.length


def all_a_list(sentences: Sequence[Sentence]) -> bool:
    """Whether the whole answer is: short bullets of bare terms too, if there are several."""
    length = sum(sentence.length for sentence in sentences)
    grammar = sum(sentence.grammar for sentence in sentences)
    return length >= 2 * SHORT and grammar < LEAST_GRAMMAR * length


def says_something(sentence: Sentence, question: Set[str]) -> bool:
    """Whether a sentence has a content word that the question has not."""
    return any(word.stem not in question for word in sentence.words)


def most_points(content_words: int) -> int:
    """How many points a passage with so many content words may cover."""
    return max(1, content_words // WORDS_A_POINT)


def strays(on_topic: int, sentences: int) -> bool:
    """Whether a long answer has too few sentences about the question: such as all answers of a bank in one."""
    return sentences >= LONG and on_topic < LEAST_ON_TOPIC * sentences


def form(sentences: Sequence[Sentence], question: Set[str]) -> Flag | None:
    """What is wrong with the form of the whole answer, so that it says nothing at all."""
    if not any(sentence.words for sentence in sentences):
        return Flag.EMPTY
    if all_a_list(sentences):
        return Flag.LIST
    if not any(says_something(sentence, question) for sentence in sentences):
        return Flag.COPIED
    return None
