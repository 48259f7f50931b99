"""Stores members' reports of wrong or unclear questions, and prints them for the operator."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core.context import Context
from bot.core.database import Connection
from bot.core.errors import UserError
from bot.core.limits import REPORTS_A_DAY, REPORTS_OPEN
from bot.core.member_hashes import count_up
from bot.questions import store
from bot.questions.answers import shown_right
from bot.questions.model import Bank, Report
from bot.questions.own import server_of

log = logging.getLogger(__name__)


class Reports:
    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._now = context.now

    async def add(self, item_id: str, guild_id: int | None, user_id: int, text: str) -> int | None:
        """Store a report and return the id of the server whose managers review it.

        `item_id` is the id of an item or of a topic with an open question. Reports of a server's
        own question go to that server, others to the one where they were made.
        """
        guild_id = server_of(item_id) or guild_id
        await self._database.write(self._add, item_id, guild_id, user_id, text)
        log.info("%s was reported: `python -m bot reports` prints what was said", item_id)
        return guild_id

    def _add(
        self, conn: Connection, item_id: str, guild_id: int | None, user_id: int, text: str
    ) -> None:
        waiting = store.open_reports(conn, guild_id, user_id)
        if item_id in waiting:
            raise UserError(
                "You've reported this question already. Report it again once that report has been reviewed."
            )
        # Reports from direct messages wait for no manager, so only those of a day are limited.
        if guild_id is not None and len(waiting) >= REPORTS_OPEN:
            raise UserError(
                f"{REPORTS_OPEN} of your reports are waiting for review already. "
                "Press Report again once one of them has been reviewed."
            )
        now = self._now()
        if not count_up(conn, "reports", user_id, now.date(), REPORTS_A_DAY):
            raise UserError(
                f"You've reported {REPORTS_A_DAY} questions today, which is the most in a day. "
                "Report this one tomorrow; the day ends at midnight UTC."
            )
        store.add_report(
            conn, guild_id=guild_id, user_id=user_id, item_id=item_id, text=text, at=now
        )


def print_reports(bank: Bank, reports: Sequence[Report]) -> None:
    """Print members' reports, each with the question and its right answer."""
    for report in reports:
        print(f"{report.at:%Y-%m-%d %H:%M} UTC  {report.item_id}")
        for name, text in (*_reported_question(bank, report.item_id), ("report", report.text)):
            printable = "".join(
                c if c.isprintable() else "\N{REPLACEMENT CHARACTER}"
                for c in " ".join(text.split())
            )
            print(f"  {name}: {printable}")
    print(f"{len(reports)} reports" if reports else "no reports")


def _reported_question(bank: Bank, item_id: str) -> list[tuple[str, str]]:
    """Return the lines to print about a reported item or open question: labels and texts."""
    if item_id in bank.topics:
        return [("open question", bank.topics[item_id].question)]
    if item_id not in bank.items:
        return [("question", "not in this bank")]
    item = bank.items[item_id]
    right = [choice.text for choice in item.choices if choice.correct]
    right = right or [*item.lines] or [shown_right(item)]
    return [("question", item.prompt), ("right answer", " · ".join(right))]
