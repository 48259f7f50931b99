"""An estimate of Discord's clock.

Every id that Discord makes contains its creation time, and we receive it later. So each event gives
a lower bound on how far Discord's clock is ahead of ours, and the fastest recent event gives the
best one. The estimate is never ahead of Discord's clock, and behind it only by the latency of that
event. Until the first event, the dates of Discord's HTTP responses tell the time to a second.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.snowflakes import created_at

log = logging.getLogger(__name__)

_SAMPLES = 100
"""Sample size for estimating the offset and the latency of events."""
_MIN_SAMPLES = 5
"""Events before a wrong local clock is logged."""
_WORTH_LOGGING = timedelta(seconds=1)
_ID_RESOLUTION = timedelta(milliseconds=1)
_DATE_RESOLUTION = timedelta(seconds=1)


class DiscordClock:
    """Discord's time. `host` is this machine's clock, which is trusted until something contradicts it."""

    def __init__(self, host: Callable[[], datetime]) -> None:
        self.host = host
        self._offset = timedelta()
        self._bounds: tuple[timedelta, ...] = ()
        """Lower bounds on (Discord's time - host's time), one per recent event.

        A new tuple for each event, because threads of the database read it at any time.
        """
        self._logged = False

    def now(self) -> datetime:
        return self.host() + self._offset

    def record_event(self, event_id: int) -> None:
        """Use an event that has just arrived, and that Discord made at the time in this id."""
        self._bounds = (*self._bounds, created_at(event_id) - self.host())[-_SAMPLES:]
        self._offset = max(self._bounds)
        is_off = abs(self._offset) > _WORTH_LOGGING
        if is_off and len(self._bounds) >= _MIN_SAMPLES and not self._logged:
            self._logged = True
            seconds = self._offset.total_seconds()
            log.warning(
                "this machine's clock is %.1f s %s Discord's; deadlines follow Discord's",
                abs(seconds),
                "behind" if seconds > 0 else "ahead of",
            )

    @property
    def has_events(self) -> bool:
        """Whether an event has told Discord's time."""
        return bool(self._bounds)

    def record_date(self, date: datetime, asked_at: datetime) -> None:
        """Use the date of Discord's response to a request sent at `asked_at` by `host`.

        Ignored once there was an event, because events are more exact.
        """
        if self.has_events:
            return
        least, most = date - self.host(), date + _DATE_RESOLUTION - asked_at
        if not least <= self._offset <= most:
            self._offset = least

    def record_post(self, made_id: int, asked_at: datetime) -> None:
        """Use the id of something that Discord made on a request sent at `asked_at` by `host`.

        It was made after the request. If the estimate says it was made before, the host's clock was
        set forward, and all earlier bounds are dropped.
        """
        if created_at(made_id) + _ID_RESOLUTION - asked_at < self._offset:
            self._bounds = ()
        if not self._bounds or created_at(made_id) - self.host() > self._offset:
            self.record_event(made_id)

    def delay(self) -> timedelta:
        """Return the 95th percentile of recent events' latency, zero without events."""
        delays = sorted(self._offset - bound for bound in self._bounds)
        return delays[int(0.95 * len(delays))] if delays else timedelta()
