"""The timeout for every wait in a test, long enough for any busy machine."""

PATIENCE = 120.0

REPLIES = 1.5
"""Seconds until a reply is deferred in tests.

More than the bot's own limit, so that a slow machine doesn't defer replies by chance.
"""
