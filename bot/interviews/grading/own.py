"""Grading by a topic that a server wrote: what a process of its own is asked to do."""

from __future__ import annotations

from collections.abc import Callable

from bot.interviews.grading.grader import Grade
from bot.interviews.grading.rubric import BankWords, Rubric
from bot.questions.model import Topic


def grade_own(
    grader: Callable[[str, Rubric], Grade], answer: str, topic: Topic, words: BankWords
) -> Grade:
    """Return the grade that `grade` or `compare` gives an answer to a topic that is not in the bank."""
    return grader(answer, words.rubric_beside(topic))
