"""Grading an open answer offline, by the key points of its question."""

from bot.interviews.grading.grader import Grade, PointGrade, State, grade
from bot.interviews.grading.guards import Flag
from bot.interviews.grading.weights import Weights

__all__ = ["Flag", "Grade", "PointGrade", "State", "Weights", "grade"]
