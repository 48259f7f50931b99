"""Detects answers that say nothing, and remarks on the form of an answer.

A score is lowered only for a form that honest answers hardly ever have (1 in 256 in the test set).
Notes, formulas, contrasts and digressions are fine. The thresholds separate labelled honest answers,
written in ten styles, from generated attempts to cheat (tests/grading).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from enum import StrEnum

from bot.interviews.grading.rubric import Rubric
from bot.interviews.grading.words import Sentence


class Flag(StrEnum):
    """A remark on the form of an answer."""

    EMPTY = "empty"
    CUT = "cut"  # longer than what is read
    COPIED = "copied"  # the question's own words
    LIST = "list"  # terms strung together without grammar
    TERSE = "terse"  # notes instead of sentences
    NEGATED = "negated"  # most sentences deny something
    STRAYS = "strays"  # mostly about other topics


MIN_GRAMMAR, MIN_STRUCTURE = 0.06, 0.24
"""An answer with smaller shares of grammatical words may be a list. The second share counts "and"
and articles, too. Prose has at least 0.12 and 0.26."""
TERSE_STRUCTURE = 0.12
"""A text with a smaller share of grammatical words, "and" and articles is notes."""
MIN_LIST_WORDS, MIN_WORDS = 8, 20
"""Shorter answers are not judged: the first limit is for terms without any grammatical word, the
second for all others. Short notes need no grammar."""
TAUGHT_SHARE, COMMON_SHARE = 0.8, 0.75
"""An answer without grammar is a list if it has at least one of these shares of content words: the
first from the model answer and key points (notes have 0.2 to 0.55), the second from any phrasing of
the topic (notes have 0.45 to 0.7)."""
MIN_SIGNS = 0.36
"""Colons, arrows, brackets and numbers per word. Notes have 0.4 to 0.8, lists rarely more than
this."""
DENYING_SHARE = 0.7
"""An answer with this share of denying sentences denies rather than explains."""
OFF_TOPIC_LEAD, OFF_TOPIC_SHARE = 0.3, 0.55
"""A sentence is off topic if another topic's words outweigh this topic's by the first share. An
answer is off topic if the second share of its long sentences is: honest answers reach 0.45, a right
answer buried among three others has at least 0.65."""


def is_stuffed(sentences: Sequence[Sentence], rubric: Rubric) -> bool:
    """Return whether an answer is a list of terms.

    A short one is if it has no grammatical words. A longer one is if it has too few of them, and
    its words beyond the question's come mostly from the model answer, or from the topic's
    phrasings without signs to connect them.
    """
    length = sum(sentence.length for sentence in sentences)
    grammar = sum(sentence.grammar for sentence in sentences)
    structure = grammar + sum(sentence.glue for sentence in sentences)
    if length < MIN_WORDS:
        return length >= MIN_LIST_WORDS and structure == 0
    if grammar >= MIN_GRAMMAR * length and structure >= MIN_STRUCTURE * length:
        return False
    beyond_question = [
        word.stem
        for sentence in sentences
        for word in sentence.words
        if word.stem not in rubric.question_stems
    ]
    if sum(stem in rubric.taught_stems for stem in beyond_question) >= TAUGHT_SHARE * len(
        beyond_question
    ):
        return True
    common = sum(rubric.topic in rubric.topics_by_stem.get(stem, ()) for stem in beyond_question)
    return (
        common >= COMMON_SHARE * len(beyond_question)
        and is_terse(sentences)
        and sum(sentence.signs for sentence in sentences) < MIN_SIGNS * length
    )


def is_terse(sentences: Sequence[Sentence]) -> bool:
    """Return whether an answer is notes rather than sentences."""
    length = sum(sentence.length for sentence in sentences)
    structure = sum(sentence.grammar + sentence.glue for sentence in sentences)
    return structure < TERSE_STRUCTURE * length


def is_copy(sentences: Iterable[Sentence], question: Set[str]) -> bool:
    """Return whether an answer has at least half of the question's content words and no others."""
    answer_stems = {word.stem for sentence in sentences for word in sentence.words}
    return answer_stems <= question and 2 * len(answer_stems) >= len(question)


def denies_everything(sentences: Sequence[Sentence]) -> bool:
    """Return whether an answer of three or more sentences mostly negates, without a contrast."""
    numbers = {sentence.number for sentence in sentences}  # a sentence may have several clauses
    contrasting = {s.number for s in sentences if s.contrast}
    denying = {s.number for s in sentences if s.negation} - contrasting
    return len(numbers) >= 3 and len(denying) >= DENYING_SHARE * len(numbers)


def is_off_topic(sentences: Sequence[Sentence], rubric: Rubric) -> bool:
    """Return whether a longer answer is mostly about other topics.

    Small talk and examples count for no topic, so they don't make an answer off topic.
    """
    long_sentences = [sentence for sentence in sentences if len(sentence.words) > 3]
    if len(long_sentences) < 6:
        return False
    off_topic = 0
    for sentence in long_sentences:
        rarities = {word.stem: rubric.background.rarity(word.stem) for word in sentence.words}
        scores = {rubric.topic: 0.0}
        for stem, weight in rarities.items():
            for topic_id in rubric.topics_by_stem.get(stem, ()):
                scores[topic_id] = scores.get(topic_id, 0.0) + weight
        lead = max(scores.values()) - scores[rubric.topic]
        off_topic += lead >= OFF_TOPIC_LEAD * sum(rarities.values())
    return off_topic >= OFF_TOPIC_SHARE * len(long_sentences)


def disqualifying_flag(sentences: Sequence[Sentence], rubric: Rubric) -> Flag | None:
    """Return the flag of an answer whose form shows that it says nothing; None for others."""
    if not any(sentence.words for sentence in sentences):
        return Flag.EMPTY
    if is_copy(sentences, rubric.question_stems):
        return Flag.COPIED
    return Flag.LIST if is_stuffed(sentences, rubric) else None
