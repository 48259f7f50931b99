"""Suggesting questions, and reviewing suggestions and reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from msgspec.structs import replace

from bot.bank import store
from bot.bank.model import (
    DEFAULT_TOPIC,
    MAX_COUNTED,
    Form,
    QuestionPage,
    Suggestion,
    SuggestionState,
    SuggestionVerdict,
    WaitingCounts,
    WaitingKind,
    WaitingReport,
    WaitingSuggestion,
)
from bot.bank.service import OwnBank
from bot.core import servers
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import SUGGESTIONS_A_DAY, SUGGESTIONS_OPEN
from bot.core.member_hashes import count_of, count_up
from bot.members.store import names_of
from bot.questions import store as questions_store
from bot.questions.model import Report
from bot.questions.own import number_of

log = logging.getLogger(__name__)
_DECIDED = (
    "Somebody else has just decided that one. Press Later, or use </bank> to see what's left."
)


_SUGGESTIONS = "suggestions"


class Suggestions:
    def __init__(self, context: Context, bank: OwnBank) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._bank = bank

    async def suggest(self, guild_id: int, user_id: int, form: Form) -> int | None:
        """Store a suggestion for review; raises BankError if it isn't a valid question.

        Returns the channel to announce it in, if any. Only the first thing that waits is announced.
        """
        self._bank.check(replace(form, topic=DEFAULT_TOPIC))
        return await self._database.write(self._add, guild_id, user_id, form)

    def _add(self, conn: Connection, guild_id: int, user_id: int, form: Form) -> int | None:
        servers.lock(conn, guild_id)
        self._check_limit_in(conn, guild_id, user_id)
        now = self._now()
        count_up(conn, _SUGGESTIONS, user_id, now.date(), SUGGESTIONS_A_DAY)
        store.add(conn, guild_id, user_id, form, now)
        return self._announcement_channel_in(conn, guild_id)

    def _check_limit_in(self, conn: Connection, guild_id: int, user_id: int) -> None:
        """Refuse a member who has too many suggestions waiting, or has made too many today."""
        if count_of(conn, _SUGGESTIONS, user_id, self._now().date()) >= SUGGESTIONS_A_DAY:
            raise UserError(
                f"You've suggested {SUGGESTIONS_A_DAY} questions today, which is the most in a day. "
                "Suggest another tomorrow; the day ends at midnight UTC."
            )
        if store.count_open(conn, guild_id, user_id) >= SUGGESTIONS_OPEN:
            raise UserError(
                f"{SUGGESTIONS_OPEN} of your suggestions are waiting for review already. "
                "Suggest another once one of them has been decided."
            )

    check_limit = reading(_check_limit_in)

    def _waiting_in(self, conn: Connection, guild_id: int) -> WaitingCounts:
        """Return how many suggestions and reports wait on a server."""
        return WaitingCounts(
            store.count_waiting(conn, guild_id),
            questions_store.count_reports(conn, guild_id, MAX_COUNTED),
        )

    waiting = reading(_waiting_in)

    def wait(self, conn: Connection, guild_id: int) -> bool:
        """Return whether suggestions or reports wait on a server."""
        return self._waiting_in(conn, guild_id).total > 0

    def _announcement_channel_in(self, conn: Connection, guild_id: int) -> int | None:
        """Return the channel to announce something new in, if it is the only thing that waits."""
        channel_id = servers.server(conn, guild_id).suggestions_channel_id
        return channel_id if channel_id and self._waiting_in(conn, guild_id).total == 1 else None

    announcement_channel = reading(_announcement_channel_in)

    @reading
    def verdicts(
        self, conn: Connection, guild_id: int, user_id: int
    ) -> Sequence[SuggestionVerdict]:
        """Return the verdicts on a server that a member has not read yet."""
        return store.verdicts(conn, guild_id, user_id)

    @writing
    def forget_verdicts(self, conn: Connection, verdicts: Sequence[SuggestionVerdict]) -> None:
        """Delete suggestions whose author has read the verdicts."""
        store.forget(conn, [verdict.id for verdict in verdicts])

    # --- review

    @reading
    def next_waiting(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        kind: WaitingKind = WaitingKind.SUGGESTION,
        after: int = 0,
    ) -> WaitingSuggestion | WaitingReport | None:
        """Return the next thing that waits: suggestions, then reports, then from the start again."""
        waiting = self._waiting_in(conn, guild_id)
        for start_kind, start in dict.fromkeys([(kind, after), (WaitingKind.SUGGESTION, 0)]):
            after_report = start
            if start_kind is WaitingKind.SUGGESTION:
                suggestion = store.next_waiting(conn, guild_id, start)
                if suggestion is not None:
                    names = names_of(conn, guild_id, [suggestion.user_id])
                    author = names.get(suggestion.user_id)
                    return WaitingSuggestion(suggestion, author, waiting)
                after_report = 0
            report = questions_store.next_report(conn, guild_id, after_report)
            if report is not None:
                return self._waiting_report(conn, guild_id, user_id, report, waiting)
        return None

    def _waiting_report(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        report: Report,
        waiting: WaitingCounts,
    ) -> WaitingReport:
        bank = self._banks.holding(conn, [report.item_id])
        item, topic = bank.items.get(report.item_id), bank.topics.get(report.item_id)
        prompt = item.prompt if item else topic.question if topic else ""
        hidden = report.item_id in self._in_play.items_hidden_from(conn, user_id, guild_id)
        number = number_of(guild_id, report.item_id)
        rows = (
            questions_store.own_items_numbered(conn, guild_id, [number])
            if number is not None
            else ()
        )
        own = next((row for row in rows if not row.retired), None)
        return WaitingReport(
            id=report.id,
            text=report.text,
            prompt=prompt,
            item=item,
            shipped=number is None and bool(prompt),
            own=own,
            hidden=hidden,
            waiting=waiting,
        )

    @reading
    def waiting_suggestion(self, conn: Connection, guild_id: int, suggestion_id: int) -> Suggestion:
        """Return a suggestion that waits for review; raises UserError if it is decided."""
        row = store.waiting(conn, guild_id, suggestion_id)
        if row is None:
            raise UserError(_DECIDED)
        return row

    async def accept(
        self, guild_id: int, suggestion_id: int, form: Form | None = None
    ) -> QuestionPage:
        """Add a suggestion, or a manager's edited form of it, to the server's bank.

        The verdict is stored in the same transaction, so simultaneous managers add the question
        once. Raises BankError if it is invalid.
        """
        if form is None:
            form = (await self.waiting_suggestion(guild_id, suggestion_id)).form

        def decide(conn: Connection) -> None:
            if not store.decide(conn, guild_id, suggestion_id, SuggestionState.ACCEPTED):
                raise UserError(_DECIDED)

        saved = await self._bank.add(guild_id, form, decide)
        log.info("guild %s: a suggestion was accepted as %s", guild_id, saved.own.row.item_id)
        return saved

    @writing
    def reject(self, conn: Connection, guild_id: int, suggestion_id: int, reason: str) -> None:
        """Reject a suggestion, with a reason for its author."""
        if not store.decide(conn, guild_id, suggestion_id, SuggestionState.REJECTED, reason):
            raise UserError(_DECIDED)

    @writing
    def settle_report(self, conn: Connection, guild_id: int, report_id: int) -> None:
        """Mark a report as done. It may be done already."""
        questions_store.settle_report(conn, guild_id, report_id)
