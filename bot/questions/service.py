"""What members say is wrong with a question."""

from __future__ import annotations

import logging

from bot.core.context import Context
from bot.core.errors import UserError
from bot.questions import store

log = logging.getLogger(__name__)


class Reports:
    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._now = context.now

    async def add(self, subject: str | None, guild_id: int | None, user_id: int, text: str) -> None:
        """Store a report on an item or a topic's open question; `subject` is its id, None if nobody knows it."""
        if subject is None:
            raise UserError("That question is gone, so it can't be reported. The next one has the same button.")
        await self._database.write(
            store.add_report, guild_id=guild_id, user_id=user_id, item_id=subject, text=text, at=self._now()
        )
        log.info("%s was reported: `python -m bot reports` prints what was said", subject)
