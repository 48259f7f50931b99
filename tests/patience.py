"""How long a test waits for an event that must come: one limit for all, so long that no busy machine reaches it."""

PATIENCE = 120.0

REPLIES = 1.5
"""Seconds until a reply in a test becomes a later one, unless the test is about that: more than the bot's, as
a busy machine would turn one into the other by luck."""
