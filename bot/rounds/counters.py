"""The count of answers on open cards, refreshed seldom enough for Discord's limits. A restart may lose it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.rounds.rules import Counter, next_refresh

log = logging.getLogger(__name__)

Refresh = Callable[[int], Awaitable[int | None]]


@dataclass(slots=True)
class _Open:
    question_id: int
    deadline: datetime
    opened: datetime
    counter: Counter
    count: int
    timer: asyncio.TimerHandle | None = None
    task: asyncio.Task[None] | None = None


class AnswerCountRefresher:
    """`refresh(question_id)` edits the card and returns the count that it then shows; None: it is not open."""

    def __init__(self, now: Callable[[], datetime], refresh: Refresh) -> None:
        self._now = now
        self._refresh = refresh
        self._open: dict[int, _Open] = {}

    def touch(self, round_id: int, question_id: int, count: int, deadline: datetime, seconds: int) -> None:
        """An answer was stored: plan a refresh unless one is planned."""
        entry = self._open.get(round_id)
        if entry is None or entry.question_id != question_id:
            opened = deadline - timedelta(seconds=seconds)
            entry = self._open[round_id] = _Open(question_id, deadline, opened, Counter(0), 0)
        entry.count, entry.deadline = max(entry.count, count), min(entry.deadline, deadline)
        if entry.timer is None and entry.task is None:
            self._plan(round_id, entry)

    async def stop(self, round_id: int) -> None:
        """Forget a round's card; waits for an edit under way, so that it can't overtake the reveal."""
        entry = self._open.pop(round_id, None)
        if entry is None:
            return
        if entry.timer is not None:
            entry.timer.cancel()
        if entry.task is not None:
            await asyncio.wait([entry.task])

    async def close(self) -> None:
        """Refresh no more."""
        for round_id in list(self._open):
            await self.stop(round_id)

    def _plan(self, round_id: int, entry: _Open) -> None:
        now = self._now()
        at = next_refresh(entry.counter, now=now, count=entry.count, opened=entry.opened, deadline=entry.deadline)
        if at is not None:
            delay = max(0.0, (at - now).total_seconds())
            entry.timer = asyncio.get_running_loop().call_later(delay, self._fire, round_id, entry)

    def _fire(self, round_id: int, entry: _Open) -> None:
        entry.timer = None
        if self._open.get(round_id) is entry:
            entry.task = asyncio.create_task(self._run(round_id, entry))

    async def _run(self, round_id: int, entry: _Open) -> None:
        try:
            shown = await self._refresh(entry.question_id)
        except Exception:
            log.exception("the counter of round %s was not refreshed", round_id)
            return
        finally:
            entry.task = None
        if self._open.get(round_id) is not entry:
            return
        if shown is None:
            del self._open[round_id]
            return
        entry.counter = Counter(shown, self._now())
        entry.count = max(entry.count, shown)
        self._plan(round_id, entry)
