"""Leaderboards, and the figures of a member."""
