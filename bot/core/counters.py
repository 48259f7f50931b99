"""Numbers that only grow, for `/metrics`: each is counted where it happens, in the event loop."""

from __future__ import annotations


class Counter:
    """A number since the start of the process. It names no member and no server."""

    def __init__(self) -> None:
        self.value = 0.0

    def add(self, amount: float = 1) -> None:
        self.value += amount


answers = Counter()
"""Answers that were stored and committed."""
errors_shown = Counter()
"""Errors that members read, each with an id."""
failed_writes = Counter()
"""Writes that failed because the database is full, locked, broken or out of reach."""
given_up = Counter()
"""Pieces of due work that failed for too long, and are not tried again."""
rate_limit_wait = Counter()
"""Seconds that requests waited for Discord's limit, added up over all requests."""
rate_limited = Counter()
"""Requests that Discord refused because there were too many (429)."""
