"""Finding the key points of a question in an open answer, offline."""

from bot.interviews.grading.grader import Grade, PointState, grade, grade_own
from bot.interviews.grading.guards import Flag
from bot.interviews.grading.hints import compare, follow_up_topic
from bot.interviews.grading.rubric import Rubric, Rubrics

__all__ = [
    "Flag",
    "Grade",
    "PointState",
    "Rubric",
    "Rubrics",
    "compare",
    "follow_up_topic",
    "grade",
    "grade_own",
]
