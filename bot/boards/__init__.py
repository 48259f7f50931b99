"""Leaderboards of members and teams."""
