"""Use cases without discord: load, let the domain decide, store, tell the announcer."""
