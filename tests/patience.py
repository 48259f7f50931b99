"""How long a test waits for an event that must come: one limit for all, so long that no busy machine reaches it."""

PATIENCE = 120.0
