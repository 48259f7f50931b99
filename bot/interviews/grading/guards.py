"""Guards against answers that say nothing, and hints on the form of an answer.

A guard lowers a score only for a form that honest answers hardly ever have (1 in 256 as measured).
Notes, formulas, contrasts and digressions are honest. The bounds lie between labelled answers in
ten voices and the attacks on the bank's topics.
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


MIN_GRAMMAR, MIN_STRUCTURE = 0.06, 0.24
"""Share of grammatical words, without and with "and" and articles. Prose has at least 0.12 and
0.26."""
TERSE_STRUCTURE = 0.12
"""Share of grammatical words, with "and" and articles, below which a text is notes."""
MIN_LIST_WORDS, MIN_WORDS = 8, 20
"""Minimum length to judge bare terms, and anything else. Short notes need no grammar."""
TAUGHT_SHARE, COMMON_SHARE = 0.8, 0.75
"""Shares of content words from the model answer and points, and from all phrasings, that mark
strung terms. Notes have 0.2 to 0.55, and 0.45 to 0.7."""
MIN_SIGNS = 0.36
"""Colons, arrows, brackets and numbers per word. Notes have 0.4 to 0.8, strung terms rarely more
than this."""
DENYING_SHARE = 0.7
"""An answer with this share of denying sentences denies rather than explains."""
OFF_TOPIC_LEAD, OFF_TOPIC_SHARE = 0.3, 0.55
"""A sentence is off topic if another topic's words outweigh this topic's by this share; an
answer is, if this share of its sentences is. Honest answers have up to 0.45, the right answer
among three others at least 0.65."""


def is_stuffed(sentences: Sequence[Sentence], rubric: Rubric) -> bool:
    """Whether an answer strings terms together.

    It has no grammar and hardly a word of its own, and either all its words come from the model
    answer or nothing relates them.
    """
    length = sum(sentence.length for sentence in sentences)
    grammar = sum(sentence.grammar for sentence in sentences)
    structure = grammar + sum(sentence.glue for sentence in sentences)
    if length < MIN_WORDS:
        return length >= MIN_LIST_WORDS and structure == 0
    if grammar >= MIN_GRAMMAR * length and structure >= MIN_STRUCTURE * length:
        return False
    own = [
        word.stem
        for sentence in sentences
        for word in sentence.words
        if word.stem not in rubric.question_stems
    ]
    if sum(stem in rubric.taught_stems for stem in own) >= TAUGHT_SHARE * len(own):
        return True
    common = sum(rubric.topic in rubric.topics_by_stem.get(stem, ()) for stem in own)
    return (
        common >= COMMON_SHARE * len(own)
        and is_terse(sentences)
        and sum(sentence.signs for sentence in sentences) < MIN_SIGNS * length
    )


def is_terse(sentences: Sequence[Sentence]) -> bool:
    """Whether an answer is notes rather than sentences."""
    length = sum(sentence.length for sentence in sentences)
    structure = sum(sentence.grammar + sentence.glue for sentence in sentences)
    return structure < TERSE_STRUCTURE * length


def is_copy(sentences: Iterable[Sentence], question: Set[str]) -> bool:
    """Whether an answer has at least half of the question's content words and no others."""
    answer_stems = {word.stem for sentence in sentences for word in sentence.words}
    return answer_stems <= question and 2 * len(answer_stems) >= len(question)


def denies_everything(sentences: Sequence[Sentence]) -> bool:
    """Whether most of an answer's three or more sentences have a negation and no contrast."""
    whole = {sentence.number for sentence in sentences}
    contrasting = {s.number for s in sentences if s.contrast}
    denying = {s.number for s in sentences if s.negation} - contrasting
    return len(whole) >= 3 and len(denying) >= DENYING_SHARE * len(whole)


def is_off_topic(sentences: Sequence[Sentence], rubric: Rubric) -> bool:
    """Whether a longer answer is mostly about other topics.

    Small talk and examples belong to no topic.
    """
    long_sentences = [sentence for sentence in sentences if len(sentence.words) > 3]
    if len(long_sentences) < 6 or not rubric.topics_by_stem:
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
