"""Edits that keep the count of answers on open cards current."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct, field

from bot.core.jobs import end_tasks
from bot.rounds import rules

log = logging.getLogger(__name__)

_SPACING_SECONDS = 0.01
"""Between the refreshes of two cards.

Cards that are due at the same moment would hold up clicks if they were built in one go.
"""


class _Count(Struct):
    """The answers to an open question: how many there are, and what its card shows."""

    question_id: int
    opened: datetime
    deadline: datetime | None
    count: int = 0
    counter: rules.Counter = field(default_factory=rules.Counter)
    task: asyncio.Task[None] | None = None
    is_editing: bool = False


class AnswerCountRefresher:
    """Refreshes the cards of open questions while answers come in.

    `refresh(question_id)` edits the card and returns the count that it then shows, or None if the
    question is not open.
    """

    def __init__(
        self, now: Callable[[], datetime], refresh: Callable[[int], Awaitable[int | None]]
    ) -> None:
        self._now = now
        self._refresh = refresh
        self._open: dict[int, _Count] = {}
        """By round id."""
        self._next_slot = 0.0
        self._closed = False

    def touch(
        self,
        round_id: int,
        question_id: int,
        count: int,
        opened: datetime,
        deadline: datetime | None,
    ) -> None:
        """Plan a refresh after an answer was stored, unless one is planned.

        A hosted question has no deadline.
        """
        if self._closed:
            return
        entry = self._open.get(round_id)
        if entry is None or entry.question_id != question_id:
            entry = self._open[round_id] = _Count(question_id, opened, deadline)
        entry.count = max(entry.count, count)
        if deadline is not None and entry.deadline is not None:
            entry.deadline = min(entry.deadline, deadline)
        if entry.task is None or entry.task.done():
            entry.task = asyncio.create_task(self._follow(round_id, entry))

    async def stop(self, round_id: int) -> None:
        """Stop refreshing a round's card.

        Wait for an edit under way, so that it can't arrive after the reveal and replace it.
        """
        if (task := self._forget(round_id)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Stop refreshing, and wait for edits under way as long as `end_tasks` does."""
        self._closed = True
        await end_tasks(
            [task for round_id in list(self._open) if (task := self._forget(round_id)) is not None]
        )

    def _forget(self, round_id: int) -> asyncio.Task[None] | None:
        """Forget a round's card and return its task, which ends at once unless it is editing."""
        entry = self._open.pop(round_id, None)
        if entry is None or entry.task is None:
            return None
        if not entry.is_editing:
            entry.task.cancel()
        return entry.task

    async def _follow(self, round_id: int, entry: _Count) -> None:
        """Refresh a card as long as its count grows."""
        while (wait := self._until_refresh(entry)) is not None:
            await asyncio.sleep(wait)
            await self._wait_for_slot()
            if self._open.get(round_id) is not entry:
                return
            entry.is_editing = True
            try:
                shown = await self._refresh(entry.question_id)
            except Exception:
                log.exception("the counter of round %s was not refreshed", round_id)
                return
            finally:
                entry.is_editing = False
            if shown is None:
                if self._open.get(round_id) is entry:  # not the next question's entry
                    del self._open[round_id]
                return
            entry.counter = rules.Counter(shown, self._now())
            entry.count = max(entry.count, shown)

    async def _wait_for_slot(self) -> None:
        now = asyncio.get_running_loop().time()
        slot = max(now, self._next_slot)
        self._next_slot = slot + _SPACING_SECONDS
        if slot > now:
            await asyncio.sleep(slot - now)

    def _until_refresh(self, entry: _Count) -> float | None:
        """Return the seconds until the next refresh, or None if none is needed."""
        now = self._now()
        at = rules.next_refresh(
            entry.counter, now=now, count=entry.count, opened=entry.opened, deadline=entry.deadline
        )
        return None if at is None else (at - now).total_seconds()
