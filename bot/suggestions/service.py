"""What members do to suggest a question, and managers to review it and what was reported."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.bank.forms import Form
from bot.bank.service import OwnBank, Saved
from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import SUGGESTIONS_OPEN
from bot.members.store import names_of
from bot.questions import store as questions_store
from bot.questions.own import number_of
from bot.suggestions import rules, store
from bot.suggestions.rules import (
    Kind,
    Reported,
    State,
    Suggested,
    Suggestion,
    Verdict,
    Waiting,
    Written,
)

log = logging.getLogger(__name__)
_DECIDED = "Somebody else has just decided that one. Press Later, or use </bank review> to see what's left."


class Suggestions:
    """See the module."""

    def __init__(self, context: Context, bank: OwnBank) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._bank = bank

    async def suggest(self, guild_id: int, user_id: int, written: Written) -> int | None:
        """Let a suggestion wait for review; raises BankError for one that could not become a question.

        Returns the channel in which that is to be announced, if it is: once, until all that waits has been decided.
        """
        written = rules.clean(written)
        self._bank.check(rules.form_of(written))
        return await self._database.write(self._add, guild_id, user_id, written)

    def _add(self, conn: Connection, guild_id: int, user_id: int, written: Written) -> int | None:
        servers.lock(conn, guild_id)
        self._require_room(conn, guild_id, user_id)
        store.add(conn, guild_id, user_id, written, self._now())
        return self._announced(conn, guild_id)

    def _require_room(self, conn: Connection, guild_id: int, user_id: int) -> None:
        """Refuse a member of whom enough suggestions wait, before they write another one."""
        if store.count_open(conn, guild_id, user_id) >= SUGGESTIONS_OPEN:
            raise UserError(
                f"{SUGGESTIONS_OPEN} of your suggestions are waiting for review already. "
                "Use </suggest> again once one of them has been decided."
            )

    require_room = reading(_require_room)

    def _announced(self, conn: Connection, guild_id: int) -> int | None:
        """Where to announce what has just come to wait, if it is to be."""
        channel_id = servers.server(conn, guild_id).suggestions_channel_id
        return channel_id if channel_id and _waiting(conn, guild_id).total == 1 else None

    announced = reading(_announced)

    @reading
    def verdicts(self, conn: Connection, guild_id: int, user_id: int) -> Sequence[Verdict]:
        """What became of a member's suggestions on a server, as far as they have not been told."""
        return store.verdicts(conn, guild_id, user_id)

    @writing
    def told(self, conn: Connection, user_id: int, verdicts: Sequence[Verdict]) -> None:
        """The author has read these; nothing of them is kept."""
        store.forget(conn, user_id, [verdict.id for verdict in verdicts])

    # --- review

    @reading
    def next(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        kind: Kind = Kind.SUGGESTION,
        after: int = 0,
    ) -> Suggested | Reported | None:
        """What is next to review after something: suggestions first, then reports, then from the start again."""
        waiting = _waiting(conn, guild_id)
        for what, number in dict.fromkeys([(kind, after), (Kind.SUGGESTION, 0)]):
            if what is Kind.SUGGESTION and (row := store.next_waiting(conn, guild_id, number)):
                author = names_of(conn, guild_id, [row.user_id]).get(row.user_id)
                return Suggested(row, author, waiting)
            report = questions_store.next_report(
                conn, guild_id, number if what is Kind.REPORT else 0
            )
            if report is not None:
                return self._reported(conn, guild_id, user_id, report, waiting)
        return None

    def _reported(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        report: questions_store.Report,
        waiting: Waiting,
    ) -> Reported:
        bank = self._banks.holding(conn, [report.item_id])
        item, topic = bank.items.get(report.item_id), bank.topics.get(report.item_id)
        prompt = item.prompt if item else topic.question if topic else ""
        hidden = report.item_id in self._in_play.items_hidden_from(conn, user_id, guild_id)
        own = None
        number = number_of(guild_id, report.item_id)
        if item is not None and number is not None:
            rows = questions_store.own_items_of(conn, guild_id)
            own = next((row for row in rows if row.number == number and not row.retired), None)
        shipped = number is None and bool(prompt)
        return Reported(report.id, report.text, prompt, item, shipped, own, hidden, waiting)

    @reading
    def get(self, conn: Connection, guild_id: int, suggestion_id: int) -> Suggestion:
        """A suggestion that waits; refuses one that does not any more."""
        row = store.waiting(conn, guild_id, suggestion_id)
        if row is None:
            raise UserError(_DECIDED)
        return row

    async def accept(self, guild_id: int, suggestion_id: int, form: Form | None = None) -> Saved:
        """Take a suggestion into the server's bank, as its author or, given a form, as a manager wrote it.

        Both are one transaction: a question is added once, however many managers accept it. Raises BankError with what
        is wrong.
        """
        if form is None:
            form = rules.form_of(await self.get(guild_id, suggestion_id))

        def decide(conn: Connection) -> None:
            if not store.decide(conn, guild_id, suggestion_id, State.ACCEPTED):
                raise UserError(_DECIDED)

        saved = await self._bank.add(guild_id, form, decide)
        log.info("guild %s: a suggestion was accepted as %s", guild_id, saved.own.row.item_id)
        return saved

    @writing
    def reject(self, conn: Connection, guild_id: int, suggestion_id: int, reason: str) -> None:
        """Turn a suggestion down, with a reason for its author."""
        if not store.decide(conn, guild_id, suggestion_id, State.REJECTED, reason):
            raise UserError(_DECIDED)

    @writing
    def settle(self, conn: Connection, guild_id: int, report_id: int) -> None:
        """A report has been dealt with; it may have been before."""
        questions_store.settle_report(conn, guild_id, report_id)


def _waiting(conn: Connection, guild_id: int) -> Waiting:
    return Waiting(
        store.count_waiting(conn, guild_id),
        questions_store.count_reports(conn, guild_id, rules.MAX_COUNTED),
    )
