"""Discord's clock, as far as it can be told from here.

Discord writes its own time into every id that it makes, and an event reaches us after that, never before: the event
that came fastest of late says by how much Discord's clock is ahead of ours at least. So the time told here is never
ahead of Discord's, and behind it only by what the fastest event took. Until the first event the dates on Discord's
answers tell it to a second.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.core.snowflakes import created_at

log = logging.getLogger(__name__)

_REMEMBERED = 100
"""Events from which the clock is told; by how much they differ says how long events take."""
_ENOUGH = 5
"""Events before a difference between the clocks is believed, and logged."""
_WORTH_A_LINE = timedelta(seconds=1)
_RESOLUTION = timedelta(milliseconds=1)
"""Of the time in an id."""
_DATED = timedelta(seconds=1)
"""A date is written without the fraction of its second."""


class DiscordClock:
    """`host` is this machine's clock. Without any event yet it counts as right, unless a date shows that it is not."""

    def __init__(self, host: Callable[[], datetime]) -> None:
        self.host = host
        self._offset = timedelta()
        self._ahead: deque[timedelta] = deque(maxlen=_REMEMBERED)
        """By how much Discord's clock is ahead of ours at least, as each of the last events tells it."""
        self._logged = False

    def now(self) -> datetime:
        return self.host() + self._offset

    def heard(self, event_id: int) -> None:
        """Take note of an event that Discord made at the time in this id, and that has just arrived."""
        self._ahead.append(created_at(event_id) - self.host())
        self._offset = max(self._ahead)
        if abs(self._offset) > _WORTH_A_LINE and len(self._ahead) >= _ENOUGH and not self._logged:
            self._logged = True
            seconds = self._offset.total_seconds()
            which = "behind" if seconds > 0 else "ahead of"
            log.warning(
                "this machine's clock is %.1f s %s Discord's; what is due goes by Discord's",
                abs(seconds),
                which,
            )

    @property
    def is_heard(self) -> bool:
        """Whether an event has told Discord's time."""
        return bool(self._ahead)

    def dated(self, date: datetime, asked_at: datetime) -> None:
        """Take note of the date on Discord's answer to our request of `asked_at` (by `host`); an event tells more."""
        if self.is_heard:
            return
        least, most = date - self.host(), date + _DATED - asked_at
        if not least <= self._offset <= most:
            self._offset = least

    def answered(self, made_id: int, asked_at: datetime) -> None:
        """Take note of what Discord made at our request of `asked_at` (by `host`), and has just told us of.

        It was made after we asked: a clock that would have it earlier was set back meanwhile, or runs fast, and what
        was heard before counts no more.
        """
        if created_at(made_id) + _RESOLUTION - asked_at < self._offset:
            self._ahead.clear()
        if not self._ahead or created_at(made_id) - self.host() > self._offset:
            self.heard(made_id)

    def delay(self) -> timedelta:
        """How long events take to reach us, but for the slowest twentieth; nothing if none has come yet."""
        delays = sorted(self._offset - ahead for ahead in self._ahead)
        return delays[int(0.95 * len(delays))] if delays else timedelta()
