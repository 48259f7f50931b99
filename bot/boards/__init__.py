"""Leaderboards, the figures of a member, and the topics at a glance."""
