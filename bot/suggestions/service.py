"""Suggesting questions, and reviewing suggestions and reports."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from functools import partial

from msgspec.structs import replace

from bot.bank.cards import Saved
from bot.bank.files import refuse_unread
from bot.bank.forms import Form
from bot.bank.rules import Merge
from bot.bank.service import OwnBank
from bot.bank.sheets import row_of, titles_of, write_rows
from bot.core import servers
from bot.core.computing import compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_PROBLEMS, SUGGESTIONS_IMPORTED, SUGGESTIONS_OPEN
from bot.members.store import names_of
from bot.questions import store as questions_store
from bot.questions.check import BankError, Problem
from bot.questions.own import number_of
from bot.suggestions import rules, store
from bot.suggestions.cards import (
    ImportedFile,
    ReportReview,
    SuggestionReview,
    WaitingCounts,
)
from bot.suggestions.files import Existing, QuestionFile, may_be_read, read_questions
from bot.suggestions.formats import Placed
from bot.suggestions.rules import (
    Kind,
    State,
    SuggestedQuestion,
    Suggestion,
    Verdict,
)

log = logging.getLogger(__name__)
_ATTEMPTS = 3
"""How often a deck is read again without what is wrong; some problems show only without others."""
_DECIDED = "Somebody else has just decided that one. Press Later, or use </bank review> to see what's left."


class Suggestions:
    def __init__(self, context: Context, bank: OwnBank) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._bank = bank

    async def suggest(self, guild_id: int, user_id: int, question: SuggestedQuestion) -> int | None:
        """Store a suggestion for review; raises BankError if it isn't a valid question.

        Returns the channel to announce it in, if any. Only the first thing that waits is announced.
        """
        question = rules.normalized(question)
        self._bank.check(rules.form_of(question))
        return await self._database.write(self._add, guild_id, user_id, question)

    def _add(
        self, conn: Connection, guild_id: int, user_id: int, question: SuggestedQuestion
    ) -> int | None:
        servers.lock(conn, guild_id)
        self._check_limit_in(conn, guild_id, user_id)
        store.add(conn, guild_id, user_id, [question], self._now())
        return self._announcement_channel_in(conn, guild_id)

    def _check_limit_in(self, conn: Connection, guild_id: int, user_id: int) -> None:
        """Refuse a member who has too many suggestions waiting."""
        if store.count_open(conn, guild_id, user_id) >= SUGGESTIONS_OPEN:
            raise UserError(
                f"{SUGGESTIONS_OPEN} of your suggestions are waiting for review already. "
                "Use </suggest> again once one of them has been decided."
            )

    check_limit = reading(_check_limit_in)

    def _announcement_channel_in(self, conn: Connection, guild_id: int) -> int | None:
        """Return the channel to announce something new in, if it is the only thing that waits."""
        channel_id = servers.server(conn, guild_id).suggestions_channel_id
        return channel_id if channel_id and _waiting_counts(conn, guild_id).total == 1 else None

    announcement_channel = reading(_announcement_channel_in)

    @reading
    def verdicts(self, conn: Connection, guild_id: int, user_id: int) -> Sequence[Verdict]:
        """Return the verdicts on a server that a member has not read yet."""
        return store.verdicts(conn, guild_id, user_id)

    @writing
    def forget_verdicts(self, conn: Connection, user_id: int, verdicts: Sequence[Verdict]) -> None:
        """Delete suggestions whose author has read the verdicts."""
        store.forget(conn, user_id, [verdict.id for verdict in verdicts])

    # --- files

    async def import_file(
        self, guild_id: int, name: str, content: bytes
    ) -> tuple[ImportedFile, int | None] | None:
        """Put a file's questions up for review, and a deck's complete ones into the server's bank.

        Returns what was done and the channel to announce it in, if any; None for a file of another
        format. Raises BankError for a file that can't be read.
        """
        if not may_be_read(name):
            return None
        refuse_unread(name, len(content))
        existing, known = await self._database.read_long(self._existing, guild_id)
        read = partial(read_questions, name, content, existing)
        found = await self._bank.read_file(guild_id, len(content), read)
        if found is None:
            return None
        merged, problems = await self._import_complete(guild_id, found)
        new = _new_ones(found.questions, known)
        checked = await compute(self._valid, new)
        problems += [*found.problems, *(each for each in checked if isinstance(each, Problem))]
        valid = [each.question for each in checked if isinstance(each, Placed)]
        queued, channel_id = await self._database.write(self._queue, guild_id, valid)
        log.info("guild %s: %s questions of a file wait for review", guild_id, queued)
        done = ImportedFile(
            queued=queued,
            known=len(found.questions) - len(new),
            too_many=len(new) - len(checked) + len(valid) - queued,
            problems=tuple(problems[:MAX_PROBLEMS]),
            merged=merged,
            shipped=found.shipped,
        )
        return done, channel_id

    def _existing(self, conn: Connection, guild_id: int) -> tuple[Existing, set[str]]:
        """Return what a server has, and the keys of all prompts that are asked or wait there."""
        packs = self._banks.packs
        items = questions_store.own_items_of(conn, guild_id)
        titles = titles_of(packs, questions_store.own_topics_of(conn, guild_id))
        existing = Existing(
            shipped=frozenset(packs.items),
            own_names={row.item_id: row.name for row in items if not row.retired},
            topics=frozenset(titles),
        )
        prompts = [item.prompt for item in self._banks.of(conn, guild_id).asked.values()]
        prompts += store.waiting_prompts(conn, guild_id)
        return existing, {rules.prompt_key(prompt) for prompt in prompts}

    async def _import_complete(
        self, guild_id: int, found: QuestionFile
    ) -> tuple[Merge | None, list[Problem]]:
        """Import the complete questions of a deck, without those that break a rule of the bank."""
        rows = list(found.rows)
        problems: list[Problem] = []
        for attempt in range(_ATTEMPTS):
            if not rows:
                break
            sheet = write_rows(row for _, row in rows).encode()
            try:
                return await self._bank.import_file(guild_id, "deck.csv", sheet), problems
            except BankError as error:
                numbers = {row_of(problem) for problem in error.problems}
                problems += [_in_deck(problem, rows) for problem in error.problems]
                if not min(numbers) or attempt == _ATTEMPTS - 1:  # 0: a problem of the whole deck
                    raise BankError(problems) from error
                rows = [row for number, row in enumerate(rows, start=2) if number not in numbers]
        return None, problems

    def _valid(self, questions: Sequence[Placed]) -> list[Placed | Problem]:
        """Check questions until as many are valid as may wait for review, or too many are not."""
        found: list[Placed | Problem] = []
        left = SUGGESTIONS_IMPORTED
        for each in questions:
            if not left or len(found) - (SUGGESTIONS_IMPORTED - left) >= MAX_PROBLEMS:
                break
            complete = replace(each.question, why=each.question.why or "To be written.")
            try:
                self._bank.check(rules.form_of(complete))
            except BankError as error:
                first = error.problems[0]
                found.append(Problem(each.place, f"{first.place} {first.message}"))
            else:
                found.append(each)
                left -= 1
        return found

    def _queue(
        self, conn: Connection, guild_id: int, questions: Sequence[SuggestedQuestion]
    ) -> tuple[int, int | None]:
        """Store as many questions as may wait; return their number and the channel to announce in."""
        servers.lock(conn, guild_id)
        room = SUGGESTIONS_IMPORTED - store.count_open(conn, guild_id, rules.IMPORTED)
        fitting = questions[: max(0, room)]
        if not fitting:
            return 0, None
        first = not _waiting_counts(conn, guild_id).total
        store.add(conn, guild_id, rules.IMPORTED, fitting, self._now())
        channel_id = servers.server(conn, guild_id).suggestions_channel_id
        return len(fitting), channel_id if first else None

    # --- review

    @reading
    def next_review(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        kind: Kind = Kind.SUGGESTION,
        after: int = 0,
    ) -> SuggestionReview | ReportReview | None:
        """Return the next item to review: suggestions, then reports, then from the start again."""
        waiting = _waiting_counts(conn, guild_id)
        for start_kind, start in dict.fromkeys([(kind, after), (Kind.SUGGESTION, 0)]):
            after_report = start
            if start_kind is Kind.SUGGESTION:
                suggestion = store.next_waiting(conn, guild_id, start)
                if suggestion is not None:
                    names = names_of(conn, guild_id, [suggestion.user_id])
                    author = names.get(suggestion.user_id)
                    return SuggestionReview(suggestion, author, waiting)
                after_report = 0
            report = questions_store.next_report(conn, guild_id, after_report)
            if report is not None:
                return self._report_review(conn, guild_id, user_id, report, waiting)
        return None

    def _report_review(
        self,
        conn: Connection,
        guild_id: int,
        user_id: int,
        report: questions_store.Report,
        waiting: WaitingCounts,
    ) -> ReportReview:
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
        return ReportReview(
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

    async def accept(self, guild_id: int, suggestion_id: int, form: Form | None = None) -> Saved:
        """Add a suggestion, or a manager's edited form of it, to the server's bank.

        The verdict is stored in the same transaction, so simultaneous managers add the question
        once. Raises BankError if it is invalid.
        """
        if form is None:
            form = rules.form_of(await self.waiting_suggestion(guild_id, suggestion_id))

        def decide(conn: Connection) -> None:
            if not store.decide(conn, guild_id, suggestion_id, State.ACCEPTED):
                raise UserError(_DECIDED)
            store.forget(conn, rules.IMPORTED, [suggestion_id])

        saved = await self._bank.add(guild_id, form, decide)
        log.info("guild %s: a suggestion was accepted as %s", guild_id, saved.own.row.item_id)
        return saved

    @writing
    def reject(self, conn: Connection, guild_id: int, suggestion_id: int, reason: str) -> None:
        """Reject a suggestion, with a reason for its author, if it has one."""
        if not store.decide(conn, guild_id, suggestion_id, State.REJECTED, reason):
            raise UserError(_DECIDED)
        store.forget(conn, rules.IMPORTED, [suggestion_id])

    @writing
    def settle_report(self, conn: Connection, guild_id: int, report_id: int) -> None:
        """Mark a report as done. It may be done already."""
        questions_store.settle_report(conn, guild_id, report_id)


def _waiting_counts(conn: Connection, guild_id: int) -> WaitingCounts:
    return WaitingCounts(
        store.count_waiting(conn, guild_id),
        questions_store.count_reports(conn, guild_id, rules.MAX_COUNTED),
    )


def _new_ones(questions: Sequence[Placed], known: Collection[str]) -> list[Placed]:
    """Return the questions whose prompts are not known, each prompt once."""
    distinct: dict[str, Placed] = {}
    for each in questions:
        distinct.setdefault(rules.prompt_key(each.question.prompt), each)
    return [each for key, each in distinct.items() if key not in known]


def _in_deck(problem: Problem, rows: Sequence[tuple[str, dict[str, str]]]) -> Problem:
    """Name the note instead of the row that was made of it."""
    number = row_of(problem)
    if not number:
        return problem
    return replace(problem, place=problem.place.replace(f"row {number}", rows[number - 2][0], 1))
