"""Use cases of managers with their server's own questions: changes, and what the answers say."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from msgspec.structs import replace

from bot.answers import pay
from bot.answers import store as answers_store
from bot.answers.pay import Correction, Regraded
from bot.answers.sources import Source
from bot.answers.store import CHALLENGE, ROUND
from bot.bank import rules, store
from bot.bank.files import (
    CardLength,
    check_one,
    checked,
    most_bytes,
    read_own,
    refuse_size,
    write_own,
)
from bot.bank.forms import PICTURE, item_from, with_extras, with_level
from bot.bank.insights_rules import analyze
from bot.bank.model import (
    Checked,
    Draft,
    Export,
    Extras,
    Form,
    Given,
    Insights,
    Listing,
    Merge,
    Own,
    OwnQuestion,
    QuestionPage,
    TopicNames,
)
from bot.bank.pictures import TOO_MUCH_WORK, PictureError, redraw
from bot.bank.sheets import free_id, slug, titles_of, topic_called
from bot.core.computing import FILES, TOO_MUCH, FairQueue, Refused, TooMuch, compute
from bot.core.context import Context
from bot.core.database import Connection, reading, writing
from bot.core.errors import UserError
from bot.core.limits import MAX_FILES, MAX_FILES_WAITING, MAX_NEW_FORMULAS, MAX_OWN_BYTES
from bot.core.paging import PAGE_SIZE, page_in, rows_on
from bot.memory import store as memory_store
from bot.questions import store as questions_store
from bot.questions.bank import schema
from bot.questions.check import BankError, Problem, refuse
from bot.questions.formulas import FormulaError, FormulaTooSlow, prepare
from bot.questions.model import Bank
from bot.questions.own import OwnItem, OwnRows, OwnTopic, Sums, item_of, size_of, sums_of

T = TypeVar("T")
log = logging.getLogger(__name__)
YEAR = timedelta(days=365)
MOST = 30_000
"""The number of latest answers that are analyzed."""
_UNDO_FOR = timedelta(minutes=15)
"""As long as a member's reply can be edited; what is older is not in anybody's mind any more."""
_ATTEMPTS = 3
_PORTION = 200
"""Answers that are corrected in one transaction, while other writes wait for 20 to 60 ms."""
_MOST_NAMES = 5
"""Questions that a refusal names."""
_WHOLE_BANKS = FairQueue("files", most=MAX_FILES_WAITING)
"""All rows of one server at a time are in memory, for a file that is read or made."""
_INSIGHTS = FairQueue("insights")
"""The answers of one server at a time are in memory: 30,000 take 20 MB."""
_FORM_SECTION = ("our-own", "Our own")
"""Id and title of the section for topics that are made in a form."""
_CHANGED = "Somebody else has just changed that. Do this again, please."
_NOT_UNDONE = "I can't take that back now. Find the question in </bank> and press Edit."
_GONE = "That question was taken out or replaced meanwhile. Find the others in </bank>."

Rewrite = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns the new content of an item; raises BankError if it can't be changed like this."""


class _KeyInUse(UserError):
    """Refuses another key for questions that members are asked now, or are about to be."""


class _Changed(UserError):
    """Refuses a change of rows that somebody else has changed since they were read."""


class OwnBank:
    """Imports, exports, edits and retires own questions.

    `card_length` counts the characters of a card; `sources` are those of the answers' log.
    """

    def __init__(
        self, context: Context, card_length: CardLength, sources: Mapping[str, Source]
    ) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now
        self._card_length = card_length
        self._sources = sources
        self._pending: Counter[int] = Counter()
        """The number of files and forms by server, being stored or waiting."""
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        """A lock for each server with pending files or forms."""

    async def import_file(self, guild_id: int, name: str, content: bytes) -> Merge:
        """Add a file's questions to the server's own; raises BankError with all its problems."""
        refuse_size(len(content), most_bytes(name))
        async with self._in_turn(guild_id):
            try:
                merged = await _retried(partial(self._import, guild_id, name, content))
            except _KeyInUse as error:
                raise UserError(
                    f"{error} To save the rest now, leave that out of the file."
                ) from error
        log.info(
            "guild %s: %s own questions added, %s changed", guild_id, merged.added, merged.changed
        )
        return merged

    async def _import(self, guild_id: int, name: str, content: bytes) -> Merge:
        async with _WHOLE_BANKS.turn(guild_id):
            own, rows = await self._database.read_long(guild_id, self._read_all, guild_id)
            length = self._card_length
            read = partial(read_own, schema=schema(), own=own, rows=rows, card_length=length)
            try:
                found = await FILES.run(guild_id, read, name, content)
            except TooMuch as error:
                size = len(content)
                log.warning("guild %s: reading a file of %s bytes took too much", guild_id, size)
                raise UserError(
                    f"Reading this file took {TOO_MUCH}, so nothing was changed. "
                    f"Split it and send its parts one by one. {error}"
                ) from error
        return (await self._save(own, found))[0]

    def _read_all(self, conn: Connection, guild_id: int) -> tuple[Own, OwnRows]:
        own = self._read(conn, guild_id, (), ())
        pictures = questions_store.picture_sizes(conn, guild_id).keys()
        own = replace(own, elsewhere=Sums(), pictures=frozenset(pictures))
        return own, questions_store.own_rows_of(conn, guild_id)

    def _read(
        self,
        conn: Connection,
        guild_id: int,
        topics: Sequence[OwnTopic],
        items: Sequence[OwnItem],
    ) -> Own:
        """Return these rows of a server, with the sums of all others."""
        return Own(
            packs=self._banks.packs,
            guild_id=guild_id,
            topics=topics,
            items=items,
            elsewhere=questions_store.own_sums(conn, guild_id).without(sums_of(topics, items)),
            first=questions_store.last_number(conn, guild_id) + 1,
            mark=questions_store.bank_mark(conn, guild_id),
        )

    @asynccontextmanager
    async def _in_turn(self, guild_id: int) -> AsyncIterator[None]:
        """Handle a server's files and forms one at a time; refuse if too many are waiting."""
        if self._pending[guild_id] >= MAX_FILES:
            raise UserError(
                f"{MAX_FILES} files or questions of this server are being saved already. "
                "Try again once they are done."
            )
        self._pending[guild_id] += 1
        lock = self._locks.setdefault(guild_id, asyncio.Lock())
        try:
            async with lock:
                yield
        finally:
            self._pending[guild_id] -= 1
            if not self._pending[guild_id]:
                del self._pending[guild_id]

    async def _save(
        self,
        own: Own,
        found: Checked,
        first: Callable[[Connection], None] | None = None,
        undone: Sequence[OwnItem] | None = None,
    ) -> tuple[Merge, int | None]:
        """Store what was checked; raises BankError with its problems.

        `first` runs first, in the same transaction. `undone` are the rows as they will be if this
        change is undone; its id is returned too.
        """
        merged = await _refuse_problems(found, own.guild_id)

        def save(conn: Connection) -> int | None:
            if first is not None:
                first(conn)
            if not questions_store.change_bank_since(conn, own.guild_id, own.mark, merged.last):
                raise _Changed(_CHANGED)
            changed = {**merged.rekeyed, **merged.rekeyed_topics}
            self._refuse_keys_in_use(conn, own.guild_id, changed)
            questions_store.save_topics(conn, merged.topics)
            questions_store.retire_items(conn, own.guild_id, merged.retired)
            questions_store.save_items(conn, merged.items)
            _store_pictures(conn, own.guild_id, found.pictures)
            if undone is None or not merged.items:
                return None
            now = self._now()
            store.forget_changes(conn, now - _UNDO_FOR)
            retired = [replace(row, retired=True) for row in undone if row.number in merged.retired]
            return store.add_change(conn, own.guild_id, undone, [*retired, *merged.items], now)

        return merged, await self._database.write(save)

    def _refuse_keys_in_use(
        self, conn: Connection, guild_id: int, changed: Mapping[str, str]
    ) -> None:
        """Refuse new keys for questions in play; `changed` has their words by id.

        Otherwise their answers would be judged by another key than the one that is shown to them.
        """
        in_use = self._in_play.keys_in_use(conn, guild_id)
        names = sorted(f'"{changed[each]}"' for each in changed.keys() & in_use)
        if names:
            more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
            raise _KeyInUse(
                f"Members are asked {', '.join(names[:_MOST_NAMES])}{more} right now, or are about to be, so what "
                "counts as right can't change. Nothing was saved. Do this again once that's over."
            )

    async def export(
        self, guild_id: int, title: str, *, sheet: bool = False, packs: bool = False
    ) -> Export:
        """Return the server's own questions as a file; refuse if there are none.

        `sheet=True` writes CSV instead of JSON; `packs=True` adds the questions of its packs.
        """
        async with _WHOLE_BANKS.turn(guild_id):
            read = partial(self._read_for_export, guild_id, with_pictures=not sheet)
            rows, chosen, pictures = await self._database.read_long(guild_id, read)
            write = partial(
                write_own,
                rows,
                self._banks.packs,
                chosen,
                title,
                pictures,
                sheet=sheet,
                packs=packs,
            )
            try:
                return await FILES.run(guild_id, write)
            except TooMuch as error:
                log.warning("guild %s: writing a file took too much", guild_id)
                raise UserError(f"Writing this file took {TOO_MUCH}. {error}") from error

    @staticmethod
    def _read_for_export(
        guild_id: int, conn: Connection, *, with_pictures: bool
    ) -> tuple[OwnRows, list[str] | None, Mapping[str, bytes]]:
        files = questions_store.picture_files(conn, guild_id)[0] if with_pictures else ()
        return (
            questions_store.own_rows_of(conn, guild_id),
            questions_store.packs_of(conn, guild_id),
            questions_store.own_pictures_of(conn, guild_id, files),
        )

    async def page_of(self, guild_id: int, search: str = "", page: int = 0) -> Listing:
        """Return a page of the own questions with every word of `search` in id, topic or prompt."""
        return await self._database.read_long(guild_id, self._page_of, guild_id, search, page)

    def _page_of(self, conn: Connection, guild_id: int, search: str, page: int) -> Listing:
        titles = {
            row.topic_id: row.title for row in questions_store.topic_titles(conn, guild_id)
        } | {topic.id: topic.title for topic in self._banks.packs.topics.values()}
        words = search.casefold().split()
        if words:
            numbers = _matching(conn, guild_id, words, titles)
            found = len(numbers)
            page, pages = page_in(found, page)
            numbers = list(rows_on(page, numbers))
        else:
            found = questions_store.own_sums(conn, guild_id).asked
            page, pages = page_in(found, page)
            numbers = questions_store.own_numbers(conn, guild_id, page * PAGE_SIZE, PAGE_SIZE)
        rows = questions_store.own_items_numbered(conn, guild_id, numbers)
        shown = [OwnQuestion(row, item_of(row), titles[row.topic_id]) for row in rows]
        return Listing(page=page, pages=pages, found=found, shown=tuple(shown))

    @reading
    def count(self, conn: Connection, guild_id: int) -> int:
        """Return how many questions of its own a server asks."""
        return questions_store.own_sums(conn, guild_id).asked

    @reading
    def get(self, conn: Connection, guild_id: int, number: int) -> OwnQuestion:
        """Return an own question that is asked; refuse if there is none with this number."""
        row = _asked_row(conn, guild_id, number)
        bank = self._banks.holding(conn, [row.item_id])
        return OwnQuestion(row, bank.items[row.item_id], bank.topics[row.topic_id].title)

    async def page(
        self, guild_id: int, number: int, *, change: int | None = None, replaced: bool = False
    ) -> QuestionPage:
        """Return an own question with what can be done about it."""
        own = await self.get(guild_id, number)
        otherwise = 0
        with suppress(Refused):  # what was saved just now must not look as if it was not
            otherwise = await self._database.read_long(guild_id, pay.count_changed, own.item)
        return QuestionPage(own, otherwise, change, replaced)

    async def add(
        self, guild_id: int, form: Form, first: Callable[[Connection], None] | None = None
    ) -> QuestionPage:
        """Add a question from a form; raises BankError with its problems.

        `first` runs first, in the same transaction: if it refuses, nothing is added. As it can't be
        undone, neither can the rest.
        """
        names: set[str] = set()

        async def save() -> tuple[Merge, int | None]:
            own, draft, name = await self._database.read(self._draft, guild_id, form)
            names.add(name)
            # Otherwise the second of two processes would add the same question under another id.
            if len(names) > 1:
                raise UserError(
                    "A question with the same words was added just now. Find it in </bank>."
                )
            undone = () if first is None else None
            return await self._save(own, checked(draft, own, self._card_length), first, undone)

        async with self._in_turn(guild_id):
            merged, change = await _retried(save)
        return await self.page(guild_id, merged.items[-1].number, change=change)

    def check(self, form: Form) -> None:
        """Raise BankError with a form's problems, if it has any."""
        own = Own(self._banks.packs)
        name = free_id(form.prompt, own.packs.items.keys())
        topic = _topic_of(form, own.packs, ())
        draft = check_one({**item_from(form), "id": name}, topic, schema())
        refuse(checked(draft, own, self._card_length).problems)

    def _draft(self, conn: Connection, guild_id: int, form: Form) -> tuple[Own, Draft, str]:
        """Return a form's new question as a document, the rows that it is about, and its id."""
        packs = self._banks.packs
        topic = _topic_of(form, packs, questions_store.topic_titles(conn, guild_id))
        taken = questions_store.names_like(conn, guild_id, slug(form.prompt, 40))
        name = free_id(form.prompt, taken | packs.items.keys())
        draft = check_one({**item_from(form), "id": name}, topic, schema())
        topics = questions_store.own_topics_named(conn, guild_id, [topic.id])
        return self._read(conn, guild_id, topics, ()), draft, name

    async def edit(self, guild_id: int, number: int, form: Form) -> QuestionPage:
        """Change an own question as edited in a form; raises BankError with its problems."""
        return await self._edit(guild_id, number, partial(item_from, form))

    async def set_level(self, guild_id: int, number: int, level: str) -> QuestionPage:
        """Change the level of difficulty of an own question."""
        return await self._edit(guild_id, number, partial(with_level, level))

    async def _edit(self, guild_id: int, number: int, change: Rewrite) -> QuestionPage:
        async with self._in_turn(guild_id):
            merged, made = await _retried(partial(self._change, guild_id, number, change))
        last = merged.items[-1].number if merged.items else number
        return await self.page(guild_id, last, change=made, replaced=bool(merged.retired))

    async def illustrate(self, guild_id: int, number: int, form: Extras) -> QuestionPage:
        """Change code, formula and picture of an own question; raises BankError with its problems.

        Only one process at a time decodes a picture, so a server's pictures are drawn in turn.
        """
        async with self._in_turn(guild_id):
            drawn: dict[str, bytes] = {}
            if form.upload is not None:
                file, content = await self._redraw(guild_id, form.upload)
                drawn[file] = content
            change = partial(with_extras, form, next(iter(drawn), None))
            await _retried(partial(self._change, guild_id, number, change, drawn))
        return await self.page(guild_id, number)

    async def _redraw(self, guild_id: int, upload: bytes) -> tuple[str, bytes]:
        """Draw an uploaded picture in the child process; raises BankError if it can't be used."""
        try:
            return await FILES.run(guild_id, redraw, upload)
        except PictureError as error:
            message = str(error)
        except TooMuch:
            log.warning("guild %s: a picture of %s bytes took too much", guild_id, len(upload))
            message = TOO_MUCH_WORK
        raise BankError([Problem(PICTURE, message)])

    async def _change(
        self,
        guild_id: int,
        number: int,
        change: Rewrite,
        pictures: Mapping[str, bytes] | None = None,
    ) -> tuple[Merge, int | None]:
        """Store the new content of an own item; a change of its pictures can't be undone."""

        def read(conn: Connection) -> tuple[Own, OwnItem, OwnTopic]:
            row = _asked_row(conn, guild_id, number)
            topics = questions_store.own_topics_with(conn, guild_id, (), {row.topic_id})
            return self._read(conn, guild_id, topics, [row]), row, topics[0]

        own, row, topic = await self._database.read(read)
        names = TopicNames(topic.name, topic.title, topic.section, topic.section_title)
        item = {**change(json.loads(row.content)), "id": row.name}
        found = checked(check_one(item, names, schema()), own, self._card_length)
        undone = [row] if pictures is None else None
        return await self._save(own, replace(found, pictures=pictures or {}), undone=undone)

    async def correct(self, guild_id: int, number: int) -> Regraded:
        """Regrade past answers to an own question by its current key.

        Refuses while a round or a challenge has the question in play. Few answers are corrected in
        a transaction. If the process dies in between, this does the rest when it is called again.
        """

        def read(conn: Connection) -> tuple[OwnItem, dict[int, int]]:
            row = _asked_row(conn, guild_id, number)
            self._refuse_in_play(conn, row)
            return row, pay.members_changed(conn, item_of(row))

        row, members = await self._database.read_long(guild_id, read)
        done = Regraded()
        for some in rules.portions(members, _PORTION):
            done = await self._correct(row, some, done)
        log.info(
            "guild %s: %s past answers to %s were judged again", guild_id, done.answers, row.item_id
        )
        return replace(done, members=len(members) if done.answers else 0)

    async def _correct(self, row: OwnItem, members: Collection[int], done: Regraded) -> Regraded:
        """Regrade all answers of some members, until there is nothing left to correct."""
        item = item_of(row)
        corrections = partial(pay.corrections, item=item, sources=self._sources, user_ids=members)
        for _ in range(_ATTEMPTS):
            found = await self._database.read_long(row.guild_id, corrections)
            if not found:
                break
            for start in range(0, len(found), _PORTION):
                some = found[start : start + _PORTION]
                replayed = members if start + _PORTION >= len(found) else ()
                stored = await self._database.write(self._store_corrections, row, some, replayed)
                done = Regraded(done.answers + stored.answers, done.right + stored.right)
        return done

    def _store_corrections(
        self, conn: Connection, row: OwnItem, found: Sequence[Correction], replayed: Collection[int]
    ) -> Regraded:
        """Store corrections, and replay members' cards; refuse if the question has changed."""
        questions_store.lock_bank(conn, row.guild_id)
        if questions_store.own_items_numbered(conn, row.guild_id, [row.number]) != [row]:
            raise _Changed(_CHANGED)
        self._refuse_in_play(conn, row)
        stored = pay.correct(conn, found)
        for user_id in sorted(replayed):
            memory_store.replay(conn, user_id, row.item_id)
        return stored

    def _refuse_in_play(self, conn: Connection, row: OwnItem) -> None:
        if row.item_id in self._in_play.items(conn, row.guild_id, ROUND, CHALLENGE):
            raise UserError(
                "A round or a challenge is about to ask that question, or asks it now. Press this again once it's over."
            )

    async def undo(self, guild_id: int, change_id: int) -> QuestionPage | None:
        """Take a change by form back; return the question as it was, None if it was new."""
        number = await self._database.write(self._undo, guild_id, change_id)
        return None if number is None else await self.page(guild_id, number)

    def _undo(self, conn: Connection, guild_id: int, change_id: int) -> int | None:
        questions_store.change_bank(conn, guild_id)
        found = store.change(conn, guild_id, change_id)
        if found is None or found.at < self._now() - _UNDO_FOR:
            raise UserError(_NOT_UNDONE)
        after = {row.number: row for row in found.after}
        now = questions_store.own_items_numbered(conn, guild_id, after.keys())
        if {row.number: row for row in now} != after:
            raise UserError(_NOT_UNDONE)
        if not found.before and any(_was_asked(conn, guild_id, row) for row in now):
            raise UserError(
                "Members were asked that question meanwhile, so it stays. "
                "Press Take out if nobody should be asked it again."
            )
        before = {row.number: row for row in found.before}
        # the newest one first: its name becomes free for the older one
        restored = [
            before.get(row.number, replace(row, retired=True)) for row in reversed(found.after)
        ]
        self._refuse_keys_in_use(conn, guild_id, rules.new_keys(found.after, restored))
        size = questions_store.own_sums(conn, guild_id).size
        more = sum(map(size_of, restored)) - sum(map(size_of, found.after))
        if size + more > max(size, MAX_OWN_BYTES):
            raise UserError(
                "There's no room left for the longer text, because other questions have grown. "
                "Make one of them shorter first."
            )
        questions_store.save_items(conn, restored)
        return next(iter(before), None)

    @writing
    def retire(self, conn: Connection, guild_id: int, number: int) -> None:
        """Retire an own item for good; refuse if it is retired already."""
        questions_store.change_bank(conn, guild_id)
        _asked_row(conn, guild_id, number)
        questions_store.retire_items(conn, guild_id, [number])


class QuestionInsights:
    """Analyzes the answers of a server."""

    def __init__(self, context: Context) -> None:
        self._database = context.database
        self._in_play = context.in_play
        self._banks = context.banks
        self._now = context.now

    async def analyze(self, guild_id: int, user_id: int) -> tuple[Insights, Bank]:
        """Return what the answers of a server say to a manager, and the bank that they are about.

        The analysis runs after the transaction, because thousands of answers take a while.
        """
        async with _INSIGHTS.turn(guild_id):
            bank, work = await self._database.read_long(guild_id, self._load, guild_id, user_id)
            return await compute(guild_id, work), bank

    def _load(
        self, conn: Connection, guild_id: int, user_id: int
    ) -> tuple[Bank, partial[Insights]]:
        since = self._now() - YEAR
        bank = self._banks.of(conn, guild_id)
        ids = {item_id: item_id for item_id in bank.asked}  # one string for all answers to an item
        given = [
            Given(ids[a.item_id], a.user_id, a.answer or "", a.correct, a.answered_at)
            for a in answers_store.latest_on(conn, guild_id, since.date(), MOST)
            if a.item_id in ids
        ]
        return bank, partial(
            analyze,
            bank,
            given,
            reports=store.count_reporters(conn, guild_id, since),
            hidden=self._in_play.items_kept_from(conn, user_id, guild_id),
        )


async def _retried(work: Callable[[], Awaitable[T]]) -> T:
    """Do work, and again if somebody else changed the rows that it has read."""
    for _ in range(_ATTEMPTS - 1):
        with suppress(_Changed):
            return await work()
    return await work()


def _topic_of(form: Form, packs: Bank, own: Sequence[OwnTopic]) -> TopicNames:
    """Return the topic that a form names, or a new one."""
    known = topic_called(form.topic, titles_of(packs, own))
    return known or TopicNames(slug(form.topic), form.topic, *_FORM_SECTION)


def _matching(
    conn: Connection, guild_id: int, words: Sequence[str], titles: Mapping[str, str]
) -> list[int]:
    """Return the numbers of the own items that are asked with all of these words."""
    found = []
    for row in questions_store.own_items_of(conn, guild_id):
        prompt = json.loads(row.content)["prompt"]
        searched = f"{row.name} {titles[row.topic_id]} {prompt}".casefold()
        if all(word in searched for word in words):
            found.append(row.number)
    return found


def _asked_row(conn: Connection, guild_id: int, number: int) -> OwnItem:
    rows = questions_store.own_items_numbered(conn, guild_id, [number])
    if not rows or rows[0].retired:
        raise UserError(_GONE)
    return rows[0]


def _was_asked(conn: Connection, guild_id: int, row: OwnItem) -> bool:
    """Return whether anybody was asked an own item, or answered it in private."""
    asked = row.item_id in questions_store.asked_in(conn, guild_id)
    return asked or any(True for _ in answers_store.count_own_answers(conn, row.item_id))


def _store_pictures(conn: Connection, guild_id: int, new: Mapping[str, bytes]) -> None:
    """Store a server's new pictures, and delete those that its items don't need any more."""
    sizes = questions_store.picture_sizes(conn, guild_id)
    sizes |= {file: len(content) for file, content in new.items()}
    asked, retired = questions_store.picture_files(conn, guild_id)
    unneeded = rules.unneeded_pictures(asked, retired, sizes)
    questions_store.delete_pictures(conn, guild_id, unneeded)
    questions_store.add_pictures(conn, guild_id, {file: new[file] for file in new.keys() & asked})


async def _refuse_problems(found: Checked, guild_id: int) -> Merge:
    """Draw a document's new formulas; raise BankError if they or the document have problems.

    Drawing stops at the first formula that takes too long.
    """
    problems = list(found.problems)
    new = found.formulas
    if len(new) > MAX_NEW_FORMULAS:
        words = (
            f"has {len(new):,} new formulas; {MAX_NEW_FORMULAS} are allowed at once, so split it"
        )
        problems.append(Problem("the file", words))
        new = ()
    for place, latex in new:
        try:
            await prepare(latex, guild_id)
        except FormulaError as error:
            problems.append(Problem(place, f"can't be drawn ({error})"))
            if isinstance(error, FormulaTooSlow):
                break
    refuse(problems)
    assert found.merge is not None
    return found.merge
