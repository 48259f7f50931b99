"""An estimate of Discord's clock.

Answers are timed by Discord's ids, so deadlines follow Discord's clock. This machine's wall clock
may be wrong, and it may be set at any time. So the estimate runs with the monotonic clock, which
nobody sets. Ids and the `Date` headers of responses bound it from both sides: Discord made them
before they arrived, and after the request that they answer. Ids have milliseconds, dates seconds.

- Before the first response or event the wall clock is trusted. From then on it doesn't matter,
  except that discord.py tells by it whether the bot's time-out on a server has ended.
- The estimate is behind Discord's clock by the delay of the fastest of the recent events. Without
  any it is off by a second and the time of the last response at most.
- It is ahead of Discord's clock only if the monotonic clock is fast, which can be some seconds a
  day on a machine that nothing corrects. The next post takes that back, or the next date, to a
  second.
- While a machine sleeps or is paused, the monotonic clock may stop. Then the estimate is behind
  until the next event or date. The gateway's response to a new connection has one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bot.core.snowflakes import created_at

log = logging.getLogger(__name__)

_SAMPLES = 100
"""Sample size for the estimate and the latency of events."""
_MIN_SAMPLES = 5
"""Events before a wrong local clock is logged."""
_WORTH_LOGGING = timedelta(seconds=1)
_ID_RESOLUTION = timedelta(milliseconds=1)
_DATE_RESOLUTION = timedelta(seconds=1)
_LONGEST_STEP = timedelta(seconds=2)
"""If the estimate rises by more at once, the monotonic clock stood still in between."""
_NO_BOUND = datetime.min.replace(tzinfo=UTC)


class DiscordClock:
    """Discord's time. `host` is this machine's wall clock, `monotonic` its clock that nobody sets."""

    def __init__(self, host: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self.monotonic = monotonic
        self._host = host
        self._zero: datetime | None = None
        """The estimate of Discord's time when `monotonic` was zero; None if nothing told it yet."""
        self._events: tuple[datetime, ...] = ()
        """Lower bounds on that time, one per recent event.

        A new tuple for each event, because threads of the database read it at any time.
        """
        self._dated = _NO_BOUND
        """The lower bound by the last date."""
        self._logged = False

    def now(self) -> datetime:
        zero = self._zero
        return self._host() if zero is None else zero + self._passed()

    def record_event(self, event_id: int) -> None:
        """Use an event that has just arrived, and that Discord made at the time in this id."""
        bound = created_at(event_id) - self._passed()
        if self._zero is not None and bound > self._zero + _LONGEST_STEP:
            self._events = ()  # the machine slept, so they say nothing about the events' latency
        self._events = (*self._events, bound)[-_SAMPLES:]
        self._zero = max(self._dated, *self._events)
        self._log_wrong_host()

    def record_date(self, date: datetime, asked_at: float) -> None:
        """Use the date of Discord's response to a request sent at `asked_at` by `monotonic`.

        It is too coarse to correct an estimate that agrees with it.
        """
        self._dated = least = date - self._passed()
        most = date + _DATE_RESOLUTION - timedelta(seconds=asked_at)
        if self._zero is None:
            self._zero = self._host() - self._passed()
        if self._zero > most or least - self._zero > _LONGEST_STEP:
            self._events = ()
        if not least <= self._zero <= most:
            self._zero = least

    def record_post(self, made_id: int, asked_at: float) -> None:
        """Use the id of something that Discord made on a request sent at `asked_at` by `monotonic`.

        It was made after the request. If the estimate says it was made before, all earlier bounds
        are dropped.
        """
        most = created_at(made_id) + _ID_RESOLUTION - timedelta(seconds=asked_at)
        if self._zero is not None and self._zero > most:
            self._events, self._dated = (), _NO_BOUND
        if not self._events or created_at(made_id) > self.now():
            self.record_event(made_id)

    def delay(self) -> timedelta:
        """Return the 95th percentile of recent events' latency, zero without events."""
        zero = self._zero
        delays = sorted(zero - bound for bound in self._events) if zero is not None else []
        return delays[int(0.95 * len(delays))] if delays else timedelta()

    def _passed(self) -> timedelta:
        return timedelta(seconds=self.monotonic())

    def _log_wrong_host(self) -> None:
        ahead = (self._host() - self.now()).total_seconds()
        is_off = abs(ahead) > _WORTH_LOGGING.total_seconds()
        if is_off and len(self._events) >= _MIN_SAMPLES and not self._logged:
            self._logged = True
            log.warning(
                "this machine's clock is %.1f s %s Discord's; deadlines follow Discord's",
                abs(ahead),
                "ahead of" if ahead > 0 else "behind",
            )
