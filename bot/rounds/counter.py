"""Edits that keep the count of answers on open cards current."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec import Struct

from bot.core.jobs import end_tasks
from bot.rounds import rules

log = logging.getLogger(__name__)

_SPACING_SECONDS = 0.01
"""Between the edits of two cards.

Cards that are due at the same moment would hold up clicks if they were built in one go.
"""


class _Counted(Struct):
    """An open card. `answered_at` is when the first answer came that no edit has shown."""

    opened: datetime
    deadline: datetime | None
    answered_at: datetime | None = None
    edited_at: datetime | None = None
    task: asyncio.Task[None] | None = None
    is_editing: bool = False


class AnswerCounter:
    """Edits open cards while answers come in.

    `edit(question_id)` shows the present count on a card, and returns whether it is still open.
    While `is_busy`, other messages need the requests more, so the counts wait.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        edit: Callable[[int], Awaitable[bool]],
        is_busy: Callable[[], bool],
    ) -> None:
        self._now = now
        self._edit = edit
        self._is_busy = is_busy
        self._cards: dict[int, _Counted] = {}
        """By question id."""
        self._next_slot = 0.0
        self._closed = False

    def touch(self, question_id: int, *, opened: datetime, deadline: datetime | None) -> None:
        """Plan an edit after an answer was stored, unless one is planned.

        A hosted question has no deadline.
        """
        if self._closed:
            return
        card = self._cards.setdefault(question_id, _Counted(opened, deadline))
        card.answered_at = card.answered_at or self._now()
        if deadline is not None and card.deadline is not None:
            card.deadline = min(card.deadline, deadline)
        if card.task is None or card.task.done():
            card.task = asyncio.create_task(self._follow(question_id, card))

    async def stop(self, question_id: int) -> None:
        """Stop editing a card.

        Wait for an edit under way, so that it can't arrive after the reveal and replace it.
        """
        if (task := self._forget(question_id)) is not None:
            await asyncio.wait([task])

    async def close(self) -> None:
        """Stop editing, and wait for edits under way as long as `end_tasks` does."""
        self._closed = True
        await end_tasks([task for key in list(self._cards) if (task := self._forget(key))])

    def _forget(self, question_id: int) -> asyncio.Task[None] | None:
        """Forget a card and return its task, which ends at once unless it is editing."""
        card = self._cards.pop(question_id, None)
        if card is None or card.task is None:
            return None
        if not card.is_editing:
            card.task.cancel()
        return card.task

    async def _follow(self, question_id: int, card: _Counted) -> None:
        """Edit a card as long as its count grows."""
        while (wait := self._until_edit(card)) is not None:
            if wait > 0:
                await asyncio.sleep(wait)
                await self._wait_for_slot()
                continue  # by now other messages may need the requests
            card.answered_at = None
            card.is_editing = True
            try:
                is_open = await self._edit(question_id)
            except Exception:
                log.exception("the count of question %s was not shown", question_id)
                return
            finally:
                card.is_editing = False
            if self._cards.get(question_id) is not card:
                return
            if not is_open:
                del self._cards[question_id]
                return
            card.edited_at = self._now()
        if card.answered_at is not None and card.deadline is not None:
            # It is too late for another edit, also for one that shows the next answers.
            await asyncio.sleep((card.deadline - self._now()).total_seconds())
            del self._cards[question_id]

    async def _wait_for_slot(self) -> None:
        now = asyncio.get_running_loop().time()
        slot = max(now, self._next_slot)
        self._next_slot = slot + _SPACING_SECONDS
        if slot > now:
            await asyncio.sleep(slot - now)

    def _until_edit(self, card: _Counted) -> float | None:
        """Return the seconds until the next edit, or None if none is needed."""
        if card.answered_at is None:
            return None
        now = self._now()
        at = rules.next_count(
            answered_at=card.answered_at,
            edited_at=card.edited_at,
            opened=card.opened,
            deadline=card.deadline,
            free_at=now + rules.COLLECTED if self._is_busy() else now,
        )
        return None if at is None else (at - now).total_seconds()
