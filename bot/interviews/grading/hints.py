"""Compares answers to follow-up questions with their model answers, part by part.

A follow-up's model answer (its `hint`) is plain text without key points, so its sentences serve as
key points. Members see each part with their own nearest sentence, and no verdict.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.interviews.grading.grader import Grade, grade
from bot.interviews.grading.rubric import Rubric
from bot.interviews.grading.words import parse_sentences
from bot.questions.model import KeyPoint, Topic

MIN_WORDS = 2
"""Fewest content words in a part; a shorter one, such as "Nowhere.", matches by chance or never."""
# after a semicolon or the end of a sentence, but not after an initial or an abbreviation
_END = re.compile(
    r"(?<=;)\s+|(?<=[.!?])(?<!\b[A-Za-z]\.)(?<!\bvs\.)(?<!\betc\.)(?<!\bcf\.)(?<!\bal\.)\s+(?=[^a-z])"
)


def split_hint(hint: str) -> tuple[str, ...]:
    """Split a hint after sentences and semicolons.

    A short part is joined with the next one, a short last part with the one before.
    """
    parts: list[str] = []
    for text in filter(None, _END.split(" ".join(hint.split()))):
        if parts and _is_short(parts[-1]):
            parts[-1] += f" {text}"
        else:
            parts.append(text)
    if len(parts) > 1 and _is_short(parts[-1]):
        last = parts.pop()
        parts[-1] += f" {last}"
    return tuple(parts)


def _is_short(text: str) -> bool:
    return sum(len(sentence.words) for sentence in parse_sentences(text)) < MIN_WORDS


def follow_up_topic(topic: Topic, question: str, hint: str) -> Topic:
    """Return a follow-up as a topic of its own, with the parts of its hint as key points."""
    return replace(
        topic,
        question=question,
        answer=hint,
        key_points=tuple(KeyPoint(part, ()) for part in split_hint(hint)),
        misconceptions=(),
        items=(),
    )


def compare(answer: str, rubric: Rubric) -> Grade:
    """Find the parts of a hint in an answer, by the rubric of `follow_up_topic`.

    Accepts any text and never raises. No guard is needed, because nothing is counted.
    """
    return grade(answer, rubric, guarded=False)
