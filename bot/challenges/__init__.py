"""Challenges: the same questions for several members, each at their own time."""
