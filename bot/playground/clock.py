"""The simulated Discord's clock: the real one, except while the server is being founded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simcord._clock import Clock
from simcord._dpy_internals import real_monotonic


class WallClock(Clock):
    """simcord's clock stands at a virtual date until told to move. This one is wall time.

    It starts frozen at ``founded``: snowflakes come from the clock, so everything that is created before
    :meth:`release` gets the same id at every start. From then on ids carry the real time and never repeat.
    """

    def __init__(self, founded: datetime) -> None:
        self._frozen: datetime | None = founded
        self._latest = founded

    @property
    def elapsed(self) -> float:  # type: ignore[override]  # an attribute in simcord, which only its own clock sets
        """What simcord gives bot code as ``time.monotonic()``; the same scale as the real one, so they can be mixed."""
        return real_monotonic()

    def now(self) -> datetime:
        if self._frozen is not None:
            return self._frozen
        # Never backwards: a clock correction must not repeat a snowflake.
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest

    def advance(self, seconds: float) -> None:
        """Move the frozen clock on; the real one moves by itself."""
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)

    def release(self) -> None:
        self._frozen = None
