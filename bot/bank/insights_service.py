"""Judges a server's questions and topics by the answers of the last year."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from bot.answers import store as answers_store
from bot.bank import store
from bot.bank.insights_rules import analyze
from bot.bank.model import Given, Insights
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection
from bot.questions.model import Bank
from bot.questions.store import asked_in

YEAR = timedelta(days=365)
MOST = 30_000
"""The number of latest answers that are analyzed."""


class QuestionInsights:
    """Analyzes the answers of a server."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    async def analyze(self, guild_id: int) -> tuple[Insights, Bank]:
        """Return what the answers of a server say, and the bank that they are about.

        The analysis runs after the transaction, because thousands of answers take a while.
        """
        bank, work = await self._database.read_long(self._load, guild_id)
        return await compute(work), bank

    def _load(self, conn: Connection, guild_id: int) -> tuple[Bank, partial[Insights]]:
        since = self._now() - YEAR
        bank = self._banks.of(conn, guild_id)
        found = answers_store.latest_on(conn, guild_id, since.date(), MOST)
        given = [
            Given(a.item_id, a.user_id, a.answer or "", a.correct, a.answered_at) for a in found
        ]
        return bank, partial(
            analyze,
            bank,
            given,
            reports=store.count_reporters(conn, guild_id, since),
            asked=asked_in(conn, guild_id).keys(),
            hidden=self._in_play.items(conn, guild_id),
        )
