"""Grading an open answer offline, by the key points of its question."""

from bot.interviews.grading.grader import Grade, PointGrade, State, grade
from bot.interviews.grading.guards import Flag
from bot.interviews.grading.rubric import Rubric, Rubrics

__all__ = ["Flag", "Grade", "PointGrade", "Rubric", "Rubrics", "State", "grade"]
