"""Grading an open answer offline, by the key points of its question."""

from bot.interviews.grading.grader import Error, Grade, State, grade
from bot.interviews.grading.guards import Flag
from bot.interviews.grading.hints import compare, follow_up_topic, split_hint
from bot.interviews.grading.own import grade_own
from bot.interviews.grading.rubric import Rubric, Rubrics

__all__ = [
    "Error",
    "Flag",
    "Grade",
    "Rubric",
    "Rubrics",
    "State",
    "compare",
    "follow_up_topic",
    "grade",
    "grade_own",
    "split_hint",
]
