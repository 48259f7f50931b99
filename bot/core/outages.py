"""A database that is away: told in the log once a minute, instead of once for each failure."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from bot.core.errors import words_of

log = logging.getLogger(__name__)

QUIET_SECONDS = 120.0
"""An outage has ended when nothing has failed for so long.

While a disk is full or connections are few, some transactions fail and others don't.
"""
_TELL_SECONDS = 60.0


class Outage:
    """Whether transactions have failed lately because the database is away, and how many.

    `bot/logs.py` drops all other lines about such errors. Members read the id of the outage, which
    is in each of these lines.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None
        self._last = 0.0
        self._told = 0.0
        self._failures = 0
        self.id = ""

    @property
    def is_on(self) -> bool:
        return self._began is not None and self._clock() - self._last < QUIET_SECONDS

    def failed(self, error: BaseException, transactions: int = 1) -> None:
        """Count failed transactions."""
        now = self._last = self._clock()
        if self._began is None:
            self._began = self._told = now
            self._failures = 0
            self.id = secrets.token_hex(3)
            log.error(
                "error %s: the database can't be used (%s); failures are counted, and told once a minute",
                self.id,
                words_of(error),
            )
        self._failures += transactions
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            log.error(
                "error %s: for %.0f s, %s transactions have failed, at last one with: %s",
                self.id,
                now - self._began,
                self._failures,
                words_of(error),
            )

    def succeeded(self) -> None:
        """Note that a transaction did not fail: end the outage once nothing fails any more."""
        if self._began is not None and not self.is_on:
            log.warning(
                "error %s is over: %s transactions failed in %.0f s",
                self.id,
                self._failures,
                self._last - self._began,
            )
            self._began = None
