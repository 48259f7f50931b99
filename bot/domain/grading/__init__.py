"""Grading an open answer offline, by the key points of its question."""

from bot.domain.grading.grader import Grade, PointGrade, State, grade
from bot.domain.grading.guards import Flag
from bot.domain.grading.weights import Weights

__all__ = ["Flag", "Grade", "PointGrade", "State", "Weights", "grade"]
