"""Finding the key points of a question in an open answer, offline."""

from bot.interviews.grading.grader import Grade, PointState, compare, grade, grade_own
from bot.interviews.grading.guards import Flag
from bot.interviews.grading.rubric import Rubric, follow_up_topic

__all__ = [
    "Flag",
    "Grade",
    "PointState",
    "Rubric",
    "compare",
    "follow_up_topic",
    "grade",
    "grade_own",
]
