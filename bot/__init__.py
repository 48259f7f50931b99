"""Quizformer: learning together in chat, for study groups that prepare for machine-learning interviews."""

__version__ = "1.0.0"
