"""Leaderboards, and members' figures."""
