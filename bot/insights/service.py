"""What managers want to know of their server's questions, from the answers of the last year."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial

from bot.answers import store as answer_log
from bot.core.context import Context
from bot.core.database import Connection
from bot.insights import store
from bot.insights.rules import Given, Insights, look_at
from bot.questions.model import Bank
from bot.questions.store import asked_in

YEAR = timedelta(days=365)
MOST = 30_000
"""Latest answers that are looked at."""


class QuestionInsights:
    """See the module."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    async def look(self, guild_id: int) -> tuple[Insights, Bank]:
        """What the answers of a server say, and the questions that they are about.

        Thousands of answers take a while to look at: the database is left to others meanwhile.
        """
        bank, work = await self._database.read_long(self._load, guild_id)
        return await asyncio.to_thread(work), bank

    def _load(self, conn: Connection, guild_id: int) -> tuple[Bank, partial[Insights]]:
        since, bank = self._now() - YEAR, self._banks.of(conn, guild_id)
        found = answer_log.latest_on(conn, guild_id, since.date(), MOST)
        given = [
            Given(a.item_id, a.user_id, a.answer or "", a.correct, a.answered_at) for a in found
        ]
        return bank, partial(
            look_at,
            bank,
            given,
            reports=store.reports_by_subject(conn, guild_id, since),
            asked=asked_in(conn, guild_id).keys(),
            hidden=self._in_play.items(conn, guild_id),
        )
