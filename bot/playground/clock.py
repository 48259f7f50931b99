"""The simulated Discord's clock: real time, except while the server is being created."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from simcord._clock import Clock
from simcord._dpy_internals import real_monotonic


class WallClock(Clock):
    """A clock for simcord that shows real time, where simcord's own only moves when told to.

    Until `release` it is frozen at `start`. Snowflakes contain the time, so everything created
    until then gets the same id at every start. Later ids contain the real time and never repeat.
    """

    def __init__(self, start: datetime) -> None:
        self._frozen: datetime | None = start
        self._latest = start

    @property
    def elapsed(self) -> float:  # type: ignore[override]  # simcord has an attribute here
        """Return the value of `time.monotonic()` in bot code.

        It is the real one, so both can mix.
        """
        return real_monotonic()

    def now(self) -> datetime:
        if self._frozen is not None:
            return self._frozen
        # never backwards: after a correction of the clock, snowflakes must not repeat
        self._latest = max(self._latest, datetime.now(UTC))
        return self._latest

    def advance(self, seconds: float) -> None:
        """Advance the clock while it is frozen."""
        if self._frozen is not None:
            self._frozen += timedelta(seconds=seconds)

    def release(self) -> None:
        """Switch to real time."""
        self._frozen = None
