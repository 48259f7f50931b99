"""Grading by a server's own topic, as called in a separate process."""

from __future__ import annotations

from collections.abc import Callable

from bot.interviews.grading.grader import Grade
from bot.interviews.grading.rubric import BankWords, Rubric
from bot.questions.model import Topic


def grade_own(
    grader: Callable[[str, Rubric], Grade], answer: str, topic: Topic, words: BankWords
) -> Grade:
    """Return the grade that `grade` or `compare` gives, for a topic that is not in the bank."""
    return grader(answer, words.rubric_for_other_topic(topic))
